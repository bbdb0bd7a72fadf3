"""Symmetry functions of frames of any size and composition, one row per atom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray

from bpstudy.descriptors.features import AtomRows, Features, features_of
from bpstudy.symmetry import SymmetryFunctions

FunctionSets = SymmetryFunctions | Mapping[str, SymmetryFunctions]
"""The functions of all atoms, or those of each element's atoms."""


def compute_rows(functions: SymmetryFunctions, frames: Sequence[Atoms], threads: int = 1) -> NDArray[np.float64]:
    """Values of all atoms of all frames, frame by frame, (n_rows, n_functions).

    Each frame is computed by one thread, so the numbers have the same bits for any number of threads.

    Raises:
        ValueError: no frames, fewer than one thread, or an unusable frame, whose number is named.
    """
    if threads < 1:
        raise ValueError(f"threads = {threads} is not allowed; it must be 1 or more")
    if len(frames) == 0:
        raise ValueError("no frames were given")
    ends = np.cumsum([0, *map(len, frames)])
    out = np.empty((ends[-1], len(functions)))

    def work(number: int) -> None:
        try:
            out[ends[number] : ends[number + 1]] = functions.compute(frames[number])
        except ValueError as error:
            raise ValueError(f"frame {number}: {error}") from error

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, range(len(frames))):
            pass
    return out


def by_element(functions: FunctionSets, elements: Sequence[str]) -> dict[str, SymmetryFunctions]:
    """The functions of each element's atoms.

    Raises:
        ValueError: an element has none.
    """
    if isinstance(functions, SymmetryFunctions):
        return dict.fromkeys(elements, functions)
    if missing := [element for element in elements if element not in functions]:
        raise ValueError(f"functions: none for {', '.join(missing)}; give each element of the frames its functions")
    return {element: functions[element] for element in elements}


def compute_features(functions: FunctionSets, frames: Sequence[Atoms], threads: int = 1) -> Features:
    """Functions of all atoms of all frames; `Features.frames` counts the frames from 0.

    Raises:
        ValueError: as `compute_rows`, or an element without functions.
    """
    if len(frames) == 0:
        raise ValueError("no frames were given")
    numbers = [atoms.numbers.astype(np.intp) for atoms in frames]
    elements = [chemical_symbols[n] for n in np.unique(np.concatenate(numbers))]
    sets = by_element(functions, elements)
    computed: dict[SymmetryFunctions, Features] = {}
    rows: dict[str, AtomRows] = {}
    for element, of in sets.items():
        if of not in computed:
            computed[of] = features_of(compute_rows(of, frames, threads), of.labels, numbers, np.arange(len(frames)))
        rows[element] = computed[of].rows[element]
    labels = {element: tuple(of.labels) for element, of in sets.items()}
    return Features(rows, labels, np.array([len(n) for n in numbers]), np.arange(len(frames)))
