"""Distances between atoms: the shortest, and smooth counts of all that do not depend on how a structure is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import NDArray

from bpstudy.symmetry.search import Pairs, find_pairs

ALONE_ANGSTROM = 6.0  # atoms without neighbours within it have symmetry functions of zero, whatever the usual cutoff
_REACHES = (ALONE_ANGSTROM, 12.0, 24.0)  # Å: the further ones for frames of atoms that are all alone
_BUMPS = np.arange(2, 13) / 15  # centres of the bumps, of the reach
_WIDTH = 1 / 15


@dataclass(frozen=True)
class Distances:
    """The pairs of a frame.

    Attributes:
        pairs: ordered pairs within `reach_angstrom`.
        shortest_angstrom: between two atoms or their images; NaN without pairs.
        shortest_bond: the least ratio of a distance to the sum of the two covalent radii; NaN without pairs.
        alone: atoms without a neighbour within 6 Å.
    """

    pairs: Pairs
    reach_angstrom: float
    shortest_angstrom: float
    shortest_bond: float
    alone: int


def distances(atoms: Atoms) -> Distances:
    """Pairs within 6 Å; within 12 or 24 Å if no atom has a neighbour before."""
    alone = len(atoms)
    for reach in _REACHES:
        pairs, _ = find_pairs(atoms, reach)
        first, second, distance, _ = pairs
        if reach == ALONE_ANGSTROM:
            alone = len(atoms) - len(np.unique(first))
        if len(distance):
            break
    radii = covalent_radii[atoms.numbers]
    ratio = distance / (radii[first] + radii[second])
    least = (float(distance.min()), float(ratio.min())) if len(distance) else (np.nan, np.nan)
    return Distances(pairs, reach, *least, alone)


def bumps(distance: NDArray[np.float64], reach: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gaussians of distances (n_bumps, n_pairs), in Å, and their derivatives; they vanish smoothly at `reach`.

    f(r) = w exp(−(r − c)²/2w²) · (1 − (r/R)²)², with centres c at equal distances and w = R/15.
    """
    width = _WIDTH * reach
    apart = (distance - _BUMPS[:, None] * reach) / width
    gauss = width * np.exp(-(apart**2) / 2)
    inside = np.maximum(1 - (distance / reach) ** 2, 0)
    slope = -apart / width * gauss * inside**2 - 4 * distance / reach**2 * inside * gauss
    return gauss * inside**2, slope
