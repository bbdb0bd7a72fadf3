"""Where does the time of a run go?

    /usr/bin/time -v make run 2> run.time
    python -m benchmarks.run_profile [FOLDER] [--time run.time] [--write NAME]

of a folder in which the study ran (default: this one). Reads what the run left: Snakemake's notes of each output, its
benchmarks, our records (processor time of each job, of the start of its interpreter, of the record itself) and
results/logs/runs.jsonl (Snakemake's own processor time). Prints a table; `--write before` keeps it as
benchmarks/profiles/before.md and .json, and docs/benchmarks.md compares `before` with `after` (`make docs`). `--time`
adds what the system counted for the whole command.
"""

import argparse
import csv
import json
import os
import platform
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cores import Job, jobs_of, longest_chain
from bpstudy.files import atomic_path
from bpstudy.provenance.store import Store
from bpstudy.running.usage import RUNS

HERE = Path(__file__).parent
READING = {"trajectory", "imported_trajectory", "archived_trajectory"}


@dataclass
class Row:
    """What the jobs of a rule took; `measured` are those whose processor time is known and not taken from the clock."""

    rule: str
    jobs: int = 0
    measured: int = 0
    processor_seconds: float = 0.0
    start_up_seconds: float = 0.0
    recording_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_mb: float = 0.0


def rows_of(folder: Path, jobs: list[Job]) -> list[Row]:
    """One row per rule, the most expensive first."""
    store, rows = Store(folder / "results"), {}
    for job in jobs:
        record = store.last_to_write(min(job.outputs))
        told = record.content["predicate"]["runDetails"]["metadata"] if record else {}
        benchmark = benchmark_of(folder, job)
        known = told.get("processorSeconds", benchmark.get("cpu_time"))
        row = rows.setdefault(job.rule, Row(job.rule))
        row.jobs += 1
        row.measured += known is not None
        row.processor_seconds += job.seconds * job.threads if known is None else known
        row.start_up_seconds += told.get("startUpProcessorSeconds", 0.0)
        row.recording_seconds += told.get("recordingSeconds", 0.0)
        row.wall_seconds += job.seconds
        row.peak_mb = max(row.peak_mb, benchmark.get("max_rss", 0.0))
    return sorted(rows.values(), key=lambda row: -row.processor_seconds)


def benchmark_of(folder: Path, job: Job) -> dict[str, float]:
    """Snakemake's benchmark of the job: its file lies where the job's log does, under another folder."""
    for log in job.log:
        path = folder / Path(log.replace("results/logs/", "results/benchmarks/", 1)).with_suffix(".tsv")
        if path.exists():
            with path.open() as lines:
                last = list(csv.DictReader(lines, delimiter="\t"))[-1]
            return {key: float(last[key]) for key in ("cpu_time", "max_rss") if last.get(key, "NA") not in ("NA", "-")}
    return {}


def snakemake_seconds(folder: Path) -> float | None:
    """Processor time of all Snakemakes that ran here, without their jobs."""
    path = folder / RUNS
    if not path.exists():
        return None
    return sum(json.loads(line)["snakemake_processor_seconds"] for line in path.read_text().splitlines())


def counted(log: Path) -> dict[str, float]:
    """Seconds of the whole command by the clock and of the processor, as `time -v` wrote them."""
    of = dict(line.strip().rpartition(": ")[::2] for line in log.read_text().splitlines() if ": " in line)
    clock = 0.0
    for part in of["Elapsed (wall clock) time (h:mm:ss or m:ss)"].split(":"):
        clock = 60 * clock + float(part)
    return {"clock": clock, "processor": float(of["User time (seconds)"]) + float(of["System time (seconds)"])}


def profile(folder: Path, jobs: list[Job], log: Path | None) -> dict[str, Any]:
    """All that the tables show, in seconds."""
    rows = rows_of(folder, jobs)
    chain: dict[str, float] = defaultdict(float)
    for number in longest_chain(jobs):
        chain[jobs[number].rule] += jobs[number].seconds
    snakemake = snakemake_seconds(folder)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "jobs": len(jobs),
        "from_first_to_last": max(job.start + job.seconds for job in jobs) - min(job.start for job in jobs),
        "processor": sum(row.processor_seconds for row in rows) + (snakemake or 0.0),
        "start_up": sum(row.start_up_seconds for row in rows) or None,  # older records do not tell
        "recording": sum(row.recording_seconds for row in rows),
        "reading": sum(row.processor_seconds for row in rows if row.rule in READING),
        "snakemake": snakemake,
        "measured_jobs": sum(row.measured for row in rows),
        "critical_path": dict(sorted(chain.items(), key=lambda part: -part[1])),
        "rules": [asdict(row) for row in rows],
        "command": None if log is None else counted(log),
    }


def page(found: dict[str, Any]) -> str:
    """The tables, as Markdown."""
    total = found["processor"]

    def share(seconds: float | None) -> str:
        return "not recorded | " if seconds is None else f"{seconds:.1f} s | {seconds / total:.1%}"

    parts = "\n".join(
        f"| {name} | {share(found[key])} |"
        for name, key in (
            ("all", "processor"),
            ("start of interpreters and imports", "start_up"),
            ("reading trajectories", "reading"),
            ("Snakemake itself", "snakemake"),
        )
    )
    rules = "\n".join(
        f"| `{row['rule']}` | {row['jobs']} | {row['processor_seconds']:.1f} | "
        f"{row['processor_seconds'] / total:.1%} | {row['start_up_seconds']:.1f} | "
        f"{row['wall_seconds']:.1f} | {row['peak_mb']:.0f} |"
        for row in found["rules"]
    )
    path = sum(found["critical_path"].values())
    chain = ", ".join(f"`{rule}` {seconds:.0f} s" for rule, seconds in found["critical_path"].items())
    minutes = found["from_first_to_last"] / 60
    command = ""
    if found["command"]:
        clock, processor = (found["command"][key] / 60 for key in ("clock", "processor"))
        command = f"\nThe whole command took {clock:.1f} minutes, and {processor:.1f} minutes of processor time.\n"
    return f"""# Where the time of a run goes

Written by `python -m benchmarks.run_profile FOLDER`: {found["jobs"]} jobs on {found["machine"]} ({found["date"]}),
{minutes:.1f} minutes from the start of the first to the end of the last. The processor time of {found["measured_jobs"]}
jobs was measured; that of the others is their time by the clock.
{command}
| part | processor time | share |
|---|---|---|
{parts}

The records of provenance took {found["recording"]:.1f} s by the clock.
The longest chain of jobs that wait for one another takes {path / 60:.1f} minutes: {chain}.

| rule | jobs | processor, s | share | of which start-up, s | by the clock, s | peak memory, MB |
|---|---|---|---|---|---|---|
{rules}
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", nargs="?", type=Path, default=Path())
    options.add_argument("--write", metavar="NAME", help="keep it as benchmarks/profiles/NAME.md and NAME.json")
    options.add_argument("--time", type=Path, metavar="FILE", help="what `time -v` wrote of the command")
    chosen = options.parse_args()
    jobs = jobs_of(chosen.folder)
    if not jobs:
        raise SystemExit(f"{chosen.folder}: no finished run of the study here")
    found = profile(chosen.folder, jobs, chosen.time)
    print(page(found))
    if chosen.write:
        for suffix, content in ((".md", page(found)), (".json", json.dumps(found, indent=1) + "\n")):
            with atomic_path(HERE / "profiles" / f"{chosen.write}{suffix}") as temporary:
                temporary.write_text(content)


if __name__ == "__main__":
    main()
