"""Starting velocities: those of the structure where their unit is clear, otherwise drawn, and reported in any case."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from ase import Atoms, units
from ase.io import read

from bpstudy.data.sound import check_atoms

DRAW = "draw"
UNITS = {"A/fs": 1 / units.fs, "A/ps": 1 / (1000 * units.fs), "ase": 1.0}
"""What a velocity is multiplied by to be in ASE's own unit, Å √(u/eV)⁻¹."""

_NAMES = {"v", "vel", "velo", "velocity", "velocities"}


def read_structure(path: str | Path) -> Atoms:
    """The last frame of any file ASE reads.

    Raises:
        ValueError: ASE cannot read it, or it has no atoms.
    """
    try:
        atoms = cast(Atoms, read(path, do_not_split_by_at_sign=True))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except Exception as error:  # ASE's readers raise whatever the damage causes
        raise ValueError(f"{path}: ASE cannot read it ({type(error).__name__}: {error})") from None
    check_atoms(atoms, str(path))
    return atoms


def take_velocities(atoms: Atoms, asked: str | None = None) -> str:
    """Give `atoms` the momenta to start from, or none if they are to be drawn; returns a description.

    ASE's momenta are taken as they are. Velocities in a column of another name (vel, velo, velocities, …) have no unit
    in the file, so that `asked` must name it.

    Args:
        asked: None, one of `UNITS`, or `DRAW` to ignore what the structure has.

    Raises:
        ValueError: velocities whose unit is not given, a unit but no such velocities, or values that are not finite.
    """
    if asked not in (None, DRAW, *UNITS):
        raise ValueError(f"--velocities {asked}: allowed are {DRAW}, {', '.join(UNITS)}")
    columns = [
        name for name, values in atoms.arrays.items() if name.lower() in _NAMES and values.shape == (len(atoms), 3)
    ]
    momenta = atoms.get_momenta()
    if not np.isfinite(momenta).all():
        raise ValueError("the structure's momenta are not finite")
    if asked == DRAW:
        atoms.set_momenta(np.zeros_like(momenta))
        return "drawn, as asked"
    if asked in UNITS:
        if len(columns) != 1:
            raise ValueError(
                f"--velocities {asked}: the structure has {len(columns)} columns of velocities ({_listed(columns)}); "
                "one is needed (vel, velo, velocity or velocities)"
            )
        values = np.asarray(atoms.arrays[columns[0]], float) * UNITS[asked]
        if not np.isfinite(values).all():
            raise ValueError(f"the structure's {columns[0]} are not finite")
        atoms.set_velocities(values)
        return f"{columns[0]} of the structure, in {asked}"
    if momenta.any():
        return "momenta of the structure"
    if columns:
        raise ValueError(
            f"the structure has velocities under {_listed(columns)}, whose unit the file does not give: name it with "
            f"--velocities {' or '.join(UNITS)}, or use --velocities {DRAW}"
        )
    zero = "the structure's momenta are all zero" if atoms.has("momenta") else "the structure has none"
    return f"drawn, since {zero}"


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
