"""Frames of a trajectory and functions of an experiment, as the choice takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.config.experiments import Frames
from bpstudy.config.functions import Block
from bpstudy.data.choose import chosen_of
from bpstudy.descriptors.blocks import block_functions
from bpstudy.symmetry import SymmetryFunctions


def with_free_energy(frame: Atoms) -> Atoms:
    """A copy whose energy is the free energy where there is one: forces are its derivatives, not those of σ → 0."""
    results = frame.calc.results
    kept = {"energy": results.get("free_energy", results.get("energy"))}
    if "forces" in results:
        kept["forces"] = results["forces"]
    copy = frame.copy()
    copy.calc = SinglePointCalculator(copy, **kept)
    return copy


def chosen_frames(trajectory: Sequence[Atoms], numbers: Sequence[int]) -> list[Atoms]:
    """Frames `numbers` of a trajectory, in that order."""
    return [with_free_energy(trajectory[number]) for number in numbers]


def numbers_of(frames: Frames, thermo: str | Path, count: int | None = None) -> list[int]:
    """Numbers of the frames of a choice in its system; of them `count` evenly, where there are more."""
    numbers = chosen_of(frames, thermo)
    if count is None or count >= len(numbers):
        return numbers
    return [numbers[place] for place in np.linspace(0, len(numbers) - 1, count).round().astype(int)]


def combined_blocks(blocks: Sequence[Block], frames: Sequence[Atoms], tolerance: float) -> SymmetryFunctions:
    """The functions of an experiment, as its blocks hold them for the elements of the frames."""
    elements = sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()})
    made = [f for block in blocks for f in block_functions(block, elements, tolerance).functions]
    return SymmetryFunctions(made, tolerance)
