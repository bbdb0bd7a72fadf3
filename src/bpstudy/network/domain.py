"""The training domain of an element: the range and the covariance of its symmetry functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RANK_TOLERANCE = 1e-10  # relative variance below which a direction of the training functions is rounding

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Known:
    """What the training atoms of an element were like.

    `low`, `high` (n_functions,) is the range of each function. `directions` (n_functions, k) turn G − `mean` into k
    uncorrelated numbers of unit variance, so that |(G − mean) @ directions| / √k is the Mahalanobis distance in units
    of that of a typical training atom; `farthest` is the largest of a training atom.
    """

    low: Array
    high: Array
    mean: Array
    directions: Array
    farthest: float

    @classmethod
    def of(cls, values: Array) -> Known:
        """From raw functions of all training atoms, (n, n_functions)."""
        low, high, mean = values.min(axis=0), values.max(axis=0), values.mean(axis=0)
        width = np.where(high > low, high - low, 1.0)
        variances, vectors = np.linalg.eigh(
            np.cov((values - mean) / width, rowvar=False, ddof=0).reshape(2 * low.shape)
        )
        kept = variances > RANK_TOLERANCE * max(float(variances.max()), np.finfo(float).tiny)
        directions = vectors[:, kept] / np.sqrt(variances[kept]) / width[:, None]
        known = cls(low, high, mean, directions, 0.0)
        return cls(low, high, mean, directions, float(known.distance(values).max()))

    def distance(self, values: Array) -> Array:
        """Mahalanobis distance of each atom; 1 is typical."""
        size = max(self.directions.shape[1], 1)
        return np.asarray(np.sqrt((((values - self.mean) @ self.directions) ** 2).sum(axis=1) / size))

    def outside(self, values: Array, margin: float) -> tuple[int, int | None, float] | None:
        """The atom that is farthest outside by more than `margin`, if any: (atom, function or None, by how much).

        A function counts in units of its range, the Mahalanobis distance (function None) of the largest in training.
        """
        width = np.maximum(self.high - self.low, 1e-8 * max(float((self.high - self.low).max()), 1e-12))
        beyond = np.maximum(self.low - values, values - self.high) / width
        farther = self.distance(values) / max(self.farthest, 1e-12) - 1
        atom, function = np.unravel_index(int(beyond.argmax()), beyond.shape)
        if beyond[atom, function] > margin:
            return int(atom), int(function), float(beyond[atom, function])
        atom = farther.argmax()
        return (int(atom), None, float(farther[atom])) if farther[atom] > margin else None

    def to_dict(self) -> dict[str, Any]:
        arrays = {key: getattr(self, key).tolist() for key in ("low", "high", "mean", "directions")}
        return {**arrays, "farthest": self.farthest}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Known:
        arrays = {key: np.array(data[key], dtype=float) for key in ("low", "high", "mean", "directions")}
        return cls(**arrays, farthest=float(data["farthest"]))
