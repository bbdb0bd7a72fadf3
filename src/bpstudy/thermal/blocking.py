"""Means, fluctuations and slopes of a correlated series, with errors from block averages.

Blocks are longer than a vibrational period: kinetic and potential energy exchange twice per period, and the automatic
window of the integrated autocorrelation time of single frames may stop at the first minimum.
(H. Flyvbjerg, H. G. Petersen, doi:10.1063/1.457480.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bpstudy.statistics.correlation import integrated_time

LEAST_BLOCKS = 5  # fewer give no error estimate


class TooShortError(ValueError):
    """A quantity cannot be determined from this trajectory; the message gives the reason."""


@dataclass(frozen=True)
class Estimate:
    """A value and its standard error; NaN where unknown, with the reason."""

    value: float = np.nan
    error: float = np.nan
    reason: str = ""


def block_means(series: NDArray, block_frames: int) -> NDArray[np.float64]:
    """Means of consecutive blocks; an incomplete last block is left out."""
    n = len(series) // block_frames
    return np.asarray(series, float)[: n * block_frames].reshape(n, block_frames).mean(axis=1)


def correlation_frames(series: NDArray, block_frames: int) -> float:
    """Integrated autocorrelation time τ in frames, at least 1: var(mean) = var·τ/n, var(mean) from the block means.

    Raises:
        TooShortError: fewer than five blocks.
    """
    means = block_means(series, block_frames)
    if len(means) < LEAST_BLOCKS:
        raise TooShortError(f"{len(means)} blocks of {block_frames} frames, {LEAST_BLOCKS} are needed")
    tau = block_frames * np.var(means, ddof=1) * integrated_time(means) / np.var(series, ddof=1)
    return max(1.0, float(tau))


@dataclass(frozen=True)
class Correlated:
    """Estimates from a correlated series.

    Args:
        memory_frames: a known lower bound of the correlation time. In runs of a few correlation times its estimate is
            often much too small, and so would be the errors.
    """

    series: NDArray
    block_frames: int
    memory_frames: float = 1.0

    def correlation_frames(self) -> float:
        """The estimated or the known correlation time, whichever is longer."""
        return max(self.memory_frames, correlation_frames(self.series, self.block_frames))

    def standard_error(self) -> float:
        """Standard error of the mean: sd·√(τ/n)."""
        return float(np.std(self.series, ddof=1) * np.sqrt(self.correlation_frames() / len(self.series)))

    def mean(self) -> Estimate:
        try:
            return Estimate(float(np.mean(self.series)), self.standard_error())
        except TooShortError as reason:
            return Estimate(float(np.mean(self.series)), np.nan, f"no error: {reason}")

    def spread(self) -> Estimate:
        """Standard deviation; its error is that of the mean square divided by twice the standard deviation.

        Squares decorrelate twice as fast: for a Gaussian process with correlation ρ theirs is ρ².
        """
        squares = replace(
            self, series=(self.series - np.mean(self.series)) ** 2, memory_frames=max(1.0, self.memory_frames / 2)
        ).mean()
        sd = float(np.std(self.series, ddof=1))
        return Estimate(sd, squares.error / (2 * sd), squares.reason)

    def drift(self) -> Estimate:
        """Slope of a straight line per frame; its error is √12/n times that of the mean residual.

        Raises:
            TooShortError: fewer than five blocks.
        """
        n = len(self.series)
        line = stats.linregress(np.arange(n), self.series)
        left = replace(self, series=self.series - line.intercept - line.slope * np.arange(n))
        return Estimate(float(line.slope), np.sqrt(12) / n * left.standard_error())
