"""Which setting is best, and how certain that is: a paired bootstrap over seeds and blocks of frames."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """RMSE of each setting, averaged over seeds, in the unit of the errors given, with its bootstrap draws."""

    estimate: Array  # (n_settings,)
    draws: Array  # (n_draws, n_settings)
    confidence: float

    @property
    def intervals(self) -> Array:
        """(n_settings, 2) percentile intervals."""
        return self._interval(self.draws).T

    @property
    def probability_best(self) -> Array:
        """(n_settings,) fraction of draws in which a setting has the lowest error; ties are shared."""
        return _share(self.draws == self.draws.min(axis=1, keepdims=True))

    @property
    def probability_worst(self) -> Array:
        """(n_settings,) fraction of draws in which a setting has the highest error; ties are shared."""
        return _share(self.draws == self.draws.max(axis=1, keepdims=True))

    def difference(self, first: int, second: int) -> tuple[float, float, float]:
        """Error of `first` minus that of `second`: estimate, and lower and upper end of its confidence interval."""
        low, high = self._interval(self.draws[:, first] - self.draws[:, second])
        return float(self.estimate[first] - self.estimate[second]), float(low), float(high)

    def _interval(self, draws: Array) -> Array:
        tail = (1 - self.confidence) / 2
        return np.quantile(draws, [tail, 1 - tail], axis=0)


def _share(chosen: NDArray[np.bool_]) -> Array:
    return np.asarray((chosen / chosen.sum(axis=1, keepdims=True)).mean(axis=0))


def paired_bootstrap(
    residuals: ArrayLike,
    block_length: int,
    rng: np.random.Generator,
    n_draws: int = 5000,
    confidence: float = 0.95,
) -> Comparison:
    """Compare settings by their residuals (n_settings, n_seeds, n_frames) on the same frames with the same seeds.

    Each draw resamples seeds, and blocks of `block_length` consecutive frames, with replacement, identically for all
    settings: whatever makes a seed or a block hard for all of them cancels in the differences. Blocks must be longer
    than the autocorrelation time of the errors (H. R. Künsch, Ann. Stat. 17, 1217 (1989), doi:10.1214/aos/1176347265;
    here non-overlapping; the frames of a shorter last block enter the estimate but not the draws).

    Raises:
        ValueError: residuals of the wrong shape or not finite, or fewer than two blocks.
    """
    values = np.asarray(residuals, dtype=np.float64)
    if values.ndim != 3 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"residuals: shape {values.shape}, expected finite (n_settings, n_seeds, n_frames)")
    n_settings, n_seeds, n_frames = values.shape
    if block_length < 1 or n_frames // block_length < 2:
        raise ValueError(f"block_length: {block_length} of {n_frames} frames; at least two blocks are needed")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: {confidence}; it must be between 0 and 1")
    n_blocks = n_frames // block_length
    squares = values**2
    blocks = squares[..., : n_blocks * block_length].reshape(n_settings, n_seeds, n_blocks, block_length).mean(axis=3)
    draws = np.empty((n_draws, n_settings))
    for draw in draws:
        block_weights = rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks)) / n_blocks
        seed_weights = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds)) / n_seeds
        draw[:] = np.sqrt(blocks @ block_weights) @ seed_weights
    return Comparison(np.sqrt(squares.mean(axis=2)).mean(axis=1), draws, confidence)
