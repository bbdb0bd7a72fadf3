"""Defects that make a frame unusable, reported with file and number before anything is computed from it."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from bpstudy.data.errors import TrajectoryError
from bpstudy.symmetry.search import find_pairs

OVERLAPPING_ANGSTROM = 0.1  # the symmetry functions refuse it too
_SEARCHED_ANGSTROM = 1.0  # cells as small as 0.1 Å would be too many
DENSEST = 1.0  # atoms/Å³; hydrogen at the centre of Jupiter has not as many
THINNEST = 1e-6  # Å, and volume of the cell over that of a cuboid of its lengths


def check_atoms(atoms: Atoms, where: str) -> None:
    """Raises:
    TrajectoryError: no atoms, an atom of no element, values or masses that are no numbers, a periodic axis without a
        cell vector, a cell without volume or of impossible density, or two atoms at the same place.
    """
    if not len(atoms):
        raise TrajectoryError(f"{where}: has no atoms")
    if not ((atoms.numbers > 0) & (atoms.numbers < len(chemical_symbols))).all():
        odd = int(np.argmin((atoms.numbers > 0) & (atoms.numbers < len(chemical_symbols))))
        raise TrajectoryError(f"{where}: atom {odd} is of no element (X)")
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise TrajectoryError(f"{where}: positions or cell are not finite")
    masses = atoms.get_masses()
    if not (np.isfinite(masses).all() and (masses > 0).all()):
        odd = int(np.argmin(np.isfinite(masses) & (masses > 0)))
        raise TrajectoryError(
            f"{where}: the mass of atom {odd} is {masses[odd]:g}; it must be above 0 (atomic mass units)"
        )
    _check_cell(atoms, where)
    (first, second, distance, _), _ = find_pairs(atoms, _SEARCHED_ANGSTROM)
    if len(distance) and distance.min() < OVERLAPPING_ANGSTROM:
        nearest = int(distance.argmin())
        one, other = sorted((int(first[nearest]), int(second[nearest])))
        raise TrajectoryError(
            f"{where}: atoms {one} and {other} are {distance[nearest]:.2g} Å apart: at the same place; remove one"
        )


def _check_cell(atoms: Atoms, where: str) -> None:
    lattice = atoms.cell.array[atoms.pbc]
    lengths = np.linalg.norm(lattice, axis=1)
    if (lengths < THINNEST).any():
        raise TrajectoryError(
            f"{where}: is periodic along an axis without a cell vector; give the cell (Lattice), or pbc False"
        )
    if len(lattice) == 0:
        return
    if np.sqrt(abs(np.linalg.det(lattice @ lattice.T))) < THINNEST * lengths.prod():
        raise TrajectoryError(f"{where}: the periodic cell vectors {lattice.tolist()} are not independent")
    density = len(atoms) / atoms.cell.volume if len(lattice) == 3 else 0.0
    if density > DENSEST:
        raise TrajectoryError(
            f"{where}: {density:.3g} atoms per Å³ are too many for matter; is another unit than Å meant (nm)?"
        )
