"""The baselines of an experiment on each of its sets of frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpstudy.training.ridge import LinearModel, mean_energies, ridge
from bpstudy.training.sets import TRAIN, FrameSet

FOLD_GAP = 20  # a twentieth of the training frames lies between the folds that choose the strength of ridge


def fit_ridge(known: FrameSet, force_weight: float = 0.0, stress_weight: float = 0.0) -> LinearModel:
    """Ridge on the sums of G, with forces and stress in its fit where they have a weight in that of the networks."""
    gap = known.features.n_frames // FOLD_GAP
    forces = known.forces if force_weight else None
    stress = known.stress if stress_weight else None
    return ridge(
        known.features, known.energies_ev, forces, force_weight, gap=gap, stress=stress, stress_weight=stress_weight
    )


def predict_baselines(sets: Mapping[str, FrameSet], model: LinearModel) -> pd.DataFrame:
    """What the networks have to beat on each set: the mean of the training energies, and ridge."""
    return by_set({name: of.predicted(**_predictions(of, sets[TRAIN], model)) for name, of in sets.items()})


def _predictions(of: FrameSet, known: FrameSet, model: LinearModel) -> dict[str, np.ndarray]:
    """Columns of the table of the baselines; the mean energy has no forces and no stress."""
    columns = {
        "energy_mean_ev": mean_energies(known.features, known.energies_ev, of.features),
        "energy_ridge_ev": model.energies(of.features),
    }
    if of.forces is not None:
        columns["force_error_mean_ev_per_angstrom"] = of.force_errors(np.zeros_like(of.forces.forces_ev_per_angstrom))
        columns["force_error_ridge_ev_per_angstrom"] = of.force_errors(model.forces(of.forces))
    if of.stress is not None:
        columns["stress_error_mean_gpa"] = of.stress_errors(np.zeros_like(of.stress.targets))
        columns["stress_error_ridge_gpa"] = of.stress_errors(model.forces(of.stress))
    return columns


def by_set(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables of several sets, one after the other, with the name of the set."""
    return pd.concat([table.assign(set=name) for name, table in tables.items()], ignore_index=True)
