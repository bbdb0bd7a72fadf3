"""Computing blocks of symmetry functions over the frames of a trajectory."""

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


def compute_blocks(
    files: Mapping[Path, Block],
    frames: Sequence[Atoms] | Mapping[int, Atoms],
    indices: Sequence[int],
    tolerance: float,
    threads: int,
    elements: Sequence[str] = (),
) -> None:
    """Compute blocks over frames `indices` of a trajectory or data set; sizes and compositions may differ.

    Writes each block to its file (.npy: n_rows × n_functions, float64, one row per atom, frame by frame) and beside it,
    in .json, what its columns, atoms and frames are. All blocks share one look at the neighbours of an atom.

    Args:
        elements: that functions are made for beside those of the frames: other sets of an experiment have them.

    Raises:
        ValueError: an unusable frame.
    """
    chosen = [frames[i] for i in indices]
    there = {symbol for atoms in chosen for symbol in set(atoms.get_chemical_symbols())}
    of_files = {path: block_functions(block, sorted(there.union(elements)), tolerance) for path, block in files.items()}
    place = {f: k for k, f in enumerate(dict.fromkeys(f for of in of_files.values() for f in of.functions))}
    values = compute_rows(SymmetryFunctions(tuple(place), tolerance), chosen, threads)
    atoms, kinds = kinds_of(chosen)
    of_frames = {
        "atoms": atoms,
        "kinds": kinds,
        "pbc": sorted({tuple(frame.pbc.tolist()) for frame in chosen}),
        "frames": list(indices),
    }
    for path, functions in of_files.items():
        description = json.loads(functions.to_json()) | {"labels": functions.labels} | of_frames
        with atomic_path(path) as temporary:
            np.save(temporary, values[:, [place[f] for f in functions.functions]])
        with atomic_path(path.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(description) + "\n")
