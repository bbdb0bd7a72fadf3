"""Derivatives for the pairs of atoms that see each other, and their sums over the centres.

Blocks (`RadialBlock`, `AngularGroup`) give dGᵢf/drₚ, the pull of centre i on each of its neighbours p. Here pulls
become derivatives with respect to the atoms, whose images move together, and to the strain of the cell. Memory is that
of the result and of the pulls of some centres.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from bpstudy.symmetry.compiled import compiled
from bpstudy.symmetry.neighbors import Neighbors

_BYTES = 2**20  # of the pulls at one time: they should stay in the cache


class Block(Protocol):
    """Functions that share work."""

    def gradients(self, near: Neighbors, rows: np.ndarray, n_rows: int) -> np.ndarray:
        """The sum of dGᵢf/drₚ over the neighbours p of each row, (n_rows, 3, n_functions)."""


Blocks = Iterable[tuple[np.ndarray, Block]]
"""Columns in the set, and the functions that stand there."""


@compiled
def _add_sums(start, first, atom, vector, pulls, gradients, strain):
    """gradients[a, c, f] += dΣᵢGᵢf/dRₐ and strain[i or 0, c, d, f] += dGᵢf/dε of centres from number `first` on."""
    n_functions = pulls.shape[2]
    for i in range(len(start) - 1):
        of = strain[min(first + i, len(strain) - 1)]
        for p in range(start[i], start[i + 1]):
            for c in range(3):
                pull = pulls[p, c]
                if len(gradients):
                    mine, other = gradients[first + i, c], gradients[atom[p], c]
                    for f in range(n_functions):
                        other[f] += pull[f]
                    for f in range(n_functions):
                        mine[f] -= pull[f]
                for d in range(3):
                    along, total = vector[p, d], of[c, d]
                    for f in range(n_functions):
                        total[f] += along * pull[f]


@compiled
def sum_pulls(start, vector, pulls, sums, strains):
    """Of each centre Σₚ pullₚ, (n_atoms, 3), and Σₚ pullₚ ⊗ vectorₚ, (n_atoms, 3, 3)."""
    for i in range(len(start) - 1):
        sums[i] = 0.0
        strains[i] = 0.0
        for p in range(start[i], start[i + 1]):
            for c in range(3):
                sums[i, c] += pulls[p, c]
                for d in range(3):
                    strains[i, c, d] += pulls[p, c] * vector[p, d]


@compiled
def subtract_pulls(atom, pulls, forces):
    """forces[a] −= pullₚ of each neighbour p that is (an image of) atom a."""
    for p in range(len(atom)):
        for c in range(3):
            forces[atom[p], c] -= pulls[p, c]


def _some_centres(near: Neighbors, n_functions: int) -> Iterator[tuple[slice, Neighbors]]:
    count = 1 + 24 * n_functions * len(near.atom) // _BYTES
    for centres, _, part in near.parts(count):
        yield centres, part


def pair_gradients(blocks: Blocks, n_functions: int, near: Neighbors) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See `SymmetryFunctions.pair_gradients`."""
    centre, atom, rows = near.distinct()
    d = np.empty((len(centre), 3, n_functions))
    for columns, block in blocks:
        d[:, :, columns] = block.gradients(near, rows, len(centre))
    if len(centre):
        # The centre moves against all its neighbours.
        first = np.flatnonzero(np.diff(centre, prepend=-1))
        d[np.flatnonzero(centre == atom)] -= np.add.reduceat(d, first, axis=0)
    return centre, atom, d


def summed_gradients(blocks: Blocks, n_functions: int, near: Neighbors) -> tuple[np.ndarray, np.ndarray]:
    """dΣᵢGᵢf/dRₐ (n_atoms, 3, n_functions) and dΣᵢGᵢf/dε (3, 3, n_functions)."""
    n = len(near.start) - 1
    gradients, strain = np.empty((n, 3, n_functions)), np.empty((3, 3, n_functions))
    for columns, block in blocks:
        mine, strained = np.zeros((n, 3, len(columns))), np.zeros((1, 3, 3, len(columns)))
        for centres, part in _some_centres(near, len(columns)):
            pulls = block.gradients(part, np.arange(len(part.atom)), len(part.atom))
            _add_sums(part.start, centres.start, part.atom, part.vector, pulls, mine, strained)
        gradients[:, :, columns], strain[:, :, columns] = mine, strained[0]
    return gradients, strain


def strain_gradients(blocks: Blocks, n_functions: int, near: Neighbors) -> np.ndarray:
    """dGᵢf/dε (n_atoms, 3, 3, n_functions)."""
    n = len(near.start) - 1
    strain = np.empty((n, 3, 3, n_functions))
    for columns, block in blocks:
        mine, nothing = np.zeros((n, 3, 3, len(columns))), np.empty((0, 3, len(columns)))
        for centres, part in _some_centres(near, len(columns)):
            pulls = block.gradients(part, np.arange(len(part.atom)), len(part.atom))
            _add_sums(part.start, centres.start, part.atom, part.vector, pulls, nothing, mine)
        strain[:, :, :, columns] = mine
    return strain
