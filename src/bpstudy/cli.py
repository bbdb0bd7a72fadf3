"""The `bpstudy` command."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn, cast

import typer
import yaml
from rich.console import Console

from bpstudy.config.study import ConfigError, load, schema_json
from bpstudy.dynamics import archive as archives
from bpstudy.provenance.cli import audit, crate
from bpstudy.provenance.restored import record_restored
from bpstudy.running import doctor as doctors
from bpstudy.running import slurm

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
config_app = typer.Typer(no_args_is_help=True, help="The configuration of the study.")
app.add_typer(config_app, name="config")
app.command()(audit)
app.command()(crate)


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
        chunks = results / "dynamics" / system / "chunks"
        restored = archives.restore(source / system, chunks)
        for number in restored:
            record_restored(results, source / system, chunks, number)
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


@app.command()
def md(
    model: Annotated[Path, typer.Argument(help="folder of a fit: results/training/<experiment>/seed-<n>")],
    structure: Annotated[Path, typer.Argument(help="any file ASE reads; its last frame is taken")],
    nve: Annotated[bool, typer.Option("--nve", help="at constant energy")] = False,
    nvt: Annotated[bool, typer.Option("--nvt", help="in a heat bath (Langevin)")] = False,
    steps: Annotated[int, typer.Option(help="of the integrator")] = 1000,
    timestep: Annotated[float, typer.Option(help="fs")] = 1.0,
    temperature: Annotated[float, typer.Option(help="of the bath, and of velocities that are drawn, K")] = 300.0,
    friction: Annotated[float, typer.Option(help="coupling to the bath, 1/fs")] = 0.01,
    repeat: Annotated[int, typer.Option(help="a supercell, so many times along each axis", min=1)] = 1,
    every: Annotated[int, typer.Option(help="steps from one kept frame to the next")] = 10,
    seed: Annotated[int, typer.Option(help="of velocities and the bath", min=0)] = 0,
    threads: Annotated[int, typer.Option(help="that share the atoms; the numbers do not depend on it", min=1)] = 1,
    stop: Annotated[bool, typer.Option("--stop", help="at the first atom unlike those of the training")] = False,
    output: Annotated[Path, typer.Option(help="trajectory to write; its energies go beside it, .csv")] = Path(
        "md.traj"
    ),
) -> None:
    """Molecular dynamics with a fitted network."""
    from ase import Atoms
    from ase.io import read

    from bpstudy.files import write_table
    from bpstudy.potential.calculator import Potential
    from bpstudy.potential.md import Run, drift, run_to_file, supercell

    try:
        if nve == nvt:
            raise ValueError("--nve or --nvt: choose one")
        settings = Run(steps, timestep, temperature, friction if nvt else None, every, seed)
        potential = Potential(model, "stop" if stop else "warn", threads=threads)
        try:
            atoms = cast(Atoms, read(structure))
        except Exception as error:  # ASE's readers raise whatever the damage causes
            raise ValueError(f"{structure}: ASE cannot read it ({type(error).__name__}: {error})") from None
        atoms = supercell(atoms, (repeat, repeat, repeat))
        table = run_to_file(atoms, potential, settings, output)
    except (OSError, ValueError) as error:
        _fail(error)
    write_table(output.with_suffix(".csv"), table)
    speed = len(atoms) * steps / table["seconds"].iloc[-1]
    print(f"{len(atoms)} atoms, {steps} steps of {timestep:g} fs, {speed:.3g} atom steps a second")
    print(f"temperature {table['temperature_kelvin'].mean():.0f} K, {potential.extrapolations} structures outside")
    if nve:
        slope, scatter = drift(table, len(atoms))
        print(f"total energy: drift {slope:.2g} meV/atom/ps, {scatter:.2g} meV/atom RMS about it")
    print(f"written: {output}, {output.with_suffix('.csv')}")


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="folder of a fit: results/training/<experiment>/seed-<n>")],
    folder: Annotated[Path, typer.Argument(help="where n2p2's files go")],
) -> None:
    """Write a fitted network in the files of n2p2."""
    from bpstudy.potential.calculator import Potential
    from bpstudy.potential.n2p2 import export as write

    try:
        files = write(Potential(model), folder)
    except (OSError, ValueError) as error:
        _fail(error)
    print(f"written: {', '.join(map(str, files))}")


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
