"""The search for pairs of atoms within a cutoff: vesin's cell list, or a k-d tree where a grid of cells would be mostly
empty."""

from itertools import product

import numpy as np
from ase import Atoms
from ase.cell import Cell
from scipy.spatial import cKDTree
from vesin import NeighborList as CellList

_MOST_CELLS = 50_000  # half of what vesin allows; beyond its limit it merges cells, which fails for flat grids

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""First and second atom (n_pairs,), distance (n_pairs,) and vector (n_pairs, 3) in Å; sorted by first atom."""


def find_pairs(atoms: Atoms, cutoff: float) -> tuple[Pairs, np.ndarray]:
    """All ordered pairs of atoms within `cutoff` (Å), all periodic images included, and how many cell vectors each
    second atom is shifted by, (n_pairs, 3)."""
    # Axes that are not periodic need no cell vector; the search wants three independent ones.
    box = np.array(atoms.cell.complete()[:], dtype=float) if atoms.pbc.any() else np.eye(3)
    if abs(np.linalg.det(box)) < 1e-9 * np.linalg.norm(box, axis=1).prod():  # by vectors of axes that are not periodic
        box = np.array(Cell(np.where(atoms.pbc[:, None], box, 0.0)).complete()[:], dtype=float)
    positions = np.array(atoms.positions, float)
    if _mostly_empty(positions, box, atoms.pbc, cutoff):
        return _from_tree(positions, box, atoms.pbc, cutoff)
    search = CellList(cutoff=cutoff, full_list=True, sorted=True, n_threads=1)
    first, second, distance, vector, shift = search.compute(positions, box, atoms.pbc, "ijdDS")
    return (first, second, distance, vector), shift


def _heights(box: np.ndarray) -> np.ndarray:
    """The distances between opposite faces, (3,)."""
    return 1 / np.linalg.norm(np.linalg.inv(box), axis=0)


def _mostly_empty(positions: np.ndarray, box: np.ndarray, pbc: np.ndarray, cutoff: float) -> bool:
    """Whether a grid of cells of the cutoff's width would be both large and flat or thin."""
    extent = np.where(pbc, 1.0, np.ptp(positions @ np.linalg.inv(box), axis=0)) * _heights(box)
    cells = np.maximum(np.floor(extent / cutoff), 1.0)
    merged = cells * min(_MOST_CELLS / cells.prod(), 1.0) ** (1 / 3)
    return bool(cells.prod() > _MOST_CELLS and merged.min() < 2)


def _from_tree(positions: np.ndarray, box: np.ndarray, pbc: np.ndarray, cutoff: float) -> tuple[Pairs, np.ndarray]:
    """The pairs by a k-d tree of the atoms and their images, whose cost does not depend on the empty space."""
    fractional, margin = positions @ np.linalg.inv(box), cutoff / _heights(box)
    home = np.where(pbc, np.floor(fractional), 0.0)
    reach = np.where(pbc, np.ceil(margin), 0).astype(int)
    atoms, shifts = [], []
    for shift in product(*(range(-n, n + 1) for n in reach)):
        place = fractional - home + shift
        near = ((place >= -margin) & (place <= 1 + margin) | ~pbc).all(axis=1)
        atoms.append(np.flatnonzero(near))
        shifts.append(np.tile(shift, (len(atoms[-1]), 1)))
    image, moved = np.concatenate(atoms), np.concatenate(shifts)
    inside = positions - home @ box
    reached = cutoff * (1 + 1e-9)  # the final distances decide
    tree = cKDTree(inside[image] + moved @ box)
    found = cKDTree(inside).sparse_distance_matrix(tree, reached, output_type="ndarray")
    first, second = found["i"], image[found["j"]]
    shift = (moved[found["j"]] - home[second] + home[first]).astype(np.int32)
    vector = positions[second] - positions[first] + shift @ box
    distance = np.sqrt((vector**2).sum(axis=1))
    keep = (distance <= cutoff) & ((first != second) | shift.any(axis=1))
    order = np.flatnonzero(keep)
    order = order[np.lexsort((second[order], first[order]))]
    return (first[order], second[order], distance[order], vector[order]), shift[order]
