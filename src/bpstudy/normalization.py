"""Standardisation of symmetry functions and energies, fitted on the training frames only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

DEAD_RANGE_FRACTION = 1e-8


@dataclass(frozen=True, eq=False)
class Scaler:
    """z = (G - mean) / scale for each function of one element.

    `mean` and `scale` (n_functions,) are the mean and the standard deviation over all atoms of all training frames.
    A function is `dead` when its range over them is at most 1e-8 of the largest range in its block: it carries rounding
    noise at best, so it keeps the unit scale instead of being blown up.
    """

    labels: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    dead: NDArray[np.bool_]

    @classmethod
    def fit(cls, features: ArrayLike, labels: Sequence[str], blocks: Sequence[int] | None = None) -> "Scaler":
        """Fit on `features` (n_frames, n_atoms, n_functions) named by `labels`.

        `blocks` are the sizes of the consecutive blocks (one type of function each); None means one block.
        Raises ValueError for numbers that are not finite and for labels or blocks that do not add up.
        """
        values = finite_features(features, "features")
        n_functions = values.shape[-1]
        if len(labels) != n_functions:
            raise ValueError(f"labels: {len(labels)} names for {n_functions} functions; give one name a function")
        sizes = [n_functions] if blocks is None else list(blocks)
        if sum(sizes) != n_functions or min(sizes, default=0) < 1:
            raise ValueError(f"blocks: sizes {sizes} do not add up to the {n_functions} functions")
        flat = values.reshape(-1, n_functions)
        ranges = np.ptp(flat, axis=0)
        starts = np.cumsum([0, *sizes[:-1]])
        dead = ranges <= DEAD_RANGE_FRACTION * np.repeat(np.maximum.reduceat(ranges, starts), sizes)
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


def finite_features(features: ArrayLike, name: str) -> NDArray[np.float64]:
    """`features` as float64 (n_frames, n_atoms, n_functions). Raises ValueError that names the first bad number."""
    values = np.ascontiguousarray(features, dtype=np.float64)
    if values.ndim != 3 or values.size == 0:
        raise ValueError(f"{name}: shape {values.shape}, expected a non-empty (n_frames, n_atoms, n_functions)")
    _refuse_non_finite(values, name, ("frame", "atom", "function"))
    return values


def finite_energies(energies_ev: ArrayLike, name: str) -> NDArray[np.float64]:
    """`energies_ev` as float64 (n_frames,), eV a cell. Raises ValueError, naming the first bad frame."""
    values = np.ascontiguousarray(energies_ev, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name}: shape {values.shape}, expected a non-empty (n_frames,)")
    _refuse_non_finite(values, name, ("frame",))
    return values


def _refuse_non_finite(values: NDArray[np.float64], name: str, axes: tuple[str, ...]) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        place = ", ".join(f"{axis} {index}" for axis, index in zip(axes, bad[0], strict=True))
        value = values[tuple(bad[0])]
        raise ValueError(
            f"{name}: {len(bad)} value(s) not finite, the first {value} at {place}; remove or recompute it"
        )
