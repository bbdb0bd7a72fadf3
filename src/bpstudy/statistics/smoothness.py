"""Spikes: does a predicted E(t) vary faster than the crystal can?

The energy along a molecular dynamics trajectory has its power below the highest combination frequencies of the
vibrations. Whatever a prediction adds above that band is unphysical; the eye sees it as spikes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import detrend, periodogram


def band_edge(reference_ev: ArrayLike, timestep_fs: float, fraction: float = 0.999) -> float:
    """The frequency (1/fs) below which `fraction` of the power of the reference E(t) lies.

    Raises:
        ValueError: a series that is too short, not finite or constant; a fraction not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: {fraction}; it must be between 0 and 1")
    frequencies, power = _power(reference_ev, timestep_fs)
    if power.sum() == 0:
        raise ValueError("reference: a constant series has no band")
    share = np.cumsum(power) / power.sum()
    return float(frequencies[np.searchsorted(share, fraction)])


def rms_above(series: ArrayLike, timestep_fs: float, edge_per_fs: float) -> float:
    """Root mean square, in the unit of the series, of its part above the frequency `edge_per_fs` (1/fs).

    Applied to the residual E_network - E_DFT it measures spikes; applied to E_DFT it gives the floor for comparison.
    """
    frequencies, power = _power(series, timestep_fs)
    return float(np.sqrt(power[frequencies > edge_per_fs].sum()))


def _power(series: ArrayLike, timestep_fs: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies and the mean square at each (summing to the variance); Hann window, linear trend removed."""
    x = np.asarray(series, dtype=np.float64)
    if x.ndim != 1 or x.size < 16 or not np.isfinite(x).all():
        raise ValueError(f"series: shape {x.shape}; at least 16 finite values, consecutive in time, are needed")
    if not timestep_fs > 0:
        raise ValueError(f"timestep_fs: {timestep_fs}; it must be positive")
    frequencies, density = periodogram(detrend(x), fs=1 / timestep_fs, window="hann")
    return frequencies, density * frequencies[1]
