"""The `bpstudy` command."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import yaml
from rich.console import Console

from bpstudy import archive as archives
from bpstudy import doctor as doctors
from bpstudy import slurm
from bpstudy.config.study import ConfigError, load, schema_json
from bpstudy.provenance.cli import audit

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
config_app = typer.Typer(no_args_is_help=True, help="The configuration of the study.")
app.add_typer(config_app, name="config")
app.command()(audit)


def _fail(error: Exception) -> NoReturn:
    Console(stderr=True).print(f"error: {error}", style="red", highlight=False, markup=False)
    raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Look at this machine and say what to do."""
    checks = doctors.examine(Path.cwd())
    Console().print(doctors.table(checks))
    raise typer.Exit(1 if any(check.status == "problem" for check in checks) else 0)


@app.command()
def archive(
    system: Annotated[str, typer.Argument(help="name of a simulated system")],
    results: Annotated[Path, typer.Option(help="the results folder")] = Path("results"),
    into: Annotated[Path, typer.Option(help="the archive")] = Path("resources/trajectories"),
) -> None:
    """Archive the finished chunks of a system's dynamics that the archive does not hold yet."""
    try:
        added = archives.add(results / "dynamics" / system / "chunks", into / system)
    except archives.ArchiveError as error:
        _fail(error)
    print(f"{system}: {len(added)} chunks added, {len(archives.archived(into / system))} in the archive")


@app.command()
def restore(
    system: Annotated[str, typer.Argument(help="name of a simulated system")],
    results: Annotated[Path, typer.Option(help="the results folder")] = Path("results"),
    source: Annotated[Path, typer.Option("--from", help="the archive")] = Path("resources/trajectories"),
) -> None:
    """Put archived chunks back into the results, so that the dynamics goes on from the last of them."""
    try:
        restored = archives.restore(source / system, results / "dynamics" / system / "chunks")
    except archives.ArchiveError as error:
        _fail(error)
    print(f"{system}: {len(restored)} chunks restored")


@app.command()
def orphans(
    cancel: Annotated[bool, typer.Option("--cancel", help="cancel them")] = False,
) -> None:
    """List the jobs in SLURM that a killed Snakemake left in this folder."""
    try:
        found = slurm.cancel_orphans(Path.cwd()) if cancel else slurm.jobs_of(Path.cwd())
    except slurm.OrphanError as error:
        _fail(error)
    print("\n".join(map(str, found)) or "none")


@config_app.command()
def check(files: Annotated[list[Path], typer.Argument(help="config.yaml and the overlays on it, in order")]) -> None:
    """Validate configuration files without running anything."""
    from snakemake.utils import update_config  # as the workflow lays them over each other

    values: dict = {}
    try:
        for file in files:
            update_config(values, yaml.safe_load(file.read_text()) or {})
        study = load(values)
    except (ConfigError, OSError, yaml.YAMLError, AttributeError, TypeError) as error:
        _fail(error)
    runs = len(study.experiments) * len(study.seeds)
    print(f"valid: {len(study.systems)} systems, {len(study.experiments)} experiments, {runs} trainings")


@config_app.command()
def schema() -> None:
    """Print the JSON schema of the configuration."""
    sys.stdout.write(schema_json())


if __name__ == "__main__":
    app()
