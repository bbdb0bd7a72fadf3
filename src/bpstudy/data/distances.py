"""Shortest distances, and atoms that are alone."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from bpstudy.symmetry.search import find_pairs

ALONE_ANGSTROM = 6.0  # atoms without neighbours within it have symmetry functions of zero, whatever the usual cutoff
_STEPS_ANGSTROM = (3.0, ALONE_ANGSTROM)


def shortest_angstrom(atoms: Atoms) -> tuple[float, int]:
    """(shortest distance between two atoms or their images, number of atoms without a neighbour within 6 Å).

    The distance is NaN where there is none within 6 Å.
    """
    shortest, alone = np.nan, len(atoms)
    for cutoff in _STEPS_ANGSTROM:  # the short search suffices for most, and holds few pairs of large frames
        (centres, _, distances, _), _ = find_pairs(atoms, cutoff)
        if len(distances):
            shortest = float(distances.min())
        alone = len(atoms) - len(np.unique(centres))
        if not alone:
            break
    return shortest, alone
