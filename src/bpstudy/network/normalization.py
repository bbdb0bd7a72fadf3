"""Standardisation of symmetry functions and energies, fitted on the training frames only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpstudy.statistics.finite import finite_energies, finite_features

DEAD_RANGE = 1e-3  # a thousandth of a neighbour


def is_dead(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which columns of (n, n_functions) tell next to nothing: a range of at most `DEAD_RANGE`, or that fraction of the
    largest range where that is below 1.

    G counts neighbours. A function that sees less than a thousandth of one, as G2 centred nearer than atoms come, is
    rounding noise or the tail of a few close pairs: at unit variance the first closer pair of another run would lie a
    hundred standard deviations away and rule the prediction.
    """
    ranges = np.ptp(values, axis=0)
    return np.asarray(ranges <= DEAD_RANGE * min(1.0, ranges.max()))


@dataclass(frozen=True, eq=False)
class Scaler:
    """z = (G - mean) / scale for each function of one element.

    `mean` and `scale` (n_functions,) are the mean and the standard deviation over all atoms of all training frames.
    A `dead` function (`is_dead`) keeps the unit scale instead of being blown up.
    """

    labels: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    dead: NDArray[np.bool_]

    @classmethod
    def fit(cls, features: ArrayLike, labels: Sequence[str]) -> "Scaler":
        """Fit on `features` (n_frames, n_atoms, n_functions) named by `labels`.

        Raises ValueError for numbers that are not finite and for labels that do not add up.
        """
        values = finite_features(features, "features")
        n_functions = values.shape[-1]
        if len(labels) != n_functions:
            raise ValueError(f"labels: {len(labels)} names for {n_functions} functions; give one name a function")
        flat = values.reshape(-1, n_functions)
        dead = is_dead(flat)
        return cls(tuple(labels), flat.mean(axis=0), np.where(dead, 1.0, flat.std(axis=0)), dead)

    def transform(self, features: ArrayLike) -> NDArray[np.float64]:
        """Standardised features, in the shape given (..., n_functions)."""
        return (np.asarray(features, dtype=np.float64) - self.mean) / self.scale

    @property
    def dead_labels(self) -> tuple[str, ...]:
        """The functions that carry no information on the training frames."""
        return tuple(label for label, dead in zip(self.labels, self.dead, strict=True) if dead)

    def to_dict(self) -> dict[str, list[Any]]:
        """Plain lists, ready for JSON (numbers survive exactly)."""
        return {
            "labels": list(self.labels),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "dead": self.dead.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, list[Any]]) -> "Scaler":
        """Inverse of `to_dict`."""
        return cls(
            tuple(data["labels"]),
            np.asarray(data["mean"], dtype=np.float64),
            np.asarray(data["scale"], dtype=np.float64),
            np.asarray(data["dead"], dtype=bool),
        )


@dataclass(frozen=True)
class EnergyScale:
    """E_cell = sum over atoms of (offset + scale * a_i), with network outputs a_i of order one.

    The offset is the mean energy an atom; the scale sd(E)/sqrt(n_atoms) gives cells of n_atoms independent a_i of unit
    variance the spread of the training energies.
    """

    offset_ev_per_atom: float
    scale_ev_per_atom: float

    @classmethod
    def fit(cls, energies_ev: ArrayLike, n_atoms: int) -> "EnergyScale":
        """Fit on cell energies (n_frames,) of cells of `n_atoms`. Raises ValueError if they hold nothing to learn."""
        energies = finite_energies(energies_ev, "energies")
        spread = float(energies.std())
        if spread <= 1e-12 * max(1.0, float(np.abs(energies).max())):
            raise ValueError(
                f"energies: {energies.size} frame(s) of one energy hold nothing to learn; give more frames"
            )
        return cls(float(energies.mean()) / n_atoms, spread / float(np.sqrt(n_atoms)))
