"""`bpstudy archive` and `bpstudy restore`."""

from pathlib import Path
from typing import Annotated

import typer

from bpstudy.cli.messages import fail
from bpstudy.dynamics import archive as archives
from bpstudy.dynamics.datapackage import describe
from bpstudy.provenance.restored import record_restored


def archive(
    system: Annotated[str, typer.Argument(help="name of a simulated system")],
    results: Annotated[Path, typer.Option(help="the results folder")] = Path("results"),
    into: Annotated[Path, typer.Option(help="folder of the archive")] = Path("resources/trajectories"),
) -> None:
    """Archive the finished chunks of a system's dynamics that are not archived yet."""
    try:
        added = archives.add(results / "dynamics" / system / "chunks", into / system)
        describe(into)
    except archives.ArchiveError as error:
        fail(error)
    print(f"{system}: {len(added)} chunks added, {len(archives.archived(into / system))} in the archive")


def restore(
    system: Annotated[str, typer.Argument(help="name of a simulated system")],
    results: Annotated[Path, typer.Option(help="the results folder")] = Path("results"),
    source: Annotated[Path, typer.Option("--from", help="folder of the archive")] = Path("resources/trajectories"),
) -> None:
    """Restore archived chunks to the results, so that the dynamics continues from the last one."""
    try:
        chunks = results / "dynamics" / system / "chunks"
        restored = archives.restore(source / system, chunks)
        for number in restored:
            record_restored(results, source / system, chunks, number)
    except archives.ArchiveError as error:
        fail(error)
    print(f"{system}: {len(restored)} chunks restored")
