"""`bpstudy doctor`: checks whether this machine is ready for the study, and gives advice."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rich.markup import escape
from rich.table import Table

from bpstudy.dynamics import mpi

Status = Literal["ok", "note", "problem"]  # note: works or is not needed here, but worth knowing

# Run in a separate process: a broken extension or MPI may kill the process that imports it.
_GPAW_PROBE = """
import json, sys
import _gpaw, gpaw
from gpaw.setup_data import search_for_file
def has(symbol):
    try: search_for_file(symbol + ".PBE")
    except Exception: return False
    return True
features = {"MPI": "Communicator", "FFTW": "FFTWPlan", "BLAS": "mmm", "libxc": "lxcXCFunctional"}
print(json.dumps({"version": gpaw.__version__, "lacks": [n for n, a in features.items() if not hasattr(_gpaw, a)],
                  "no_data": [s for s in sys.argv[1:] if not has(s)]}))
"""


@dataclass(frozen=True)
class Check:
    """Result of one check: what was found and, unless all is well, what to do."""

    name: str
    status: Status
    found: str
    advice: str = ""


def examine(folder: Path, elements: Sequence[str] = ("Cu", "Li")) -> list[Check]:
    """Check this machine for a study in `folder` with PAW data for `elements`; nothing is changed."""
    return [
        check_python(),
        check_packages(folder / "requirements.lock"),
        check_compiler(),
        check_mpi(),
        *check_gpaw(elements),
        check_threads(),
        check_memory(),
        check_disk(folder),
        check_git(folder),
        check_slurm(),
        check_conda(),
    ]


def table(checks: Sequence[Check]) -> Table:
    """The checks as a table for the terminal."""
    colour = {"ok": "green", "note": "yellow", "problem": "red"}
    result = Table("what", "state", "found", "what to do")
    for check in checks:
        result.add_row(check.name, f"[{colour[check.status]}]{check.status}[/]", escape(check.found), check.advice)
    return result


def run(*command: str, timeout_seconds: float = 30) -> tuple[bool, str]:
    """Whether a command succeeds, and what it says (standard output, or the error where it fails)."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_seconds, env=mpi.SETTINGS | dict(os.environ)
        )
    except FileNotFoundError:
        return False, f"{command[0]} is not on the PATH"
    except subprocess.TimeoutExpired:
        return False, f"{command[0]} did not answer within {timeout_seconds:.0f} s"
    text = done.stdout if done.returncode == 0 else done.stderr or done.stdout
    return done.returncode == 0, text.strip() or f"exit code {done.returncode}"


def check_python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == (3, 11):
        return Check("Python", "ok", version)
    return Check("Python", "problem", version, "use Python 3.11: requirements.lock is resolved for it")


def check_packages(lock: Path) -> Check:
    """Compare the installed packages with the lock."""
    if not lock.is_file():
        return Check("packages", "problem", f"no {lock}", "run this in the folder of the study")
    wanted = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), flags=re.MULTILINE))
    installed = {re.sub(r"[-_.]+", "-", d.name).lower(): d.version for d in metadata.distributions()}
    wrong = [
        f"{name} {installed.get(name, 'missing')}, not {v}" for name, v in wanted.items() if installed.get(name) != v
    ]
    if not wrong:
        return Check("packages", "ok", f"all {len(wanted)} as locked")
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return Check("packages", "problem", "; ".join(wrong[:3]) + more, "delete .venv, then `make setup`")


def check_compiler() -> Check:
    works, said = run("mpicc", "--version")
    if works:
        return Check("compiler", "ok", said.splitlines()[0])
    return Check("compiler", "note", said, "only needed to build GPAW: `make setup` names the packages")


def check_mpi() -> Check:
    """Start two ranks."""
    works, said = run("mpirun", "--version")
    if not works:
        return Check("MPI", "problem", said, "apt-get install openmpi-bin, or run DFT with mpi_ranks: 1")
    version = said.splitlines()[0]
    works, said = run("mpirun", "-n", "2", "true")
    if works:
        return Check("MPI", "ok", f"{version}, two ranks start")
    return Check("MPI", "problem", said.splitlines()[0], "two ranks do not start; run DFT with mpi_ranks: 1")


def check_gpaw(elements: Sequence[str]) -> list[Check]:
    works, said = run(sys.executable, "-c", _GPAW_PROBE, *elements, timeout_seconds=120)
    if not works:
        return [Check("GPAW", "problem", said.splitlines()[-1], "delete .venv, then `make setup`")]
    probe = json.loads(said.splitlines()[-1])
    if probe["lacks"]:
        advice = "see tools/gpaw_siteconfig.py; then delete .venv and `make setup`"
        build = Check("GPAW", "problem", f"{probe['version']} without {', '.join(probe['lacks'])}", advice)
    else:
        build = Check("GPAW", "ok", f"{probe['version']} with MPI, FFTW, BLAS and libxc")
    if probe["no_data"]:
        advice = "install gpaw-data, or point GPAW_SETUP_PATH to a folder that has them"
        return [build, Check("PAW data", "problem", f"none for {', '.join(probe['no_data'])} (PBE)", advice)]
    return [build, Check("PAW data", "ok", f"{', '.join(elements)} (PBE)")]


def usable_cores(cpu_max: Path = Path("/sys/fs/cgroup/cpu.max")) -> float:
    """Cores this process may use: its CPU affinity, or a container's quota if that is lower."""
    cores = float(len(os.sched_getaffinity(0)))
    if cpu_max.is_file():
        quota, period = cpu_max.read_text().split()
        if quota != "max":
            cores = min(cores, int(quota) / int(period))
    return cores


def check_threads() -> Check:
    cores = usable_cores()
    found = f"{cores:g} of {os.cpu_count()} cores usable"
    if cores < 2:
        return Check("cores", "note", found, "the study runs one job at a time")
    return Check("cores", "ok", found)


def check_memory() -> Check:
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    if gigabytes < 4:
        return Check("memory", "problem", f"{gigabytes:.0f} GB", "one job needs up to 4 GB")
    return Check("memory", "ok", f"{gigabytes:.0f} GB")


def check_disk(folder: Path, needed_gigabytes: float = 10) -> Check:
    """Free space and write permission where results/ will be."""
    if not os.access(folder, os.W_OK):
        return Check("disk", "problem", f"{folder} cannot be written", "work in a folder of your own")
    free = shutil.disk_usage(folder).free / 1e9
    if free < needed_gigabytes:
        return Check("disk", "problem", f"{free:.1f} GB free", f"the full study needs {needed_gigabytes:g} GB")
    return Check("disk", "ok", f"{free:.0f} GB free")


def check_git(folder: Path) -> Check:
    """Results record the commit they were made at, if git gives it."""
    works, said = run("git", "-C", str(folder), "rev-parse", "--short", "HEAD")
    if works:
        return Check("git", "ok", f"at commit {said}")
    if "dubious ownership" in said:
        advice = f"git config --global --add safe.directory {folder.resolve()}"
        return Check("git", "problem", "does not trust this folder: results would not record their commit", advice)
    return Check("git", "note", said.splitlines()[0], "results do not record a commit")


def check_slurm() -> Check:
    if shutil.which("sbatch") is None:
        return Check("SLURM", "note", "not here", "only needed for profiles/slurm")
    works, said = run("sinfo", "--noheader")
    if not works:
        return Check("SLURM", "note", said.splitlines()[0], "does not answer; only for profiles/slurm")
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return Check("SLURM", "problem", "no Snakemake plugin", "delete .venv, then `make setup`")
    works, _ = run("sacct", "--noheader")
    found = f"{len(said.splitlines())} partitions, {'with' if works else 'no'} accounting"
    _, settings = run("scontrol", "show", "config")
    remembers = re.search(r"MinJobAge\s*=\s*(\d+)", settings)
    if remembers and int(remembers[1]) < 90:
        advice = "profiles/slurm: set slurm-init-seconds-before-status-checks to at most a third of that"
        return Check("SLURM", "note", f"{found}; ended jobs are forgotten after {remembers[1]} s", advice)
    return Check("SLURM", "ok", found)


def check_conda() -> Check:
    works, said = run("conda", "--version")
    if works:
        return Check("conda", "ok", said)
    return Check("conda", "note", said, "only needed for profiles/conda")
