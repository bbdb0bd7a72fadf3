"""Learning curves: error against the number of frames at one duration, and against the duration at one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from bpstudy.config.analysis import LearningCurves
from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.statistics.metrics import errors, rms
from bpstudy.training.baselines import fit_ridge, predict_baselines
from bpstudy.training.networks import FitSettings, check_sets, fit_network, fit_scalers, predict_network
from bpstudy.training.sets import TRAIN, FrameSet

HELD_OUT = "held out"


def points(settings: LearningCurves) -> list[tuple[float, int]]:
    """(share of the run, number of frames spread over it) of all points, each once."""
    by_count = [(1.0, count) for count in settings.counts]
    by_share = [(share, settings.count_of_shares) for share in settings.shares]
    return list(dict.fromkeys(by_count + by_share))


def spread(n_frames: int, share: float, count: int) -> np.ndarray:
    """`count` places spread evenly over the first `share` of `n_frames`.

    Raises:
        ValueError: there are not so many.
    """
    within = round(share * n_frames)
    if count > within:
        raise ValueError(f"learning_curves: {count} frames are asked of {within}, the first {share:g} of {n_frames}")
    return np.linspace(0, within - 1, count).round().astype(int)


def learning_curves(
    run: FrameSet,
    held_out: FrameSet,
    experiment: Experiment,
    optimizer: Optimizer,
    points: Sequence[tuple[float, int]],
    seeds: Sequence[int],
    atomic_energies_ev: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Errors on `held_out` of what each choice of frames of `run` teaches: networks, ridge and the mean (no seed).

    Args:
        points: (share of the run from its start, number of frames spread over it).
        atomic_energies_ev: of each element, where the user gave them.

    Returns:
        duration_fs, share, frames, model, seed, the fields of `bpstudy.statistics.Errors`, and where the frames have
        forces force_rmse_mev_per_angstrom.
    """
    rows = []
    times = run.energies["time_fs"].to_numpy()
    settings = FitSettings.of(experiment, optimizer, atomic_energies_ev)
    for share, count in points:
        sets = {TRAIN: run.take(spread(len(times), share, count)), HELD_OUT: held_out}
        check_sets(sets)
        ridge = fit_ridge(sets[TRAIN], settings.force_weight, settings.stress_weight)
        baselines = predict_baselines(sets, ridge).query("set == @HELD_OUT")
        predicted: list[tuple[str, int | None, pd.DataFrame]] = [(m, None, baselines) for m in ("mean", "ridge")]
        scalers = fit_scalers(sets[TRAIN].features)
        for seed in seeds:
            network = fit_network(settings, seed, scalers, sets, ridge if settings.direct else None).network
            predicted.append(("nn", seed, held_out.predicted(**predict_network(network, held_out))))
        for model, start, table in predicted:
            row = {"duration_fs": share * (times[-1] - times[0]), "share": share, "frames": count}
            row |= {"model": "network" if model == "nn" else model, "seed": start}
            row |= asdict(errors(table["energy_dft_ev"], table[f"energy_{model}_ev"], table["n_atoms"]))
            if held_out.forces is not None:
                known = table[f"force_error_{model}_ev_per_angstrom"].dropna()
                row["force_rmse_mev_per_angstrom"] = 1000 * rms(known)
            rows.append(row)
    return pd.DataFrame(rows).astype({"seed": "Int64"})
