"""Blocks of symmetry functions on the disk: computed once, shared by all experiments that use them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from bpstudy.config.functions import Block
from bpstudy.files import atomic_path
from bpstudy.symmetry import SymmetryFunctions, compute_frames
from bpstudy.symmetry.grids import grid


class DescriptorError(ValueError):
    """A block cannot be used; the message names its file."""


@dataclass(frozen=True)
class Features:
    """Symmetry functions of frames.

    Attributes:
        values: (n_frames, n_atoms, n_functions).
        labels: a name for each function.
        numbers: atomic numbers, (n_atoms,).
        frames: index of each frame in its trajectory, (n_frames,).
        block_sizes: number of functions of each block.
    """

    values: np.ndarray
    labels: tuple[str, ...]
    numbers: np.ndarray
    frames: np.ndarray
    block_sizes: tuple[int, ...]

    def by_element(self) -> dict[str, np.ndarray]:
        """The values of each element's atoms: {symbol: (n_frames, n_atoms of it, n_functions)}."""
        return {chemical_symbols[n]: self.values[:, self.numbers == n] for n in np.unique(self.numbers)}

    def labels_by_element(self) -> dict[str, tuple[str, ...]]:
        return {chemical_symbols[n]: self.labels for n in np.unique(self.numbers)}


def block_functions(block: Block, elements: Sequence[str], tolerance: float) -> SymmetryFunctions:
    """The functions of a block; in alloys each is repeated for every neighbour element, or pair of elements."""
    functions = grid(block.type, block.count, block.cutoff_angstrom, block.grid, block.pairs or "unordered")
    if len(elements) == 1:
        return SymmetryFunctions(functions, tolerance)
    angular = block.type in ("G4", "G5")
    neighbours = list(combinations_with_replacement(elements, 2)) if angular else list(elements)
    repeated = [replace(f, species=s) for s in neighbours for f in functions]  # type: ignore[arg-type]
    return SymmetryFunctions(repeated, tolerance)


def compute_block(
    path: Path, block: Block, frames: Sequence[Atoms], indices: Sequence[int], tolerance: float, threads: int
) -> None:
    """Compute a block over frames `indices` of a trajectory.

    Writes `path` (.npy: n_frames × n_atoms × n_functions, float64) and beside it, in .json, what its columns, atoms and
    frames are.
    """
    elements = sorted(set(frames[0].get_chemical_symbols()))
    functions = block_functions(block, elements, tolerance)
    values = compute_frames(functions, [frames[i] for i in indices], threads)
    description = {
        **json.loads(functions.to_json()),
        "labels": functions.labels,
        "numbers": frames[0].numbers.tolist(),
        "frames": list(indices),
    }
    with atomic_path(path) as temporary:
        np.save(temporary, values)
    with atomic_path(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(description) + "\n")


def read_blocks(paths: Sequence[str | Path]) -> Features:
    """Blocks of the same frames, side by side.

    Raises:
        DescriptorError: a file is damaged, or the blocks are of different frames or atoms.
    """
    values, labels = [], []
    first: dict = {}
    for path in map(Path, paths):
        try:
            array = np.load(path, allow_pickle=False)
            description = json.loads(path.with_suffix(".json").read_text())
            shape = (len(description["frames"]), len(description["numbers"]), len(description["labels"]))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise DescriptorError(f"{path}: cannot be read ({error}); remove it to compute it again") from None
        if array.shape != shape:
            raise DescriptorError(f"{path}: holds {array.shape}, its description says {shape}; remove both")
        first = first or description
        for key in ("frames", "numbers"):
            if description[key] != first[key]:
                raise DescriptorError(f"{path}: other {key} than {paths[0]}; blocks of one network share them")
        values.append(array)
        labels.extend(description["labels"])
    return Features(
        np.concatenate(values, axis=2),
        tuple(labels),
        np.array(first["numbers"]),
        np.array(first["frames"]),
        tuple(array.shape[2] for array in values),
    )
