"""Learning curves: error against the number of frames at one duration, and against the duration at one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bpstudy.config.analysis import LearningCurves
from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.evaluation import errors
from bpstudy.fitting import TRAIN, FrameSet, fit_network, fit_scalers, predict_baselines


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
    settings: LearningCurves,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Errors on `held_out` of what each choice of frames of `run` teaches: networks, ridge and the mean (no seed)."""
    rows = []
    times = run.energies["time_fs"].to_numpy()
    n_atoms = len(run.features.numbers)
    for share, count in points(settings):
        sets = {TRAIN: run.take(spread(len(times), share, count)), "held out": held_out}
        point = {"duration_fs": share * (times[-1] - times[0]), "share": share, "frames": count}
        baselines = predict_baselines(sets).query("set == 'held out'")
        predicted: list[tuple[str, int | None, ArrayLike]] = [
            (model, None, baselines[f"energy_{model}_ev"]) for model in ("mean", "ridge")
        ]
        scalers = fit_scalers(sets[TRAIN].features)
        for seed in seeds:
            network, _, _ = fit_network(experiment, optimizer, seed, scalers, sets)
            predicted.append(("network", seed, network.energies(held_out.features.by_element())))
        for model, start, energies in predicted:
            scores = asdict(errors(held_out.energies["energy_dft_ev"], energies, n_atoms))
            rows.append({**point, "model": model, "seed": start, **scores})
    return pd.DataFrame(rows).astype({"seed": "Int64"})
