"""Fixed atoms in molecular dynamics, and the degrees of freedom that remain."""

from __future__ import annotations

import numpy as np
from ase import Atoms, units
from ase.constraints import FixAtoms, FixCartesian, FixCom
from numpy.typing import NDArray


def fixed_coordinates(atoms: Atoms) -> NDArray[np.bool_]:
    """Which Cartesian coordinates (n_atoms, 3) are fixed.

    Raises:
        ValueError: a constraint other than ASE's FixAtoms, FixCartesian and FixCom, which dynamics would not keep or
            whose degrees of freedom would be miscounted; or all coordinates are fixed.
    """
    fixed = np.zeros((len(atoms), 3), bool)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            fixed[constraint.index] = True
        elif isinstance(constraint, FixCartesian):
            fixed[constraint.index] |= constraint.mask
        elif type(constraint) is not FixCom:
            raise ValueError(
                f"the structure has the constraint {type(constraint).__name__}, which is not supported in dynamics; "
                "remove it, or write it as FixAtoms or FixCartesian"
            )
    if fixed.all():
        raise ValueError("all atoms of the structure are fixed; free some of them for dynamics")
    return fixed


def at_rest(fixed: NDArray[np.bool_], has_bath: bool) -> NDArray[np.bool_]:
    """Cartesian axes (3,) along which the centre of mass stays at rest: total momentum is conserved, or kept at zero.

    Without a bath these are the axes along which no atom is fixed. The bath conserves nothing; where no atom is fixed,
    `bpstudy.potential.md.run` keeps the centre of mass at rest itself.
    """
    return np.full(3, not fixed.any()) if has_bath else np.logical_not(fixed.any(axis=0))


def kinetic_temperature(atoms: Atoms, fixed: NDArray[np.bool_], resting: NDArray[np.bool_]) -> float:
    """T = 2 (E_kin − P²/2M) / (k_B f), K, with f = free coordinates − axes at rest, and P the momentum along those."""
    momentum = atoms.get_momenta().sum(axis=0)[resting]
    internal = atoms.get_kinetic_energy() - (momentum**2).sum() / (2 * atoms.get_masses().sum())
    return float(2 * internal / (int((~fixed).sum() - resting.sum()) * units.kB))
