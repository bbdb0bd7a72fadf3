"""`bpstudy md`."""

from pathlib import Path
from typing import Annotated, cast

import typer

from bpstudy.cli.messages import fail


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
        fail(error)
    write_table(output.with_suffix(".csv"), table)
    speed = len(atoms) * steps / table["seconds"].iloc[-1]
    print(f"{len(atoms)} atoms, {steps} steps of {timestep:g} fs, {speed:.3g} atom steps a second")
    print(f"temperature {table['temperature_kelvin'].mean():.0f} K, {potential.extrapolations} structures outside")
    if nve:
        slope, scatter = drift(table, len(atoms))
        print(f"total energy: drift {slope:.2g} meV/atom/ps, {scatter:.2g} meV/atom RMS about it")
    print(f"written: {output}, {output.with_suffix('.csv')}")
