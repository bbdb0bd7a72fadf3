"""`bpstudy config check` and `bpstudy config schema`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bpstudy.cli.messages import fail
from bpstudy.config.base import ConfigError
from bpstudy.config.files import merged
from bpstudy.config.study import schema_json
from bpstudy.data.prepare import prepare

app = typer.Typer(no_args_is_help=True, help="Check the configuration of the study, or print its schema.")


@app.command()
def check(files: Annotated[list[Path], typer.Argument(help="config.yaml, followed by the overlays in order")]) -> None:
    """Validate configuration files, and the data they name, without running anything."""
    try:
        prepared = prepare(merged(files))
    except ConfigError as error:
        fail(error)
    study = prepared.study
    runs = len(study.experiments) * len(study.seeds)
    unused = [name for name in study.systems if name not in study.used_systems]
    print(f"valid: {len(study.systems)} systems, {len(study.experiments)} experiments, {runs} trainings")
    for line in prepared.left_out:
        print(line)
    if unused:
        print(f"not computed, since no frames, unit_functions or runs name them: {', '.join(unused)}")


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration."""
    sys.stdout.write(schema_json())
