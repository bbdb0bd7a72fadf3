"""When the mean temperature of a run has settled at the bath's: a time with a confidence interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpstudy.thermal.blocking import LEAST_BLOCKS, TooShortError

Array = NDArray[np.float64]


def settling_blocks(means: Array, bath_kelvin: float, tolerance: float) -> Array:
    """Number of blocks n from which the running mean of each run stays within a tolerance of the bath's temperature:
    |Σ_(k<m) T_k / m − T_bath| ≤ tolerance·T_bath for all m ≥ n.

    Args:
        means: (..., n_blocks) mean temperature of each block from the start of the run on, K.
        tolerance: relative.

    Returns:
        (...) number of blocks; infinity where the mean over the whole run lies outside.
    """
    values = np.asarray(means, dtype=np.float64)
    lengths = np.arange(1, values.shape[-1] + 1)
    outside = np.abs(np.cumsum(values, axis=-1) / lengths - bath_kelvin) > tolerance * bath_kelvin
    last_outside = np.where(outside, lengths, 0).max(axis=-1)
    return np.where(last_outside < values.shape[-1], last_outside + 1.0, np.inf)


def settling_interval(
    means: Array,
    start: int,
    memory_blocks: int,
    bath_kelvin: float,
    tolerance: float,
    rng: np.random.Generator,
    n_draws: int = 5000,
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """`settling_blocks` of a run, with the percentile interval of runs that start alike and then fluctuate alike.

    The blocks before `start`, which relax towards the bath, stay; those after it are resampled as stretches of
    `memory_blocks` consecutive blocks (circular block bootstrap, D. N. Politis, J. P. Romano, in Exploring the Limits
    of Bootstrap, Wiley 1992, p. 263), shifted so that their expectation is the bath's temperature.

    Raises:
        TooShortError: fewer than five stretches after `start`.
    """
    values = np.asarray(means, dtype=np.float64)
    warm = values[start:]
    n_stretches = -(-len(warm) // memory_blocks)
    if n_stretches < LEAST_BLOCKS:
        raise TooShortError(f"{len(warm)} blocks in equilibrium, {LEAST_BLOCKS * memory_blocks} are needed")
    around = warm - warm.mean() + bath_kelvin
    first = rng.integers(len(warm), size=(n_draws, n_stretches, 1))
    drawn = around[(first + np.arange(memory_blocks)) % len(warm)].reshape(n_draws, -1)[:, : len(warm)]
    runs = np.concatenate([np.broadcast_to(values[:start], (n_draws, start)), drawn], axis=1)
    tail = (1 - confidence) / 2
    # An order statistic: between a finite time and none there is nothing to interpolate.
    low, high = np.quantile(settling_blocks(runs, bath_kelvin, tolerance), [tail, 1 - tail], method="nearest")
    return float(settling_blocks(values, bath_kelvin, tolerance)), float(low), float(high)
