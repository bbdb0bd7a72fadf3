"""The ideal crystal at several volumes and strains, deliberately outside the training domain of the networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.units import GPa

from bpstudy.config.systems import Crystal
from bpstudy.dynamics.crystals import build_crystal


def crystals(crystal: Crystal, volumes: Sequence[float]) -> list[Atoms]:
    """The ideal crystal at volumes relative to its own."""
    found = []
    for volume in volumes:
        atoms = build_crystal(crystal)
        atoms.set_cell(atoms.cell * volume ** (1 / 3), scale_atoms=True)
        found.append(atoms)
    return found


def with_volumes(frames: Sequence[Atoms], volumes: Sequence[float]) -> pd.DataFrame:
    """volume (relative) and volume_angstrom3_per_atom of each structure."""
    per_atom = [frame.get_volume() / len(frame) for frame in frames]
    return pd.DataFrame({"volume": list(volumes), "volume_angstrom3_per_atom": per_atom})


def elastic_constants(crystal: Crystal, calculator: Calculator, strain: float) -> pd.DataFrame:
    """C11, C12 and C44 (GPa) of the ideal crystal at its own volume: slopes of the Cauchy stress against strain.

    C11 = dσxx/dεxx, C12 = dσyy/dεxx and C44 = dσyz/dγyz, γyz = 2 εyz, along the Cartesian axes, by central differences
    over εxx = ± `strain` and εyz = ± `strain`. Where the crystal is under pressure these are the Birch coefficients
    (D. C. Wallace, Thermodynamics of Crystals, 1972), not the second derivatives of the energy. Atoms are not relaxed:
    in a lattice of inversion centres they do not move. The Pulay stress, a constant pressure, cancels.

    Returns:
        constant, gpa.
    """
    slopes = {}
    for voigt, (i, j) in ((0, (0, 0)), (3, (1, 2))):
        pair = []
        for sign in (1, -1):
            deformation = np.zeros((3, 3))
            deformation[i, j] = deformation[j, i] = sign * strain
            atoms = build_crystal(crystal)
            atoms.set_cell(atoms.cell @ (np.eye(3) + deformation), scale_atoms=True)
            atoms.calc = calculator
            pair.append(atoms.get_stress())
        slopes[voigt] = (pair[0] - pair[1]) / (2 * strain) / GPa
    found = {"C11": slopes[0][0], "C12": slopes[0][1], "C44": slopes[3][3] / 2}
    return pd.DataFrame({"constant": list(found), "gpa": list(found.values())})
