"""Unwrapping of positions across periodic boundaries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.geometry import find_mic, get_distances
from numpy.typing import NDArray

CLOSE_ANGSTROM = 0.35  # an atom that moved less cannot have changed places: no two atoms are closer than twice this


def unwrapped_positions(frames: Sequence[Atoms]) -> NDArray[np.float64]:
    """Unwrapped positions (n_frames, n_atoms, 3), Å, by the minimum-image displacement between consecutive frames.

    Positions that were never wrapped are returned unchanged, to the last bit.

    Raises:
        ValueError: an atom moved so far between two frames that another atom may have taken its place, or that its path
            through the boundary is not unique: atoms in another order, missing frames, or frames too far apart.
    """
    positions = np.array([frame.positions for frame in frames])
    shift = np.zeros_like(positions[0])
    for number in range(1, len(frames)):
        before, frame = frames[number - 1], frames[number]
        step = frame.positions - before.positions
        turns = np.round(frame.cell.scaled_positions(step)) * frame.pbc if frame.cell.rank == 3 else np.zeros_like(step)
        if turns.any():
            step = step - turns @ frame.cell.array
            shift -= turns @ frame.cell.array
        far = np.linalg.norm(step, axis=1) > CLOSE_ANGSTROM
        if far.any():
            _check_step(before, frame, np.flatnonzero(far), number)
        positions[number] += shift
    return positions


def _check_step(before: Atoms, frame: Atoms, moved: NDArray[np.intp], number: int) -> None:
    """Check that each atom that moved far is closest to its own earlier position, along a unique path."""
    _, distances = get_distances(frame.positions[moved], before.positions, frame.cell, frame.pbc)
    nearest = distances.argmin(axis=1)
    for atom, other, row in zip(moved, nearest, distances, strict=True):
        if other != atom:
            raise ValueError(
                f"frame {number}: atom {atom} is {row[atom]:.2f} Å from where it was in frame {number - 1}, and nearer "
                f"to where atom {other} was ({row[other]:.2f} Å); the atoms are in another order, frames are missing, "
                "or they are too far apart in time to follow the atoms"
            )
    if frame.pbc.any():
        heights = [
            1 / np.linalg.norm(row)
            for row, periodic in zip(frame.cell.reciprocal(), frame.pbc, strict=True)
            if periodic
        ]
        _, lengths = find_mic(frame.positions[moved] - before.positions[moved], frame.cell, frame.pbc)
        if lengths.max() > min(heights) / 2:
            atom = moved[lengths.argmax()]
            raise ValueError(
                f"frame {number}: atom {atom} moved by {lengths.max():.2f} Å, half the cell or more, since frame "
                f"{number - 1}; its path through the boundary is not unique"
            )
