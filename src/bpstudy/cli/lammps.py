"""`bpstudy lammps`."""

from pathlib import Path
from typing import Annotated, cast

import typer

from bpstudy.cli.messages import fail


def lammps(
    model: Annotated[Path, typer.Argument(help="folder of a fit: results/training/<experiment>/seed-<n>")],
    structure: Annotated[Path, typer.Argument(help="any file ASE reads; its last frame is taken")],
    folder: Annotated[Path, typer.Option("--output", "-o", help="folder to write to")] = Path("lammps"),
) -> None:
    """Write a LAMMPS run of a structure with a fitted network: structure, commands and the script that runs them."""
    from ase import Atoms
    from ase.io import read

    from bpstudy.potential.calculator import Potential
    from bpstudy.potential.lammps import write_input

    try:
        potential = Potential(model)
        try:
            atoms = cast(Atoms, read(structure))
        except Exception as error:  # ASE's readers raise whatever the damage causes
            raise ValueError(f"{structure}: ASE cannot read it ({type(error).__name__}: {error})") from None
        potential.check(atoms)
        cutoff = potential.cutoff
        files = write_input(atoms, model, cutoff, folder)
    except (OSError, ValueError) as error:
        fail(error)
    print(f"written: {', '.join(map(str, files))}\nrun it with: python {files[-1]}")
