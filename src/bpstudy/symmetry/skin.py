"""Verlet's list: neighbours of a moving structure without a search at each step.

L. Verlet, Phys. Rev. 159, 98 (1967), doi:10.1103/PhysRev.159.98.
"""

import math
from itertools import pairwise

import numpy as np
from ase import Atoms

from bpstudy.symmetry.compiled import compiled
from bpstudy.symmetry.neighbors import Neighbors, check_overlap, check_structure, starts
from bpstudy.symmetry.parallel import in_threads
from bpstudy.symmetry.search import find_pairs


@compiled
def _count(start, second, offset, positions, cutoff, centres, squares, counts):
    """The square of each candidate's distance now, and how many of each centre are within the cutoff."""
    for i in range(centres[0], centres[1]):
        total = 0
        for p in range(start[i], start[i + 1]):
            square = 0.0
            for c in range(3):
                along = positions[second[p], c] - positions[i, c] + offset[p, c]
                square += along * along
            squares[p] = square
            total += square <= cutoff * cutoff
        counts[i] = total


@compiled
def _fill(start, second, offset, positions, cutoff, centres, squares, number, begin, atom, kind, vector, distance):
    """The candidates within the cutoff, those of centre i from row begin[i] on."""
    for i in range(centres[0], centres[1]):
        row = begin[i]
        for p in range(start[i], start[i + 1]):
            if squares[p] <= cutoff * cutoff:
                atom[row], kind[row], distance[row] = second[p], number[p], math.sqrt(squares[p])
                for c in range(3):
                    vector[row, c] = positions[second[p], c] - positions[i, c] + offset[p, c]
                row += 1


class NeighborList:
    """The neighbours within `cutoff` (Å) of a structure that moves, step by step.

    A search finds all pairs within cutoff + skin. As long as no atom has moved by more than skin/2 (Å) since, they hold
    all pairs within the cutoff: `update` selects these, which takes a small part of the time of a search. Another cell,
    other periodic axes or other atoms, or an atom that was put back into the cell, start a new search; `searches`
    counts them.

    Raises ValueError for a cutoff that is not above 0 or a negative skin.
    """

    def __init__(self, cutoff: float, skin: float = 0.5) -> None:
        if not cutoff > 0 or not np.isfinite(cutoff):
            raise ValueError(f"cutoff = {cutoff!r} is not allowed; it must be a length in Å above 0")
        if not skin >= 0 or not np.isfinite(skin):
            raise ValueError(f"skin = {skin!r} is not allowed; it must be a length in Å, 0 or more")
        self.cutoff, self.skin, self.searches = float(cutoff), float(skin), 0
        self._known: Atoms | None = None

    def update(self, atoms: Atoms, threads: int = 1) -> Neighbors:
        """The neighbours as `neighbors(atoms, cutoff)` finds them, in another order perhaps; the same bits for any
        number of threads. They hold until the next call, which uses their memory again.

        Raises ValueError for an unusable structure (see `neighbors`).
        """
        positions = np.array(atoms.positions, float)
        if not self._holds(atoms, positions):
            self._search(atoms)
        n, start = len(atoms), self._start
        ends = np.searchsorted(start, np.linspace(0, start[-1], threads + 1)[1:-1])
        parts = list(pairwise(np.unique([0, *ends, n]).tolist()))
        tables = (start, self._second, self._offset, positions, self.cutoff)
        squares, *columns = self._memory
        begin = np.zeros(n + 1, np.int64)
        list(in_threads(threads, lambda part: _count(*tables, part, squares, begin[1:]), parts))
        np.cumsum(begin, out=begin)
        atom, kind, vector, distance = (column[: begin[-1]] for column in columns)
        filled = (squares, self._number, begin, atom, kind, vector, distance)
        list(in_threads(threads, lambda part: _fill(*tables, part, *filled), parts))
        near = Neighbors(begin, atom, kind, vector, distance)
        check_overlap(near.centres, atom, distance)
        return near

    def _holds(self, atoms: Atoms, positions: np.ndarray) -> bool:
        """Whether the pairs of the last search hold all neighbours of this structure."""
        last = self._known
        if last is None or len(last) != len(atoms) or (last.numbers != atoms.numbers).any():
            return False
        if (last.pbc != atoms.pbc).any() or (last.cell[:] != atoms.cell[:]).any():
            return False
        return bool((((positions - last.positions) ** 2).sum(axis=1) <= (self.skin / 2) ** 2).all())  # no NaN either

    def _search(self, atoms: Atoms) -> None:
        check_structure(atoms)
        (first, second, distance, _), shift = find_pairs(atoms, self.cutoff + self.skin)
        check_overlap(lambda: first, second, distance)
        self._start, self._second = starts(first, len(atoms)), second.astype(np.int64)
        self._number = atoms.numbers.astype(np.int64)[self._second]
        self._offset = shift.astype(float) @ np.array(atoms.cell[:], float)
        most = len(second)
        self._memory = (
            np.empty(most),
            *(np.empty(most, np.int64) for _ in range(2)),
            np.empty((most, 3)),
            np.empty(most),
        )
        self._known = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        self.searches += 1
