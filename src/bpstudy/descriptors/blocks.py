"""Computing a block of symmetry functions over the frames of a trajectory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from ase import Atoms

from bpstudy.config.functions import Block
from bpstudy.descriptors.compute import compute_rows
from bpstudy.descriptors.features import kinds_of
from bpstudy.files import atomic_path
from bpstudy.symmetry import SymmetryFunctions
from bpstudy.symmetry.grids import grid


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
    path: Path,
    block: Block,
    frames: Sequence[Atoms] | Mapping[int, Atoms],
    indices: Sequence[int],
    tolerance: float,
    threads: int,
    elements: Sequence[str] = (),
) -> None:
    """Compute a block over frames `indices` of a trajectory or data set; sizes and compositions may differ.

    Writes `path` (.npy: n_rows × n_functions, float64, one row per atom, frame by frame) and beside it, in .json, what
    its columns, atoms and frames are.

    Args:
        elements: that functions are made for beside those of the frames: other sets of an experiment have them.

    Raises:
        ValueError: an unusable frame.
    """
    chosen = [frames[i] for i in indices]
    there = {symbol for atoms in chosen for symbol in set(atoms.get_chemical_symbols())}
    functions = block_functions(block, sorted(there.union(elements)), tolerance)
    values = compute_rows(functions, chosen, threads)
    atoms, kinds = kinds_of(chosen)
    description = {
        **json.loads(functions.to_json()),
        "labels": functions.labels,
        "atoms": atoms,
        "kinds": kinds,
        "pbc": sorted({tuple(frame.pbc.tolist()) for frame in chosen}),
        "frames": list(indices),
    }
    with atomic_path(path) as temporary:
        np.save(temporary, values)
    with atomic_path(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(description) + "\n")
