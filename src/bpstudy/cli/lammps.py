"""`bpstudy lammps`."""

from pathlib import Path
from typing import Annotated

import typer

from bpstudy.cli.messages import fail


def lammps(
    model: Annotated[Path, typer.Argument(help="folder of a fit: results/training/<experiment>/seed-<n>")],
    structure: Annotated[Path, typer.Argument(help="structure, any format of ASE; the last frame is used")],
    folder: Annotated[Path, typer.Option("--output", "-o", help="folder to write to")] = Path("lammps"),
) -> None:
    """Write the input of a LAMMPS run with a fitted network: the structure, the commands and a script to run them."""
    from bpstudy.potential.calculator import Potential
    from bpstudy.potential.lammps import write_input
    from bpstudy.potential.velocities import read_structure

    try:
        potential = Potential(model)
        atoms = read_structure(structure)
        potential.check(atoms)
        files = write_input(atoms, model, potential.cutoff, folder)
    except (OSError, ValueError) as error:
        fail(error)
    print(f"written: {', '.join(map(str, files))}\nrun it with: python {files[-1]}")
