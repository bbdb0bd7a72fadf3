"""`bpstudy config check` and `bpstudy config schema`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from bpstudy.cli.messages import fail
from bpstudy.config.study import ConfigError, load, schema_json

app = typer.Typer(no_args_is_help=True, help="The configuration of the study.")


@app.command()
def check(files: Annotated[list[Path], typer.Argument(help="config.yaml and the overlays on it, in order")]) -> None:
    """Validate configuration files without running anything."""
    from snakemake.utils import update_config  # as the workflow lays them over each other

    values: dict = {}
    try:
        for file in files:
            update_config(values, yaml.safe_load(file.read_text()) or {})
        study = load(values)
    except (ConfigError, OSError, yaml.YAMLError, AttributeError, TypeError) as error:
        fail(error)
    runs = len(study.experiments) * len(study.seeds)
    print(f"valid: {len(study.systems)} systems, {len(study.experiments)} experiments, {runs} trainings")


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration."""
    sys.stdout.write(schema_json())
