"""`bpstudy orphans`."""

from pathlib import Path
from typing import Annotated

import typer

from bpstudy.cli.messages import fail
from bpstudy.running import slurm


def orphans(
    cancel: Annotated[bool, typer.Option("--cancel", help="cancel them")] = False,
) -> None:
    """List the SLURM jobs that a killed Snakemake left behind in this folder."""
    try:
        found = slurm.cancel_orphans(Path.cwd()) if cancel else slurm.jobs_of(Path.cwd())
    except slurm.OrphanError as error:
        fail(error)
    print("\n".join(map(str, found)) or "none")
