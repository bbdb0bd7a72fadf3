"""Correlations of motions that are known: free flight, and an oscillation."""

import numpy as np
import pytest
from ase import Atoms, units

from bpstudy.thermal.transport import motion


def moving(paths, step_fs):
    """Frames of two Li atoms that move oppositely along x; `paths` (n_frames,) in Å, velocities by difference."""
    speeds = np.gradient(paths, step_fs * units.fs)
    frames = []
    for x, v in zip(paths, speeds, strict=True):
        atoms = Atoms("Li2", positions=[[x, 0, 0], [5 - x, 0, 0]], cell=[9, 9, 9], pbc=True)
        atoms.set_velocities([[v, 0, 0], [-v, 0, 0]])
        frames.append(atoms)
    return frames


def test_free_flight_goes_as_the_square_of_time():
    table = motion(moving(0.01 * np.arange(60), 2.0), 2.0, 40.0)
    assert table["lag_fs"].tolist() == list(np.arange(0, 41, 2.0))
    np.testing.assert_allclose(table["velocity_autocorrelation"], 1)
    lags = np.arange(21)
    np.testing.assert_allclose(table["mean_square_displacement_angstrom2"], (0.01 * lags) ** 2, atol=1e-12)


def test_an_oscillation_is_seen_with_its_period():
    times = np.arange(4000.0)
    table = motion(moving(0.1 * np.sin(2 * np.pi * times / 100), 1.0), 1.0, 200.0)
    cosine = np.cos(2 * np.pi * table["lag_fs"] / 100)
    np.testing.assert_allclose(table["velocity_autocorrelation"], cosine, atol=0.02)
    np.testing.assert_allclose(table["mean_square_displacement_angstrom2"], 0.01 * (1 - cosine), atol=3e-4)


def test_the_drift_of_the_whole_cell_is_no_motion():
    frames = moving(0.1 * np.sin(np.arange(100.0)), 1.0)
    expected = motion(frames, 1.0, 20.0)
    for number, frame in enumerate(frames):
        frame.positions += 0.3 * number
        frame.set_velocities(frame.get_velocities() + 0.3 / units.fs)
    np.testing.assert_allclose(motion(frames, 1.0, 20.0), expected, atol=1e-9)


def test_what_cannot_be_correlated_is_refused():
    frames = moving(0.1 * np.sin(np.arange(30.0)), 1.0)
    with pytest.raises(ValueError, match=r"30 frames 1 fs apart are too few for lags up to 20 fs; 40 are needed"):
        motion(frames, 1.0, 20.0)
    for frame in frames:
        frame.set_velocities(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="no velocities"):
        motion(frames, 1.0, 10.0)
