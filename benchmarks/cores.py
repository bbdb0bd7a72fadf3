"""Scaling with cores: the jobs of a finished run, scheduled again by Snakemake on other numbers of cores.

    python benchmarks/cores.py [FOLDER]     a folder in which the study ran (default: this one)

Each job becomes a sleep of its time from start to end, scaled down, with the threads it had, after the jobs it waited
for; Snakemake's own scheduler decides when it runs. Let nothing else run beside the study whose times are taken. Writes
`cores.json` beside this file and docs/cores.md.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from base64 import urlsafe_b64decode
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from bpstudy.files import atomic_path
from bpstudy.provenance.store import Store

HERE = Path(__file__).parent
CORES = (1, 2, 12, 48, 128)
SIMULATED_SECONDS = 40.0  # how long the longest chain of sleeps takes
SNAKEFILE = """
import json
JOBS = json.load(open("jobs.json"))
rule all:
    input: [f"done/{n}" for n in JOBS]
rule job:
    wildcard_constraints: n="|".join(n for n in JOBS if not JOBS[n]["first"])
    input: lambda w: [f"done/{n}" for n in JOBS[w.n]["after"]]
    output: touch("done/{n}")
    threads: lambda w: JOBS[w.n]["threads"]
    params: seconds=lambda w: JOBS[w.n]["seconds"]
    shell: "sleep {params.seconds}"
use rule job as first_job with:
    wildcard_constraints: n="|".join(n for n in JOBS if JOBS[n]["first"])
    output: touch("done/{n}")
    priority: 1
"""
FIRST = {"train_with_forces", "potential_runs"}  # those with a priority in workflow/rules


@dataclass
class Job:
    """A job of the run, `start` in seconds since 1970; `after` are the numbers of those whose output it reads."""

    rule: str
    start: float
    seconds: float
    threads: int
    log: list[str]
    outputs: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    after: list[int] = field(default_factory=list)


def jobs_of(folder: Path) -> list[Job]:
    """The jobs of the last run, from what Snakemake noted of each output."""
    found: dict[tuple, Job] = {}
    store = Store(folder / "results")
    notes = folder / ".snakemake" / "metadata"
    for path in filter(Path.is_file, notes.rglob("*")):
        note = json.loads(path.read_text())
        output = urlsafe_b64decode("".join(part.removeprefix("@") for part in path.relative_to(notes).parts)).decode()
        key = (note["rule"], *note["log"])
        if key not in found:
            record = store.last_to_write(output)
            threads = record.internal["threads"] if record else 1
            seconds = note["endtime"] - note["starttime"]
            found[key] = Job(note["rule"], note["starttime"], seconds, threads, note["log"], inputs=set(note["input"]))
        found[key].outputs.add(output)
    jobs = list(found.values())
    maker = {output: number for number, job in enumerate(jobs) for output in job.outputs}
    for job in jobs:
        job.after = sorted({maker[file] for file in job.inputs if file in maker})
    return jobs


def longest_chain(jobs: list[Job]) -> list[int]:
    """Numbers of the jobs that follow one another and take longest together."""
    best: dict[int, tuple[float, list[int]]] = {}

    def ending_at(number: int) -> tuple[float, list[int]]:
        if number not in best:
            before = max((ending_at(n) for n in jobs[number].after), default=(0.0, []))
            best[number] = (before[0] + jobs[number].seconds, [*before[1], number])
        return best[number]

    return max(map(ending_at, range(len(jobs))))[1]


def scheduled(jobs: list[Job], cores: int, scale: float) -> float:
    """Seconds, unscaled, that Snakemake takes for sleeping jobs on so many cores."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = {
            n: {
                "after": job.after,
                "threads": job.threads,
                "seconds": job.seconds * scale,
                "first": job.rule in FIRST,
            }
            for n, job in enumerate(jobs)
        }
        (folder / "jobs.json").write_text(json.dumps(rows))
        (folder / "Snakefile").write_text(SNAKEFILE)
        command = ["snakemake", "--cores", str(cores), "--quiet", "all", "--workflow-profile", "none"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        starts = [(folder / f"done/{n}").stat().st_mtime - job.seconds * scale for n, job in enumerate(jobs)]
        ends = [(folder / f"done/{n}").stat().st_mtime for n in range(len(jobs))]
    return (max(ends) - min(starts)) / scale


def page(report: dict) -> str:
    """docs/cores.md."""
    rows = "\n".join(
        f"| {row['cores']} | {row['minutes']:.1f} | {row['speed_up']:.1f} | {row['efficiency']:.0%} |"
        for row in report["cores"]
    )
    parts = sorted(report["longest_chain_minutes"].items(), key=lambda part: -part[1])
    chain = ", ".join(f"{rule} {minutes / report['longest_chain']:.0%}" for rule, minutes in parts[:3])
    return f"""# Scaling with the number of cores

Written by `python benchmarks/cores.py FOLDER`: the {report["jobs"]} jobs of a run with {report["steps"]} steps of
dynamics{report["source"]} ({report["machine"]}, {report["date"]}), each replaced by a sleep of the same duration
(scaled by {report["scale"]:.3g}), scheduled by Snakemake.

| cores | minutes | speed-up | efficiency |
|---|---|---|---|
{rows}

Jobs of several threads sleep as long where there are fewer cores, so the row of one core is too fast.
The efficiency is the core minutes of all jobs ({report["total"]:.1f}) divided by cores × minutes. The lower limit is
the longest chain of jobs, {report["longest_chain"]:.1f} minutes, mainly {chain}.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", nargs="?", type=Path, default=Path())
    folder = options.parse_args().folder
    jobs = jobs_of(folder)
    if not jobs:
        raise SystemExit(f"{folder}: no finished run of the study here")
    chain = longest_chain(jobs)
    in_chain: dict[str, float] = defaultdict(float)
    for number in chain:
        in_chain[jobs[number].rule] += jobs[number].seconds / 60
    longest = sum(in_chain.values())
    total = sum(job.seconds * job.threads for job in jobs) / 60
    scale = SIMULATED_SECONDS / 60 / longest
    rows = []
    for cores in CORES:
        minutes = scheduled(jobs, cores, scale) / 60
        rows.append({"cores": cores, "minutes": minutes, "efficiency": total / cores / minutes})
        print(f"{cores} cores: {minutes:.1f} min", flush=True)
    report = {
        "jobs": len(jobs),
        "steps": steps(folder),
        "source": " from the archive" if "archived_trajectory" in {job.rule for job in jobs} else "",
        "scale": scale,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "total": total,
        "longest_chain": longest,
        "longest_chain_minutes": dict(in_chain),
        "cores": [row | {"speed_up": rows[0]["minutes"] / row["minutes"]} for row in rows],
    }
    with atomic_path(HERE / "cores.json") as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n")
    with atomic_path(HERE.parent / "docs/cores.md") as temporary:
        temporary.write_text(page(report))


def steps(folder: Path) -> int:
    """Steps of dynamics of all systems."""
    return sum(len(table.read_text().splitlines()) - 2 for table in folder.glob("results/dynamics/*/thermo.csv"))


if __name__ == "__main__":
    main()
