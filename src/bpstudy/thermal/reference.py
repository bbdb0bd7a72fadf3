"""Checks of a DFT trajectory with which the dynamics of a potential is to be compared."""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from bpstudy.config.analysis import PotentialRuns
from bpstudy.thermal.transport import check_motion
from bpstudy.thermal.unwrapping import unwrapped_positions


def check_reference(frames: Sequence[Atoms], step_fs: float, settings: PotentialRuns) -> None:
    """Check that the runs can be compared with these frames of a DFT trajectory, `step_fs` apart.

    Raises:
        ValueError: too few frames for the lags asked for, frames without velocities, atoms that cannot be followed from
            frame to frame, or a cell that is not periodic in all directions, for which g(r) is not defined.
    """
    key = f"with_forces.runs.reference = {settings.reference!r}"
    try:
        check_motion(frames, step_fs, settings.longest_fs)
        unwrapped_positions(frames)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    for number, frame in enumerate(frames):
        if not frame.pbc.all():
            raise ValueError(
                f"{key}: frame {number} is periodic along {frame.pbc.tolist()}; g(r) needs a crystal periodic in all "
                "three directions: name another system, or leave out the runs (with_forces: null)"
            )
