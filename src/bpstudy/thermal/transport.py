"""How atoms move: the velocity autocorrelation and the mean square displacement of a trajectory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms


def motion(frames: Sequence[Atoms], step_fs: float, longest_fs: float) -> pd.DataFrame:
    """Correlations of frames `step_fs` apart, for lags up to `longest_fs`.

    C(t) = Σ_i ⟨v_i(t₀) · v_i(t₀ + t)⟩ / Σ_i ⟨v_i²⟩ and MSD(t) = ⟨|r_i(t₀ + t) − r_i(t₀)|²⟩, over all atoms and starts
    t₀; positions must not be wrapped back into the cell. The cell's drift is taken out of both.

    Returns:
        lag_fs, velocity_autocorrelation (1 at lag 0), mean_square_displacement_angstrom2.

    Raises:
        ValueError: fewer frames than two lags need, or frames without velocities.
    """
    lags = round(longest_fs / step_fs)
    if lags < 1 or len(frames) < 2 * lags:
        raise ValueError(
            f"{len(frames)} frames {step_fs:g} fs apart are too few for lags up to {longest_fs:g} fs; "
            f"{2 * max(lags, 1)} are needed"
        )
    velocities = np.array([frame.get_velocities() for frame in frames])
    if not velocities.any():
        raise ValueError("the frames have no velocities")
    positions = np.array([frame.positions for frame in frames])
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
