"""What goes wrong on one machine: nothing is lost, nothing wrong is accepted, and the message says what to do.

The study is a small one without DFT (`with_emt`); `make test-faults` kills it fifty times.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from bpstudy.running.doctor import check_packages
from tests.workflow.project import ROOT, TRAINED, TRAJECTORY, assert_same, bpstudy, computing, environment, snakemake

CORES = ["--cores", "2"]
CHUNK = "results/dynamics/cu4/chunks/0001.traj"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def start(folder, *targets):
    """Snakemake in the background, leader of a process group of its own."""
    return subprocess.Popen(
        ["snakemake", *CORES, "--", *targets],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=(folder / "snakemake.log").open("w"),
        start_new_session=True,
    )


def complete(folder, *targets):
    """Run to the end, as a user does after a crash: unlock, start again."""
    assert snakemake(folder, *CORES, "--unlock").returncode == 0
    return snakemake(folder, *CORES, "--", *targets)


def family(process):
    """The process and all that it started, so far as they still run."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def partial_files(folder):
    """Temporary files under results/ that bear a final name's suffix but are hidden: what a kill leaves behind."""
    return [path for path in (folder / "results").rglob(".*") if path.is_file() and path.suffix != ".lock"]


@pytest.fixture
def damaged(finished, tmp_path):
    """A copy of the finished study, for a test to damage."""
    folder = tmp_path / "damaged"
    shutil.copytree(finished, folder, symlinks=True)  # with Snakemake's own notes
    return folder


@pytest.fixture
def small_disk(project):
    """`results/` of a copy on a file system of 20 kB; called with another size, or `ro`, it becomes that."""
    results = project / "results"
    results.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20k", "tmpfs", results]).returncode:
        pytest.skip("cannot mount a small disk here (not root, or a container without the right)")
    yield lambda option: subprocess.run(["mount", "-o", f"remount,{option}", results], check=True)
    subprocess.run(["umount", "--lazy", results], check=True)


@pytest.mark.timeout(7200)
@pytest.mark.fault(
    "`kill -9` of Snakemake, of one of its jobs, or of all, at a random moment", "the same results, to the bit"
)
def test_random_kills(project, undisturbed, usual_seconds, request, record_property):
    kills, draw = request.config.getoption("kills"), random.Random(2026)
    done = 0
    while done < kills:
        run = start(project, TRAJECTORY, TRAINED)
        process = psutil.Process(run.pid)
        with suppress(subprocess.TimeoutExpired):
            run.wait(draw.uniform(0.5, usual_seconds))
        victims = family(process)
        if run.poll() is not None:  # it was faster than the kill: all over again
            assert run.returncode == 0 or done, (project / "snakemake.log").read_text()
            if run.returncode == 0:
                assert_same(project, undisturbed, TRAJECTORY, TRAINED)
                shutil.rmtree(project / "results")
        else:
            chosen = draw.choice([victims[:1], [draw.choice(victims)], victims])
            for victim in chosen:
                try:
                    victim.kill()
                except psutil.NoSuchProcess:
                    continue
            done += 1
            run.terminate()  # where it has lost a job only: it would go on with the others
            run.wait()
        for lock in (project / ".snakemake/locks").glob("*.lock"):  # as `snakemake --unlock` does, only faster
            lock.unlink()
    psutil.wait_procs(orphans(project), timeout=300)
    last = complete(project, TRAJECTORY, TRAINED)
    assert last.returncode == 0, last.stderr[-3000:]
    assert_same(project, undisturbed, TRAJECTORY, TRAINED)
    record_property("tried", done)


def orphans(folder):
    """Processes that a Snakemake which is no more left running in `folder`."""
    return [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(folder)]


@pytest.mark.fault("SIGTERM", "Snakemake ends with its jobs; no partial file; the same results afterwards")
def test_sigterm(project, undisturbed):
    run = start(project, TRAJECTORY)
    computing(project)
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=120) != 0
    assert orphans(project) == []
    assert partial_files(project) == []
    assert_same(project, undisturbed)
    assert snakemake(project, *CORES, "--", TRAJECTORY).returncode == 0
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.fault("the disk is full", "the job says so, no file is partial; with space, the same results")
def test_full_disk(project, undisturbed, small_disk):
    run = snakemake(project, *CORES, "--", TRAJECTORY)
    assert run.returncode != 0
    assert "No space left on device" in run.stdout + run.stderr
    assert_same(project, undisturbed)
    small_disk("size=100m")
    run = snakemake(project, *CORES, "--", TRAJECTORY)
    assert run.returncode == 0, run.stderr[-3000:]
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.fault("`results/` can only be read", "Snakemake stops and names the file; nothing is changed")
def test_read_only_results(project, undisturbed, small_disk):
    small_disk("ro,size=100m")
    run = snakemake(project, *CORES, "--", TRAJECTORY)
    assert run.returncode != 0
    assert "Read-only file system" in run.stdout + run.stderr
    small_disk("rw,size=100m")
    assert snakemake(project, *CORES, "--", TRAJECTORY).returncode == 0
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.fault("two Snakemakes in one folder", "the second stops at the lock; the first is not disturbed")
def test_two_at_once(project, undisturbed):
    first = start(project, TRAJECTORY)
    at_work = computing(project)
    os.kill(at_work, signal.SIGSTOP)  # it shall not be done before the second has looked
    second = snakemake(project, *CORES, "--", TRAJECTORY)
    os.kill(at_work, signal.SIGCONT)
    assert second.returncode != 0
    assert "LockException" in second.stderr
    assert first.wait(timeout=300) == 0
    assert_same(project, undisturbed, TRAJECTORY)


@pytest.mark.fault(
    "a chunk of a trajectory is cut off", "the job that reads it names the file; removed, it is computed again"
)
def test_truncated_trajectory(damaged, undisturbed):
    said = after_cutting(damaged, CHUNK, TRAJECTORY)
    assert re.search(rf"{re.escape(CHUNK)}, frame \d+: ASE cannot read this trajectory", said)
    mended(damaged, undisturbed, CHUNK, TRAJECTORY)


@pytest.mark.fault(
    "a block of symmetry functions is cut off", "the training names the file; removed, it is computed again"
)
def test_truncated_features(damaged, undisturbed):
    block = next(path for path in undisturbed if path.endswith(".npy"))
    said = after_cutting(damaged, block, TRAINED)
    assert f"{block}: cannot be read" in said
    mended(damaged, undisturbed, block, TRAINED)


def after_cutting(folder, file, target):
    """What Snakemake says when half of `file` is gone and `target` has to be made of it."""
    path = folder / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    run = snakemake(folder, *CORES, "--", target)
    assert run.returncode != 0
    return run.stdout + run.stderr


def mended(folder, undisturbed, file, target):
    (folder / file).unlink()
    run = snakemake(folder, *CORES, "--", target)
    assert run.returncode == 0, run.stderr[-3000:]
    assert_same(folder, undisturbed, file, target)


@pytest.mark.fault("config.yaml is empty", "nothing is run, and the message says that it has no keys")
def test_empty_configuration(project):
    (project / "config.yaml").write_text("")
    run = snakemake(project, *CORES, "--", TRAJECTORY)
    assert run.returncode != 0
    assert "Config file must be given as JSON or YAML with keys at top level" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (project / "results").exists()


@pytest.mark.fault(
    "an overlay that is not UTF-8",
    "nothing is run. Snakemake reads it before any code of this project and ends with a traceback that does not name"
    " the file; `bpstudy config check config.yaml mine.yaml` names file and line",
)
def test_overlay_in_another_encoding(project):
    (project / "mine.yaml").write_bytes("archive: r\xe9sultats\n".encode("latin-1"))
    run = snakemake(project, *CORES, "--configfile", "mine.yaml", "--", TRAJECTORY)
    assert run.returncode != 0
    assert "UnicodeDecodeError" in run.stderr  # once Snakemake says it better, so can the table
    assert not (project / "results").exists()
    check = bpstudy(project, "config", "check", "config.yaml", "mine.yaml")
    assert check.returncode == 1
    assert "mine.yaml, line 1: not UTF-8 (byte 0xe9); save the file as UTF-8" in check.stderr
    assert "Traceback" not in check.stderr


@pytest.mark.fault("`.venv/bin/snakemake` where `.venv` is not activated", "the jobs run in `.venv`; the same results")
def test_without_activation(project, undisturbed):
    program, chunk = Path(sys.executable).with_name("snakemake"), CHUNK.replace("0001", "0000")
    variables = environment(project) | {"PATH": os.defpath}
    run = subprocess.run([program, *CORES, "--", chunk], cwd=project, env=variables, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    assert_same(project, undisturbed, chunk)


def planned(folder, *arguments):
    """Names of the rules whose jobs would run."""
    run = snakemake(folder, *CORES, "--dry-run", *arguments, "--", TRAJECTORY, TRAINED)
    assert run.returncode == 0, run.stderr
    rows = [line.split() for line in (run.stdout + run.stderr).splitlines()]
    names = {row[0] for row in rows if len(row) == 2 and row[1].isdigit()} - {"total"}
    return {"descriptors" if name.startswith("descriptors_") else name for name in names}


@pytest.mark.fault("a parameter is changed", "what depends on it is computed again, nothing else")
@pytest.mark.parametrize(
    ("overlay", "rules"),
    [
        ({"optimizers": {"adam": {"max_iterations": 7}}, "figures": {"dpi": 100}}, set()),
        ({"optimizers": {"lbfgs": {"max_iterations": 7}}}, {"train"}),
        ({"angular_tolerance": 1e-9}, {"descriptors", "train"}),
        ({"systems": {"cu4": {"dynamics": {"seed": 5}}}}, {"dynamics_chunk", "trajectory"}),
    ],
)
def test_changed_parameter(finished, overlay, rules):
    (finished / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    assert planned(finished, "--configfile", "overlay.yaml") == rules


@pytest.mark.fault("a module is changed", "what depends on it is computed again, nothing else")
@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("training/lbfgs.py", {"train"}),
        ("symmetry/angular.py", {"descriptors", "train"}),
        ("dynamics/chunks.py", {"dynamics_chunk", "trajectory", "descriptors", "train"}),
        ("figures/energy.py", set()),
    ],
)
def test_changed_module(finished, module, rules):
    path = finished / "src/bpstudy" / module
    before = path.stat()
    content = path.read_text()
    path.write_text(content + "\n# changed\n")
    try:
        assert planned(finished) == rules
    finally:
        path.write_text(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.fault("requirements.lock is changed", "`bpstudy doctor` names the packages that differ")
def test_changed_lock(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text((ROOT / "requirements.lock").read_text().replace("ase==3.29.0", "ase==3.28.0"))
    check = check_packages(lock)
    assert (check.status, check.found) == ("problem", "ase 3.29.0, not 3.28.0")
    assert "make setup" in check.advice
