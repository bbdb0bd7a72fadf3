"""Velocity autocorrelation function and mean square displacement of a trajectory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms

from bpstudy.thermal.unwrapping import unwrapped_positions


def check_motion(frames: Sequence[Atoms], step_fs: float, longest_fs: float) -> None:
    """Check that `motion` can be calculated from these frames.

    Raises:
        ValueError: too few frames, or a frame without velocities.
    """
    lags = round(longest_fs / step_fs)
    if lags < 1 or len(frames) < 2 * lags:
        raise ValueError(
            f"{len(frames)} frames {step_fs:g} fs apart are too few for lags up to {longest_fs:g} fs; "
            f"{2 * max(lags, 1)} are needed"
        )
    if not any(frame.get_momenta().any() for frame in frames):
        raise ValueError("the frames have no velocities, which the velocity autocorrelation needs")
    for number, frame in enumerate(frames):
        if not frame.has("momenta"):
            raise ValueError(f"frame {number} has no velocities, which the velocity autocorrelation needs")


def motion(frames: Sequence[Atoms], step_fs: float, longest_fs: float) -> pd.DataFrame:
    """Time correlations of frames `step_fs` apart, for lags up to `longest_fs`.

    C(t) = Σ_i ⟨v_i(t₀) · v_i(t₀ + t)⟩ / Σ_i ⟨v_i²⟩ and MSD(t) = ⟨|r_i(t₀ + t) − r_i(t₀)|²⟩, averaged over
    atoms and time origins t₀. Wrapped positions are unwrapped; the drift of the centre of mass is removed from both.

    Returns:
        lag_fs, velocity_autocorrelation (1 at lag 0), mean_square_displacement_angstrom2.

    Raises:
        ValueError: fewer frames than twice the longest lag, frames without velocities, or atoms that cannot be followed
            from frame to frame (see `bpstudy.thermal.unwrapping.unwrapped_positions`).
    """
    check_motion(frames, step_fs, longest_fs)
    lags = round(longest_fs / step_fs)
    velocities = np.array([frame.get_velocities() for frame in frames])
    positions = unwrapped_positions(frames)
    masses = frames[0].get_masses()[:, None] / frames[0].get_masses().sum()
    velocities = velocities - (masses * velocities).sum(axis=1, keepdims=True)
    positions = positions - (masses * positions).sum(axis=1, keepdims=True)
    correlation, displacement = np.empty((2, lags + 1))
    for lag in range(lags + 1):
        later = slice(lag, None)
        earlier = slice(0, len(frames) - lag)
        correlation[lag] = (velocities[earlier] * velocities[later]).sum(axis=2).mean()
        displacement[lag] = ((positions[later] - positions[earlier]) ** 2).sum(axis=2).mean()
    return pd.DataFrame(
        {
            "lag_fs": step_fs * np.arange(lags + 1),
            "velocity_autocorrelation": correlation / correlation[0],
            "mean_square_displacement_angstrom2": displacement,
        }
    )
