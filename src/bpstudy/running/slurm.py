"""Jobs left in SLURM by a Snakemake that was killed.

A Snakemake that is killed cannot cancel its jobs. The next one knows nothing of them and would submit the same jobs
again: two processes would write one file, and a pending job could replace a file that others are reading.
"""

import getpass
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_FIELDS = "%i|%T|%M|%j|%k|%Z"  # id, state, time used, run, comment (the rule), folder


class OrphanError(ValueError):
    """SLURM has orphaned jobs of this folder; the message names them and says what to do."""


@dataclass(frozen=True)
class SlurmJob:
    """A job in SLURM's queue."""

    id: str
    state: str
    used: str
    run: str
    rule: str

    def __str__(self) -> str:
        return f"{self.id}  {self.rule}  {self.state}  {self.used}  run {self.run}"


def jobs_of(folder: Path) -> list[SlurmJob]:
    """This user's pending or running jobs submitted by a Snakemake from `folder`; none without SLURM.

    Raises:
        OrphanError: SLURM is here but does not answer.
    """
    if shutil.which("squeue") is None:
        return []
    found = []
    for line in _slurm("squeue", "--noheader", "--user", getpass.getuser(), "--format", _FIELDS).splitlines():
        job, state, used, run, comment, where = line.split("|", 5)
        if comment.startswith("rule_") and Path(where).resolve() == folder.resolve():
            found.append(SlurmJob(job, state, used, run, comment.removeprefix("rule_")))
    return found


def refuse_orphans(folder: Path) -> None:
    """Called when a Snakemake starts in `folder`, before it submits its first job.

    If SLURM does not answer, jobs can still run locally, so that this gives a warning only.

    Raises:
        OrphanError: there are still jobs of an earlier Snakemake.
    """
    try:
        orphans = jobs_of(folder)
    except OrphanError as error:
        print(f"warning: {error}; it is not known whether SLURM still has jobs of this folder", file=sys.stderr)
        return
    if orphans:
        listed = "".join(f"\n  {job}" for job in orphans)
        raise OrphanError(
            f"SLURM still has jobs of an earlier Snakemake in this folder; nothing was started:{listed}\n"
            "Cancel them with `bpstudy orphans --cancel`, or wait until they have ended."
        )


def cancel_orphans(folder: Path) -> list[SlurmJob]:
    """Cancel the jobs of `folder`.

    Raises:
        OrphanError: the folder is locked, so that they may belong to a running Snakemake.
    """
    if any((folder / ".snakemake" / "locks").glob("*.lock")):
        raise OrphanError(
            "the folder is locked: a Snakemake runs here or was killed. If none runs: `snakemake --unlock`"
        )
    orphans = jobs_of(folder)
    if orphans:
        _slurm("scancel", *(job.id for job in orphans))
    return orphans


def _slurm(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split()) or f"exit code {error.returncode}"
    except subprocess.TimeoutExpired:
        reason = "no answer in 60 s"
    raise OrphanError(f"{command[0]}: {reason}")
