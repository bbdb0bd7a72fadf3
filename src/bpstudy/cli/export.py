"""`bpstudy export`."""

from pathlib import Path
from typing import Annotated

import typer

from bpstudy.cli.messages import fail


def export(
    model: Annotated[Path, typer.Argument(help="folder of a fit: results/training/<experiment>/seed-<n>")],
    folder: Annotated[Path, typer.Argument(help="folder to write to")],
) -> None:
    """Write a fitted network in the format of n2p2."""
    from bpstudy.potential.calculator import Potential
    from bpstudy.potential.n2p2 import export as write

    try:
        files = write(Potential(model), folder)
    except (OSError, ValueError) as error:
        fail(error)
    print(f"written: {', '.join(map(str, files))}")
