"""Code shared by all jobs of the workflow that run a script."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bpstudy.provenance.recording import recorded


def share_package() -> None:
    """Let the jobs started by this process import this package, whatever environment they run in."""
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def share_interpreter() -> None:
    """Let `python` in the shell commands of this process's jobs be this interpreter, activated or not."""
    folder = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Redirect all output, including that of compiled code, to the job's log; wrong input gives one clear message.

    A successful job leaves a record of what it read, used and wrote (`bpstudy audit`).

    Wrong input raises ValueError or ArithmeticError (a fit that diverges); anything else is a bug and keeps its
    traceback.
    """
    with Path(snakemake.log[0]).open("w") as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())
    try:
        with recorded(snakemake):
            yield
    except (ValueError, ArithmeticError) as error:
        if os.environ.get("BPSTUDY_TRACEBACK"):
            raise
        sys.exit(f"{snakemake.rule} failed: {error}")
