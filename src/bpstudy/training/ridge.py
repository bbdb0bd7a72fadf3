"""What a network has to beat: the mean energy, and a linear model of the functions summed over atoms."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bpstudy.network.normalization import is_dead
from bpstudy.statistics.finite import finite_energies, finite_features
from bpstudy.statistics.splits import contiguous_folds

STRENGTHS = np.logspace(-10, 4, 29)

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """E = intercept + Σ coefficients · Σ_atoms G, eV."""

    coefficients: Array
    intercept: float

    def energies(self, sums: Array) -> Array:
        """Cell energies (n_frames,), eV, from the functions summed over atoms (n_frames, n)."""
        return sums @ self.coefficients + self.intercept

    def forces(self, gradients: Array) -> Array:
        """Forces (n_frames, n_components), eV/Å, from dG/dR summed over atoms (n_frames, n_components, n)."""
        return -gradients @ self.coefficients


@dataclass(frozen=True, eq=False)
class KnownForces:
    """Forces of some training frames: which frames, dG/dR summed over atoms, forces (eV/Å), weight in the loss."""

    places: NDArray[np.intp]  # (n_frames,)
    gradients: Array  # (n_frames, n_components, n)
    forces: Array  # (n_frames, n_components)
    weight: float


class LiveScaler(StandardScaler):
    """Zero mean and unit variance, but for dead columns, as in the networks (`network.normalization.Scaler`)."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.scale_[is_dead(X)] = 1.0
        return self


def sum_over_atoms(features: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    """(n_frames, n) sums over atoms of {element: (n_frames, n_atoms, n_functions)}, elements side by side."""
    return np.hstack([finite_features(x, f"features[{element}]").sum(axis=1) for element, x in features.items()])


def mean_baseline(energies_ev: ArrayLike, n_frames: int) -> NDArray[np.float64]:
    """The mean of the training energies as prediction for `n_frames` frames."""
    return np.full(n_frames, finite_energies(energies_ev, "energies").mean())


def ridge_baseline(
    features: Mapping[str, ArrayLike], energies_ev: ArrayLike, n_folds: int = 5, gap: int = 0
) -> GridSearchCV:
    """Ridge regression of cell energies on sums over atoms (`LiveScaler`): `.predict(sum_over_atoms(features))`.

    Its strength is chosen among `STRENGTHS` by the mean squared error over contiguous folds of the training frames,
    `gap` frames apart; `.best_params_["ridge__alpha"]` tells it.

    Raises:
        ValueError: values that are not finite, not one energy a frame, too few frames for the folds.
    """
    x, y = sum_over_atoms(features), finite_energies(energies_ev, "energies")
    if len(x) != len(y):
        raise ValueError(f"energies: {len(y)} for {len(x)} frames of features; give one energy a frame")
    search = GridSearchCV(
        make_pipeline(LiveScaler(), Ridge(solver="svd")),
        {"ridge__alpha": STRENGTHS},
        scoring="neg_mean_squared_error",
        cv=list(contiguous_folds(len(y), n_folds, gap)),
    )
    return search.fit(x, y)


def linear_model(search: GridSearchCV) -> LinearModel:
    """What `ridge_baseline` found, in raw sums."""
    scaler, ridge = search.best_estimator_
    coefficients = ridge.coef_ / scaler.scale_
    return LinearModel(coefficients, float(ridge.intercept_ - scaler.mean_ @ coefficients))


def ridge_force_baseline(
    features: Mapping[str, ArrayLike], energies_ev: ArrayLike, known: KnownForces, n_folds: int = 5, gap: int = 0
) -> LinearModel:
    """`ridge_baseline` on energies and forces, with the networks' loss and the strength chosen by it.

    (n_frames / N_F) · weight · Σ (F error)² / mean F² is added to Σ (E error)² / var(E), so without forces it is
    `ridge_baseline`. The forces of a fold are those of its frames.

    Raises:
        ValueError: as `ridge_baseline`, or a fold without forces.
    """
    x, y = sum_over_atoms(features), finite_energies(energies_ev, "energies")
    scaler = LiveScaler().fit(x)
    z, slopes = scaler.transform(x), -known.gradients / scaler.scale_
    spread, rms = y.std(), float(np.sqrt((known.forces**2).mean()))

    def rows(frames: NDArray[np.intp], centre: Array, mean: float) -> tuple[Array, Array]:
        """The loss as least squares: the frames' energies about `mean`, and their forces, each in its unit."""
        chosen = np.isin(known.places, frames)
        if not chosen.any():
            raise ValueError("forces: a fold of the training frames has none; take those of more frames")
        a, b = slopes[chosen].reshape(-1, z.shape[1]), known.forces[chosen].ravel()
        factor = (known.weight * len(frames) / len(b)) ** 0.5 / rms
        left = np.vstack([(z[frames] - centre) / spread, factor * a])
        return left, np.concatenate([(y[frames] - mean) / spread, factor * b])

    def solve(frames: NDArray[np.intp]) -> tuple[Array, Array, float]:
        """Coefficients of z for each strength, and what the energies are centred about."""
        centre, mean = z[frames].mean(axis=0), float(y[frames].mean())
        a, b = rows(frames, centre, mean)
        u, s, vt = np.linalg.svd(a, full_matrices=False)
        return (
            np.array([vt.T @ (s / (s**2 + strength / spread**2) * (u.T @ b)) for strength in STRENGTHS]),
            centre,
            mean,
        )

    errors = np.zeros(len(STRENGTHS))
    for train, test in contiguous_folds(len(y), n_folds, gap):
        coefficients, centre, mean = solve(train)
        a, b = rows(test, centre, mean)
        errors += ((coefficients @ a.T - b) ** 2).sum(axis=1)
    coefficients, centre, mean = solve(np.arange(len(y)))
    best = coefficients[errors.argmin()]
    raw = best / scaler.scale_
    return LinearModel(raw, float(mean - centre @ best - scaler.mean_ @ raw))
