"""`bpstudy doctor`."""

from pathlib import Path

import typer
from rich.console import Console

from bpstudy.running import doctor as doctors


def doctor() -> None:
    """Check this machine and advise what to install or change."""
    checks = doctors.examine(Path.cwd())
    Console().print(doctors.table(checks))
    raise typer.Exit(1 if any(check.status == "problem" for check in checks) else 0)
