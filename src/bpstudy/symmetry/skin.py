"""Verlet's list: neighbours of a moving structure without a search at each step.

L. Verlet, Phys. Rev. 159, 98 (1967), doi:10.1103/PhysRev.159.98.
"""

import numpy as np
from ase import Atoms

from bpstudy.symmetry.compiled import compiled
from bpstudy.symmetry.neighbors import Neighbors, check_overlap, check_structure, starts
from bpstudy.symmetry.parallel import in_threads
from bpstudy.symmetry.search import find_pairs


@compiled
def _within(start, second, number, offset, positions, cutoff, first_centre, last_centre):
    """The candidates of some centres that are within the cutoff now: their number for each centre, and columns."""
    size, most = start[last_centre] - start[first_centre], cutoff * cutoff
    counts = np.zeros(last_centre - first_centre, np.int64)
    atom, kind = np.empty(size, np.int64), np.empty(size, np.int64)
    vector, square = np.empty((size, 3)), np.empty(size)
    total = 0
    for i in range(first_centre, last_centre):
        before = total
        for p in range(start[i], start[i + 1]):  # no branch: a candidate beyond the cutoff is overwritten by the next
            j, length = second[p], 0.0
            for c in range(3):
                along = positions[j, c] - positions[i, c] + offset[p, c]
                vector[total, c] = along
                length += along * along
            atom[total], kind[total], square[total] = j, number[p], length
            total += length <= most
        counts[i - first_centre] = total - before
    return counts, atom[:total], kind[:total], vector[:total], np.sqrt(square[:total])


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
        number of threads.

        Raises ValueError for an unusable structure (see `neighbors`).
        """
        positions = np.array(atoms.positions, float)
        if not self._holds(atoms, positions):
            self._search(atoms)
        tables = (self._start, self._second, self._number, self._offset, positions, self.cutoff)
        ends = np.searchsorted(self._start, np.linspace(0, self._start[-1], threads + 1)[1:-1])
        cuts = np.unique([0, *ends, len(atoms)])
        found = list(in_threads(threads, lambda n: _within(*tables, cuts[n], cuts[n + 1]), range(len(cuts) - 1)))
        counts, *columns = (np.concatenate(c) if len(found) > 1 else c[0] for c in zip(*found, strict=True))
        near = Neighbors(np.concatenate(([0], np.cumsum(counts))), *columns)
        check_overlap(near.centres, near.atom, near.distance)
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
        self._known = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        self.searches += 1
