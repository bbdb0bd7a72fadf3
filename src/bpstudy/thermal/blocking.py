"""Means, fluctuations and slopes of a correlated series, with errors from block means.

Blocks are longer than a vibration: kinetic and potential energy swing into each other twice a vibration, and the
automatic window of an autocorrelation time of the single frames may take the first minimum for the end.
(H. Flyvbjerg, H. G. Petersen, doi:10.1063/1.457480.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bpstudy.statistics.correlation import integrated_time

LEAST_BLOCKS = 5  # from fewer no error can be had


class TooShortError(ValueError):
    """A quantity cannot be determined from this trajectory; the message is the reason."""


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error; NaN where there is none, and the reason why."""

    value: float = np.nan
    error: float = np.nan
    reason: str = ""


def block_means(series: NDArray, block_frames: int) -> NDArray[np.float64]:
    """Means of consecutive blocks; frames at the end that fill no block are left out."""
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
    """Estimates from a series whose frames remember each other.

    Args:
        memory_frames: correlation time that is known to be there. In runs of a few correlation times the estimate is
            much too small as often as not, and errors from it alone would promise too much.
    """

    series: NDArray
    block_frames: int
    memory_frames: float = 1.0

    def correlation_frames(self) -> float:
        """The estimated correlation time or the known one, whichever is longer."""
        return max(self.memory_frames, correlation_frames(self.series, self.block_frames))

    def standard_error(self) -> float:
        """Of the mean: sd·√(τ/n)."""
        return float(np.std(self.series, ddof=1) * np.sqrt(self.correlation_frames() / len(self.series)))

    def mean(self) -> Estimate:
        try:
            return Estimate(float(np.mean(self.series)), self.standard_error())
        except TooShortError as reason:
            return Estimate(float(np.mean(self.series)), np.nan, f"no error: {reason}")

    def spread(self) -> Estimate:
        """Standard deviation; its error is that of the mean square over twice the deviation.

        Squares forget twice as fast: those of a Gaussian process with correlation ρ have ρ².
        """
        squares = replace(
            self, series=(self.series - np.mean(self.series)) ** 2, memory_frames=max(1.0, self.memory_frames / 2)
        ).mean()
        sd = float(np.std(self.series, ddof=1))
        return Estimate(sd, squares.error / (2 * sd), squares.reason)

    def drift(self) -> Estimate:
        """Slope of a straight line per frame; its error is √12/n times that of the mean of what is left.

        Raises:
            TooShortError: fewer than five blocks.
        """
        n = len(self.series)
        line = stats.linregress(np.arange(n), self.series)
        left = replace(self, series=self.series - line.intercept - line.slope * np.arange(n))
        return Estimate(float(line.slope), np.sqrt(12) / n * left.standard_error())
