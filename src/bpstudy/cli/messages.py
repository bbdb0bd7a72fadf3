"""What every command says when something is wrong."""

from typing import NoReturn

import typer
from rich.console import Console


def fail(error: Exception) -> NoReturn:
    """Print the error, without a traceback, and end with exit code 1."""
    Console(stderr=True).print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(1)
