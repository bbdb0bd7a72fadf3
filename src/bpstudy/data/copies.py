"""Frames that are copies of each other, whatever their numbers, the order of their atoms, and how they are wrapped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

WAVES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 2], [2, 0, 1], [1, -2, 1], [2, 1, 3], [3, 2, -1]])
SAME_ANGSTROM = 5e-4  # frames closer than this, RMS over their atoms, are copies: what text with four digits blurs
_OPEN_ANGSTROM = 20.0  # stands for the cell along axes that are not periodic


def fingerprint(atoms: Atoms) -> NDArray[np.float64]:
    """Numbers (Å) that barely differ between copies and differ between all else: structure factors and the cell.

    The structure factors Σ_i Z_i exp(2πi k·s_i) of a few short wave vectors k do not change with the order of equal
    atoms, or with a lattice vector added to an atom. They are scaled so that moving all atoms by random vectors
    of some length changes them by about that length. The cell counts by its lengths and angles: not by its orientation.
    """
    cell = atoms.cell.copy()
    filled = cell.complete().array
    open_axes = ~atoms.pbc
    norms = np.linalg.norm(filled, axis=1)
    filled[open_axes] *= (_OPEN_ANGSTROM / norms[open_axes])[:, None]
    scaled = np.linalg.solve(filled.T, atoms.positions.T).T
    phase = np.exp(2j * np.pi * scaled @ WAVES.T) * atoms.numbers[:, None]
    reach = np.linalg.norm(np.linalg.solve(filled, WAVES.T.astype(float)), axis=0) * 2 * np.pi  # |2π k| in 1/Å
    sums = phase.sum(axis=0) / (reach * np.sqrt((atoms.numbers.astype(float) ** 2).sum()))
    parameters = cell.cellpar() if cell.rank == 3 else np.r_[cell.lengths(), np.zeros(3)]
    parameters[3:] *= np.pi / 180 * parameters[:3].mean()
    return np.concatenate([sums.real, sums.imag, parameters])


def copies(kinds: Sequence[str], fingerprints: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each frame the first frame that it is a copy of: itself where it is none.

    Args:
        kinds: what must be equal: composition and periodic axes.
        fingerprints: (n_frames, n) of `fingerprint`.
    """
    first = np.arange(len(kinds))
    by_kind: dict[str, list[int]] = defaultdict(list)
    for place, kind in enumerate(kinds):
        by_kind[kind].append(place)
    for places in by_kind.values():
        order = sorted(places, key=lambda place: fingerprints[place, 0])
        kept: list[int] = []  # of each set of copies one, by the first number
        values = fingerprints[order]
        start = 0
        for place, value in zip(order, values, strict=True):
            while start < len(kept) and fingerprints[kept[start], 0] < value[0] - SAME_ANGSTROM:
                start += 1
            near = np.array(kept[start:], dtype=np.intp)
            same = near[(np.abs(fingerprints[near] - value) <= SAME_ANGSTROM).all(axis=1)] if near.size else near
            if same.size:
                first[place] = same[0]
            else:
                kept.append(place)
        for representative in set(first[places]):  # the earliest of the copies stands for all
            group = [place for place in places if first[place] == representative]
            first[group] = min(group)
    return first
