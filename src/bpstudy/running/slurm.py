"""Jobs that a Snakemake which is no more has left in SLURM.

A Snakemake that is killed cannot cancel its jobs. One that starts after it knows nothing of them and would send the
same jobs again: two processes would compute one file, and a job that waits could replace a file that others read.
"""

import getpass
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_FIELDS = "%i|%T|%M|%j|%k|%Z"  # id, state, time used, run, comment (the rule), folder


class OrphanError(ValueError):
    """SLURM has jobs of this folder that no Snakemake waits for; the message names them and says what to do."""


@dataclass(frozen=True)
class SlurmJob:
    """A job as SLURM's queue shows it."""

    id: str
    state: str
    used: str
    run: str
    rule: str

    def __str__(self) -> str:
        return f"{self.id}  {self.rule}  {self.state}  {self.used}  run {self.run}"


def jobs_of(folder: Path) -> list[SlurmJob]:
    """This user's jobs, waiting or running, that a Snakemake sent from `folder`; none where there is no SLURM.

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
    """Called when a Snakemake starts in `folder`, before it sends its first job.

    Where SLURM does not answer, no job can be sent to it, but jobs can run here: that is a warning only.

    Raises:
        OrphanError: jobs of an earlier Snakemake are still there.
    """
    try:
        orphans = jobs_of(folder)
    except OrphanError as error:
        print(f"warning: {error}; whether SLURM still has jobs of this folder is not known", file=sys.stderr)
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
        OrphanError: the folder is locked, so they may be the jobs of a Snakemake that runs.
    """
    if any((folder / ".snakemake" / "locks").glob("*.lock")):
        raise OrphanError(
            "the folder is locked: a Snakemake runs here, or was killed. If none runs: `snakemake --unlock`, then again"
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
