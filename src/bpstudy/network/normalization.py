"""Standardisation of symmetry functions and energies, fitted on the training frames only."""

from collections.abc import Mapping, Sequence
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
        """Fit on `features` (n_atoms, n_functions), all atoms of all training frames, named by `labels`.

        Raises ValueError for numbers that are not finite and for labels that do not add up.
        """
        values = finite_features(features, "features")
        n_functions = values.shape[-1]
        if len(labels) != n_functions:
            raise ValueError(f"labels: {len(labels)} names for {n_functions} functions; give one name a function")
        dead = is_dead(values)
        return cls(tuple(labels), values.mean(axis=0), np.where(dead, 1.0, values.std(axis=0)), dead)

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
    """E = Σ_atoms (offset of the element + scale · a_i), with network outputs a_i of order one.

    The offsets are the energies of the atoms: least squares of the energies per atom over the compositions, the mean
    energy per atom for frames of one composition. `spread_ev_per_atom` is the standard deviation of what they leave,
    an atom. scale = spread · √(mean number of atoms) gives independent a_i of unit variance the spread of the energies.

    Attributes:
        offsets_ev: {element: eV}.
        spread_ev_per_atom: eV.
        mean_atoms: mean number of atoms of the training frames.
    """

    offsets_ev: Mapping[str, float]
    spread_ev_per_atom: float
    mean_atoms: float

    @property
    def scale_ev(self) -> float:
        """Atomic energy of a network output of 1, eV."""
        return self.spread_ev_per_atom * self.mean_atoms**0.5

    @property
    def unit_ev(self) -> float:
        """Spread of the energies of cells of `mean_atoms` atoms, eV; the unit of energy errors in the loss."""
        return self.spread_ev_per_atom * self.mean_atoms

    def baseline_ev(self, counts: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """Σ_atoms offset of frames with `counts` atoms of each element, (n_frames,), eV."""
        return np.asarray(sum(self.offsets_ev[element] * np.asarray(n) for element, n in counts.items()), dtype=float)

    @classmethod
    def fit(
        cls,
        energies_ev: ArrayLike,
        counts: Mapping[str, ArrayLike],
        offsets_ev: Mapping[str, float] | None = None,
    ) -> "EnergyScale":
        """Fit on energies (n_frames,) of frames with `counts` atoms of each element, {element: (n_frames,)}.

        Args:
            offsets_ev: the energies of the atoms, where they are known (of isolated atoms, for example).

        Raises:
            ValueError: not one energy per frame, an element without a given offset, or energies that hold nothing to
                learn.
        """
        energies = finite_energies(energies_ev, "energies")
        table = np.stack([np.asarray(n, dtype=float) for n in counts.values()], axis=1)
        if len(table) != len(energies):
            raise ValueError(f"energies: {len(energies)} for {len(table)} frames; give one energy a frame")
        n_atoms = table.sum(axis=1)
        per_atom, composition = energies / n_atoms, table / n_atoms[:, None]
        if offsets_ev is None:
            mean, centre = per_atom.mean(), composition.mean(axis=0)
            # Of compositions that do not tell the elements apart, the solution with the least differences.
            slopes = np.linalg.lstsq(composition - centre, per_atom - mean, rcond=1e-10)[0]
            offsets = dict(zip(counts, (mean - centre @ slopes + slopes).tolist(), strict=True))
        else:
            if missing := [element for element in counts if element not in offsets_ev]:
                raise ValueError(f"atomic energies: none for {', '.join(missing)}; give one for each element, in eV")
            offsets = {element: float(offsets_ev[element]) for element in counts}
        left = per_atom - composition @ np.array(list(offsets.values()))
        spread = float(left.std())
        if spread <= 1e-12 * max(1.0, float(np.abs(per_atom).max())):
            raise ValueError(
                f"energies: {energies.size} frame(s) whose energies per atom differ by composition alone hold nothing "
                "to learn; give more frames"
            )
        return cls(offsets, spread, float(n_atoms.mean()))
