"""What a network has to beat: the mean energy, and a linear model of the functions summed over atoms."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bpstudy.evaluation.splits import contiguous_folds
from bpstudy.normalization import DEAD_RANGE_FRACTION, finite_energies, finite_features

STRENGTHS = np.logspace(-10, 4, 29)


class LiveScaler(StandardScaler):
    """Zero mean and unit variance, but for columns whose range is at most 1e-8 of the largest: these keep their scale.

    As in the networks (`bpstudy.normalization.Scaler`): blown up to unit variance, a function that is all but dead in
    training would rule the prediction of the first frame in which it is not.
    """

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        ranges = np.ptp(X, axis=0)
        self.scale_[ranges <= DEAD_RANGE_FRACTION * ranges.max()] = 1.0
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
