"""Processor time of a whole run of the workflow, for `benchmarks/run_profile.py`."""

import datetime
import json
import os
from pathlib import Path

RUNS = Path("results/logs/runs.jsonl")


def note_run(file: Path = RUNS) -> None:
    """Append what this Snakemake took, itself and its jobs on this machine: called when it ends."""
    own, jobs = sum(os.times()[:2]), sum(os.times()[2:4])
    row = {
        "ended": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "snakemake_processor_seconds": round(own, 2),
        "jobs_processor_seconds": round(jobs, 2),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(json.dumps(row) + "\n")
