"""Runs the steps behind a result again in a scratch folder, and compares their outputs with the recorded ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bpstudy.checksums import sha256
from bpstudy.provenance.edges import Edge, Job, Verdict, jobs_of

NOT_COPIED = {"results"}  # of the project; hidden files and folders stay as well


class RecomputeError(ValueError):
    """The steps cannot be run again; the message says why."""


@dataclass(frozen=True)
class Compared:
    """A recomputed file compared with the recorded one."""

    name: str
    verdict: Verdict
    detail: str


def recompute(
    file: Edge, results: Path, start: str | None = None, tolerance: float = 1e-9, cores: int = 1
) -> list[Compared]:
    """Run the last step behind a file again, or all steps from a given stage, and compare every file they write.

    Args:
        file: as returned by `Auditor.file`.
        start: a folder of the results (`training`) or a rule (`train`) from which steps are run again; earlier results
            are taken as they are.
        tolerance: for numbers, relative to the largest of their column; equal bytes are always equal.

    Raises:
        RecomputeError: the file has no record, no such stage is behind it, or a step fails.
    """
    if file.job is None:
        raise RecomputeError(f"{file.name}: {file.detail or 'it has no record'}; nothing can be run again")
    again = _jobs_from(file.job, start)
    rules = sorted({job.record.rule for job in again})
    made = {name: digest for job in again for name, digest in job.record.outputs.items()}
    with tempfile.TemporaryDirectory(prefix="bpstudy-recompute-") as folder:
        scratch = Path(folder)
        _project(
            scratch, {"Snakefile", "workflow", *(Path(name).parts[0] for job in again for name in job.record.code)}
        )
        for name in {name for job in again for name in job.record.inputs} - made.keys():
            if Path(name).is_relative_to(results):
                _copy(Path(name), scratch / name)
        _run(scratch, rules, list(file.job.record.outputs), file.job.record.internal.get("configuration"), cores)
        return [_compare(name, digest, scratch / name, tolerance) for name, digest in sorted(made.items())]


def _jobs_from(last: Job, start: str | None) -> list[Job]:
    """The last job alone, or the jobs from a stage up to the last."""
    if start is None:
        return [last]
    behind = jobs_of([Edge("file", "", Verdict.OK, job=last)])
    stages = {stage for job in behind for stage in _stages(job)}
    if start not in stages:
        raise RecomputeError(f"--from {start}: not behind this file; allowed: {', '.join(sorted(stages))}")
    chosen: dict[int, bool] = {}

    def is_chosen(job: Job) -> bool:
        if id(job) not in chosen:
            before = [is_chosen(edge.job) for edge in job.edges if edge.kind == "input" and edge.job is not None]
            chosen[id(job)] = start in _stages(job) or any(before)
        return chosen[id(job)]

    return [job for job in behind if is_chosen(job)]


def _stages(job: Job) -> set[str]:
    """The rule, and the folder of the results that it writes to."""
    return {job.record.rule, *(Path(name).parts[1] for name in job.record.outputs if len(Path(name).parts) > 2)}


def _project(scratch: Path, copied: Set[str]) -> None:
    """The project without its results; code is copied, since Snakemake would follow links to it."""
    for path in Path.cwd().iterdir():
        if path.name in NOT_COPIED or path.name.startswith("."):
            continue
        if path.name not in copied:
            (scratch / path.name).symlink_to(path)
        elif path.is_dir():
            shutil.copytree(path, scratch / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(path, scratch / path.name)


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise RecomputeError(f"{source} is missing, so that later steps cannot be run; start from an earlier stage")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _run(scratch: Path, rules: Sequence[str], targets: Sequence[str], configuration: Any, cores: int) -> None:
    """Let Snakemake run these rules only; everything else is taken as given."""
    told = configuration or {"files": [], "values": {}}
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--rerun-triggers", "mtime", "--nolock"]
    if told["files"]:
        command += ["--configfile", *told["files"]]
    if told["values"]:
        command += ["--config", *(f"{key}={json.dumps(value)}" for key, value in told["values"].items())]
    command += ["--allowed-rules", *rules, "--", *targets]
    sources = os.pathsep.join([str(scratch / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {
        "PYTHONPATH": sources,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    ended = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True)
    if ended.returncode:
        raise RecomputeError(f"the steps cannot be run again:\n{ended.stderr[-3000:]}")


def _compare(name: str, recorded: str, made: Path, tolerance: float) -> Compared:
    if not made.is_file():
        return Compared(name, Verdict.MISSING, "was not written this time")
    if sha256(made) == recorded:
        return Compared(name, Verdict.OK, "the same bytes")
    before = Path(name)
    if not before.is_file() or sha256(before) != recorded:
        return Compared(
            name, Verdict.UNVERIFIABLE, "different bytes, and the recorded file is not available for comparison"
        )
    try:
        largest = max((_deviation(*pair) for pair in zip(_numbers(before), _numbers(made), strict=True)), default=None)
    except (ValueError, TypeError):  # no numbers in it, or not as many
        return Compared(name, Verdict.CHANGED, "different bytes")
    if largest is None or not largest <= tolerance:
        return Compared(
            name, Verdict.CHANGED, f"different values, by {largest:.1e} of the largest" if largest else "different text"
        )
    return Compared(name, Verdict.OK, f"the same values within {largest:.1e} of the largest (allowed {tolerance:.1e})")


def _deviation(before: np.ndarray, after: np.ndarray) -> float:
    """Largest difference relative to the largest value; what is not a number must be equal."""
    if before.shape != after.shape:
        raise ValueError("different shapes")
    if before.dtype.kind not in "fiu":
        return 0.0 if (before == after).all() else np.inf
    if not (np.isnan(before) == np.isnan(after)).all():
        return np.inf
    scale = np.nanmax(np.abs(before), initial=0.0)
    return float(np.nanmax(np.abs(after - before), initial=0.0) / scale) if scale else float(np.nanmax(np.abs(after)))


def _numbers(path: Path) -> Iterator[np.ndarray]:
    """The columns of a table, or an array.

    Raises:
        ValueError: the file holds neither.
    """
    if path.suffix == ".csv":
        table = pd.read_csv(path)
        yield from (table[column].to_numpy() for column in table)
    elif path.suffix == ".npy":
        yield np.load(path)
    else:
        raise ValueError("neither a table nor an array")
