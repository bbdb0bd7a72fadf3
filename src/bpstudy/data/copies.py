"""Frames that are copies of each other, whether ordered, wrapped, moved, turned or repeated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.formula import Formula
from numpy.typing import NDArray

from bpstudy.data.distances import Distances, bumps, distances

SAME_ANGSTROM = 1e-3  # over √N; text with four digits blurs a fingerprint by a third of it, a step of 1 fs by twenty
_SCALES = (6.0, 12.0, 24.0)
_NEIGHBOURS = 6  # whose distances count one by one
_CELL = 6  # numbers of the cell, at the end


def fingerprint(atoms: Atoms, known: Distances | None = None) -> NDArray[np.float64]:
    """Numbers (Å) that barely differ between copies and differ between all else: sums over distances, and the density.

    For each bump f of `bpstudy.data.distances.bumps` the mean and the root mean square over the atoms of
    u_i Σ_j u_j f(r_ij), u = Z/√⟨Z²⟩. They do not change with the order of the atoms, lattice vectors added to them, the
    choice of the cell, its orientation, the origin, a mirror, or a repetition: what symmetry functions do not
    tell apart either. If each atom is moved at random, they change by about that length over √N. For frames that are
    not periodic the radius of gyration stands for the density. At a site of high symmetry the sums change in the second
    order of the displacements alone, so that small cells look alike: means of the shortest distances, of half a
    neighbour an atom each, change in the first. The last six numbers are of the cell.

    Args:
        known: the frame's distances, if they are known already.
    """
    known = known or distances(atoms)
    first, second, distance, _ = known.pairs
    weight = atoms.numbers / np.sqrt((atoms.numbers.astype(float) ** 2).mean())
    found = np.zeros((len(_SCALES), 2, len(bumps(np.ones(1), 1.0)[0])))
    for place, values in enumerate(bumps(distance, known.reach_angstrom)[0]):
        around = weight * np.bincount(first, weight[second] * values, len(atoms))
        found[_SCALES.index(known.reach_angstrom), :, place] = around.mean(), np.sqrt((around**2).mean())
    return np.concatenate([found.ravel(), _shortest(distance, len(atoms)), [_extent(atoms)], _cell(atoms)])


def _shortest(distance: NDArray[np.float64], n_atoms: int) -> NDArray[np.float64]:
    """Means (Å) of the shortest distances, sorted, of half a neighbour an atom each; 0 beyond the last."""
    total = np.concatenate([[0.0], np.cumsum(np.sort(distance))])
    edges = np.arange(2 * _NEIGHBOURS + 1) / 2 * n_atoms
    means = np.diff(np.interp(edges, np.arange(len(total)), total)) / (n_atoms / 2)
    return np.where(edges[1:] <= len(distance), means, 0.0)


def _extent(atoms: Atoms) -> float:
    """The length, root of the area or cube root of the volume an atom; the radius of gyration without a lattice."""
    lattice = atoms.cell.array[atoms.pbc]
    if not len(lattice):
        return float(np.sqrt(((atoms.positions - atoms.positions.mean(axis=0)) ** 2).sum(axis=1).mean()))
    size = np.sqrt(np.linalg.det(lattice @ lattice.T))
    return float((size / len(atoms)) ** (1 / len(lattice)))


def _cell(atoms: Atoms) -> NDArray[np.float64]:
    """Lengths of the periodic cell vectors, in their order, and lengths of the sums of two, (6,), Å."""
    lattice = np.where(atoms.pbc[:, None], atoms.cell.array, 0.0)
    return np.linalg.norm([*lattice, *(lattice + np.roll(lattice, 1, axis=0))], axis=1)


def kind(formula: str, pbc: str) -> str:
    """What copies agree in beside their fingerprints: composition and periodic axes."""
    return f"{Formula(formula).reduce()[0]} {'T' * pbc.count('T')}"


def copies(
    kinds: Sequence[str],
    fingerprints: NDArray[np.float64],
    n_atoms: Sequence[int] | NDArray[np.integer],
    other_axes: bool = False,
) -> NDArray[np.intp]:
    """For each frame the first frame that it is a copy of: itself where it is none.

    Args:
        kinds: of `kind`, what must be equal.
        fingerprints: (n_frames, n) of `fingerprint`.
        n_atoms: of each frame. Frames of unequal numbers are copies if one repeats the other.
        other_axes: whether frames of as many atoms in another cell, or with its axes in another order, are copies too:
            cells strained along x and along y, for example, which symmetry makes equal.
    """
    first = np.arange(len(kinds))
    n_atoms = np.asarray(n_atoms)
    invariant = fingerprints[:, :-_CELL]
    allowed = SAME_ANGSTROM / np.sqrt(n_atoms)
    by_kind: dict[str, list[int]] = defaultdict(list)
    for place, of in enumerate(kinds):
        by_kind[of].append(place)
    for places in by_kind.values():
        column = int(np.argmax(np.ptp(invariant[places], axis=0)))  # that tells most of them apart
        order = sorted(places, key=lambda place: invariant[place, column])
        widest = allowed[places].max()
        kept: list[int] = []  # of each set of copies one
        start = 0
        for place in order:
            value = invariant[place]
            while start < len(kept) and invariant[kept[start], column] < value[column] - widest:
                start += 1
            near = np.array(kept[start:], dtype=np.intp)
            alike = np.abs(invariant[near] - value).max(axis=1) <= np.maximum(allowed[near], allowed[place])
            cells = np.abs(fingerprints[near, -_CELL:] - fingerprints[place, -_CELL:]).max(axis=1) <= SAME_ANGSTROM
            same = near[alike & (other_axes | (n_atoms[near] != n_atoms[place]) | cells)]
            if same.size:
                first[place] = same[0]
            else:
                kept.append(place)
        for representative in set(first[places]):  # the earliest of the copies stands for all
            group = [place for place in places if first[place] == representative]
            first[group] = min(group)
    return first
