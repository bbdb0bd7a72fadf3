"""Autocorrelation, and the number of independent frames in a trajectory."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

WINDOW = 5


def autocorrelation(series: ArrayLike) -> NDArray[np.float64]:
    """ρ(k) = Σ_t x_t x_(t+k) / Σ_t x_t² of the centred series, for all lags k (the biased estimator, ρ(0) = 1).

    Raises:
        ValueError: fewer than two values, values that are not finite, or a constant series.
    """
    x = np.asarray(series, dtype=np.float64)
    if x.ndim != 1 or x.size < 2 or not np.isfinite(x).all() or np.ptp(x) == 0:
        raise ValueError("series: two or more finite values that are not all equal are needed")
    x = x - x.mean()
    spectrum = np.fft.rfft(x, 2 * x.size)
    covariance = np.fft.irfft(spectrum * spectrum.conj())[: x.size]
    return covariance / covariance[0]


def integrated_time(series: ArrayLike) -> float:
    """τ = 1 + 2 Σ_(k=1..M) ρ(k) in frames; the mean of n frames has the variance of one of n/τ independent frames.

    M is the smallest window with M ≥ 5 τ(M) (A. Sokal, in Functional Integration, Springer 1997,
    doi:10.1007/978-1-4899-0319-8_6). At least 1: in an oscillating series the mean may be more precise than that of
    independent values, but n frames never count as more than n.
    """
    times = 2 * np.cumsum(autocorrelation(series)) - 1
    enough = np.arange(times.size) >= WINDOW * times
    window = int(np.argmax(enough)) if enough.any() else times.size - 1
    return max(1.0, float(times[window]))


def effective_size(series: ArrayLike) -> float:
    """Effective number of independent frames, n / τ."""
    return np.asarray(series).size / integrated_time(series)


def decay_time(series: ArrayLike) -> int:
    """The smallest lag, in frames, beyond which |ρ| stays below 1/e, up to half the length of the series.

    Unlike the integrated time it does not cancel in an oscillating series, so that gaps between blocks are based on it.
    """
    above = np.abs(autocorrelation(series)[: np.asarray(series).size // 2 + 1]) >= np.exp(-1)
    return int(np.flatnonzero(above)[-1]) + 1
