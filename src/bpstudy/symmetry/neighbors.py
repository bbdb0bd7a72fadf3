"""Neighbours of every atom, all periodic images included, sorted by central atom."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from ase import Atoms
from ase.cell import Cell

from bpstudy.symmetry.search import find_pairs

OVERLAP_ANGSTROM = 0.1
"""Two atoms nearer than this are an error in the structure."""


@dataclass(frozen=True)
class Neighbors:
    """Neighbours of atom i are rows start[i]:start[i+1]; lengths in Å."""

    start: np.ndarray  # (n_atoms + 1,)
    atom: np.ndarray  # (n_pairs,), the neighbour's index in the cell
    number: np.ndarray  # (n_pairs,), the neighbour's atomic number
    vector: np.ndarray  # (n_pairs, 3), from the central atom to the neighbour
    distance: np.ndarray  # (n_pairs,)
    kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was derived from this list and will be needed again."""

    def centres(self) -> np.ndarray:
        """The central atom of each pair, (n_pairs,)."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def distinct(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The distinct pairs (centre, atom), sorted, with (i, i) for each centre that has a neighbour: centre and atom
        (n_distinct,), and the place of each row of this list among them, (n_pairs,)."""
        n, centres = len(self.start) - 1, self.centres()
        own = np.flatnonzero(np.diff(self.start)) * (n + 1)
        keys, places = np.unique(np.concatenate([centres * n + self.atom, own]), return_inverse=True)
        return keys // max(n, 1), keys % max(n, 1), places[: len(centres)]

    def parts(self, count: int) -> list[tuple[slice, slice, "Neighbors"]]:
        """At most `count` runs of centres with about as many pairs each: their centres, their rows in this list, and
        the neighbours of these centres alone."""
        if count == 1:
            return [(slice(0, len(self.start) - 1), slice(0, len(self.atom)), self)]
        if ("parts", count) not in self.kept:
            self.kept["parts", count] = self._parts(count)
        return self.kept["parts", count]

    def _parts(self, count: int) -> list[tuple[slice, slice, "Neighbors"]]:
        cuts = np.searchsorted(self.start, np.linspace(0, self.start[-1], count + 1)[1:-1])
        ends = np.unique([0, *cuts, len(self.start) - 1])
        found = []
        for first, last in pairwise(ends):
            rows = slice(self.start[first], self.start[last])
            columns = (of[rows] for of in (self.atom, self.number, self.vector, self.distance))
            start = self.start[first : last + 1] - self.start[first]
            found.append((slice(first, last), rows, Neighbors(start, *columns)))
        return found

    def around(self, chosen: np.ndarray) -> "Neighbors":
        """The neighbours of the chosen centres (bool, (n_atoms,)); the other centres have none."""
        start, rows = self.select(chosen[self.centres()])
        return Neighbors(start, *(of[rows] for of in (self.atom, self.number, self.vector, self.distance)))

    def select(self, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The neighbours where `keep` (bool, (n_pairs,)) is true: their `start`, and their rows in this list."""
        return np.concatenate(([0], np.cumsum(keep)))[self.start], np.flatnonzero(keep)


def check_structure(atoms: Atoms) -> None:
    """Raise ValueError for no atoms, NaN, or a structure that is periodic along a missing cell vector."""
    if len(atoms) == 0:
        raise ValueError("the structure has no atoms")
    bad = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if bad.size:
        raise ValueError(
            f"the position of atom {bad[0]} is {atoms.positions[bad[0]]}; all positions must be finite (Å)"
        )
    if not np.isfinite(atoms.cell[:]).all():
        raise ValueError(f"the cell is {atoms.cell[:].tolist()}; all its entries must be finite (Å)")
    lattice = Cell(np.where(atoms.pbc[:, None], atoms.cell[:], 0.0)).complete()  # vectors of open axes do not matter
    if atoms.pbc.any() and abs(np.linalg.det(lattice[:])) < 1e-9:
        raise ValueError(f"the periodic cell {atoms.cell[:].tolist()} has no volume; its vectors must be independent")
    for axis in range(3):
        if atoms.pbc[axis] and np.linalg.norm(atoms.cell[axis]) < 1e-9:
            raise ValueError(
                f"the structure is periodic along axis {axis}, but cell vector {axis} is zero; set it or pbc to False"
            )


def check_overlap(centres: Callable[[], np.ndarray], atom: np.ndarray, distance: np.ndarray) -> None:
    """Raise ValueError for a distance that no structure has."""
    if distance.size and distance.min() < OVERLAP_ANGSTROM:
        pair = int(distance.argmin())
        raise ValueError(
            f"atoms {centres()[pair]} and {atom[pair]} are {distance[pair]:.3g} Å apart; they must not overlap"
            f" (at least {OVERLAP_ANGSTROM} Å)"
        )


def starts(first: np.ndarray, n_atoms: int) -> np.ndarray:
    """Where the pairs of each centre begin in a sorted list, and its end: (n_atoms + 1,)."""
    return np.searchsorted(first, np.arange(n_atoms + 1)).astype(np.int64)


def neighbors(atoms: Atoms, cutoff: float) -> Neighbors:
    """All neighbours within `cutoff` (Å) of each atom, its own images included.

    Raises ValueError for a structure that has no neighbour list (`check_structure`) or with overlapping atoms.
    """
    check_structure(atoms)
    (first, second, distance, vector), _ = find_pairs(atoms, cutoff)
    check_overlap(lambda: first, second, distance)
    atom = second.astype(np.int64)
    return Neighbors(starts(first, len(atoms)), atom, atoms.numbers.astype(np.int64)[atom], vector, distance)
