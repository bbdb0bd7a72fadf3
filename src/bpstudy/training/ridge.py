"""What a network has to beat: the mean energy of the atoms, and a linear model of the functions summed over atoms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpstudy.descriptors.features import Features
from bpstudy.descriptors.gradients import Derivatives, ForceSet
from bpstudy.descriptors.strains import StressSet
from bpstudy.network.element import ElementNetwork, Layer
from bpstudy.network.normalization import EnergyScale, is_dead
from bpstudy.statistics.finite import finite_energies, finite_features
from bpstudy.statistics.metrics import rms
from bpstudy.statistics.splits import contiguous_folds

STRENGTHS = np.logspace(-10, 4, 29)

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """E = Σ_atoms (offset of the element + coefficients of the element · G), eV.

    Attributes:
        coefficients: {element: (n_functions,)}, eV.
        offsets_ev: {element: eV}.
        penalty: of the fit that found it: it minimises mean (ΔE / n_atoms)² / spread² + force_weight · mean ΔF² /
            mean F² (+ stress_weight · mean ΔW² / mean W², W the virials per atom) + Σ penalty · coefficients², 1/eV²,
            {element: (n_functions,)}. Dead functions have the coefficient 0, and 1 / spread² here.
    """

    coefficients: Mapping[str, Array]
    offsets_ev: Mapping[str, float]
    penalty: Mapping[str, Array]

    def energies(self, features: Features) -> Array:
        """Energies (n_frames,), eV."""
        energies = np.zeros(features.n_frames)
        for element, of in features.rows.items():
            atomic = self.offsets_ev[element] + of.values @ self.coefficients[element]
            energies += np.bincount(of.frame, atomic, features.n_frames)
        return energies

    def element_network(self, element: str) -> ElementNetwork:
        """The model of one element as a network without hidden layers."""
        coefficients = self.coefficients[element]
        layer = Layer(coefficients[:, None], np.zeros(1), "linear")
        one = np.ones_like(coefficients)
        return ElementNetwork(one, 0 * one, (layer,), 1.0, self.offsets_ev[element])

    def forces(self, known: Derivatives) -> Array:
        """The components (n_components,), in the unit of the targets: eV/Å of forces, eV an atom of virials."""
        forces = np.zeros(len(known.frame))
        for element, d in known.gradients.items():
            forces -= np.bincount(d.component, d.values @ self.coefficients[element], len(forces))
        return forces


def mean_energies(known: Features, energies_ev: ArrayLike, of: Features) -> Array:
    """The mean training energy of the atoms of each element (`EnergyScale`) as prediction: (n_frames,), eV."""
    return EnergyScale.fit(energies_ev, known.counts()).baseline_ev(of.counts())


def ridge(
    features: Features,
    energies_ev: ArrayLike,
    forces: ForceSet | None = None,
    force_weight: float = 1.0,
    n_folds: int = 5,
    gap: int = 0,
    stress: StressSet | None = None,
    stress_weight: float = 1.0,
) -> LinearModel:
    """Ridge regression of energies, forces and stress on sums of the functions over atoms, with the networks' loss.

    The energies of the atoms are fitted too, without a penalty; for one element they are the intercept. The loss is

    Σ (ΔE / n_atoms)² / spread² + (n_frames / N_F) · force_weight · Σ ΔF² / mean F² + strength / spread_E² · |c|², and
    for the virials per atom a term as for the forces, with c the coefficients of the sums per atom, standardised but
    for constant ones, and spread_E that of the energies of cells of the mean number of atoms. Functions that are dead
    for the atoms of their element, as in the networks' `Scaler`, take no part. The strength is chosen among
    `STRENGTHS` by the same loss, without its last term, over contiguous folds of the frames, `gap` frames apart; the
    forces of a fold are those of its frames. For energies of frames of one composition it is
    `sklearn.linear_model.Ridge` on their sums.

    Raises:
        ValueError: values that are not finite, not one energy per frame, too few frames for the folds, a fold without
            forces or stress.
    """
    slopes = [(of, weight) for of, weight in ((forces, force_weight), (stress, stress_weight)) if of is not None]
    problem = _Problem(features, finite_energies(energies_ev, "energies"), slopes)
    errors = np.zeros(len(STRENGTHS))
    for train, test in contiguous_folds(features.n_frames, n_folds, gap):
        fitted = problem.solve(train)
        a, b = problem.rows(test, fitted)
        errors += ((fitted.coefficients @ a.T - b) ** 2).sum(axis=1) / len(test)
    return problem.model(int(errors.argmin()))


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Coefficients for each strength, of columns that are scaled; columns and energies less what the composition
    tells of them, the mean for one element."""

    coefficients: Array  # (n_strengths, n)
    centre: Array  # (n_elements, n)
    scale: Array  # (n,)
    mean: Array  # (n_elements,)


class _Problem:
    """The loss as least squares, for any of the frames, of energies and sums of cells of the mean number of atoms."""

    def __init__(self, features: Features, energies: Array, slopes: Sequence[tuple[Derivatives, float]]) -> None:
        for element, of in features.rows.items():
            finite_features(of.values, f"features[{element}]")
        self.features = features
        self.energy_scale = EnergyScale.fit(energies, features.counts())
        size = features.n_atoms / self.energy_scale.mean_atoms
        self.composition = np.stack(list(features.counts().values()), axis=1) / features.n_atoms[:, None]
        self.x = features.sums() / size[:, None]
        self.dead = np.concatenate([is_dead(of.values) for of in features.rows.values()])
        self.y = (energies - self.energy_scale.baseline_ev(features.counts())) / size
        self.spread = self.energy_scale.unit_ev
        self.slopes = [(of, -of.sums(), rms(of.targets), weight) for of, weight in slopes]

    def rows(self, frames: NDArray[np.intp], of: _Fitted) -> tuple[Array, Array]:
        """The frames' energies about the mean, and their forces and stress, each in its unit."""
        told = self.composition[frames]
        a = (self.x[frames] - told @ of.centre) / (of.scale * self.spread)
        b = (self.y[frames] - told @ of.mean) / self.spread
        rows, targets = [a], [b]
        for known, slopes, unit, weight in self.slopes:
            chosen = np.isin(known.frame, frames)
            if not chosen.any():
                raise ValueError(f"{known.NAME}: a fold of the training frames has none; take those of more frames")
            factor = (weight * len(frames) / chosen.sum()) ** 0.5 / unit
            rows.append(slopes[chosen] * (factor / of.scale))
            targets.append(factor * known.targets[chosen])
        return np.vstack(rows), np.concatenate(targets)

    def solve(self, frames: NDArray[np.intp]) -> _Fitted:
        """The columns are scaled by the frames fitted to, with forces by all; dead ones are nothing in any unit."""
        known = self.x if self.slopes else self.x[frames]
        spread = known.std(axis=0)
        scale = np.where(is_dead(known) | (spread == 0), 1.0, spread)
        scale[self.dead] = np.inf
        both = np.column_stack([self.x[frames], self.y[frames]])
        told = np.asarray(np.linalg.lstsq(self.composition[frames], both, rcond=1e-10)[0], dtype=np.float64)
        of = _Fitted(np.empty(0), told[:, :-1], scale, told[:, -1])
        a, b = self.rows(frames, of)
        u, s, vt = np.linalg.svd(a, full_matrices=False)
        projected = u.T @ b
        shrunk = [s / (s**2 + strength / self.spread**2) * projected for strength in STRENGTHS]
        return replace(of, coefficients=np.array(shrunk) @ vt)

    def model(self, best: int) -> LinearModel:
        """Of all frames, with one strength, in raw functions of each element's atoms."""
        of = self.solve(np.arange(self.features.n_frames))
        raw = of.coefficients[best] / of.scale
        constants = (of.mean - of.centre @ raw) / self.energy_scale.mean_atoms
        of_living = STRENGTHS[best] / self.features.n_frames * of.scale**2
        penalty = np.where(self.dead, 1.0, of_living) / self.spread**2
        rows = self.features.rows
        ends = np.cumsum([known.values.shape[1] for known in rows.values()])[:-1]
        return LinearModel(
            dict(zip(rows, np.split(raw, ends), strict=True)),
            {e: o + float(c) for (e, o), c in zip(self.energy_scale.offsets_ev.items(), constants, strict=True)},
            dict(zip(rows, np.split(penalty, ends), strict=True)),
        )
