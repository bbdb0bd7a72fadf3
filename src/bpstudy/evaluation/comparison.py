"""Experiments compared with each other on the same frames, paired by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import ceil

import numpy as np
import pandas as pd

from bpstudy.config.analysis import FEWEST_COMPARED, Comparisons
from bpstudy.statistics.bootstrap import Comparison, paired_bootstrap
from bpstudy.statistics.correlation import integrated_time

BLOCK_TIMES = 3  # autocorrelation times of the residuals that a block is long at the least
MIN_BLOCKS = FEWEST_COMPARED // 2  # so many blocks at the least, whatever their length should be


def compare(
    predictions: Mapping[str, Sequence[pd.DataFrame]], n_atoms: int, settings: Comparisons
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ranking of the experiments and the differences of all pairs, on each set of frames that all of them have.

    Validation frames do not count: fits stop where they do best on them.

    Blocks of the bootstrap last `settings.block_fs` (where times are known) and 3 integrated autocorrelation times of
    the residuals at the least, unless fewer than 5 would be left: the column `blocks` tells how many there were.

    Args:
        predictions: tables of predictions of each experiment, one a seed, the seeds in the same order.
        n_atoms: atoms of the cell, where the tables do not tell those of each frame.

    Returns:
        (ranking, differences), errors in meV per atom.

    Raises:
        ValueError: sets of the same name with other frames, or too few frames.
    """
    rankings, differences = [], []
    for chosen in _shared_sets(predictions):
        residuals, step_fs = _residuals(predictions, chosen)
        block = block_length(residuals, step_fs, settings.block_fs)
        rng = np.random.default_rng(settings.seed)
        result = paired_bootstrap(
            residuals * 1000 / _sizes(predictions, chosen, n_atoms), block, rng, settings.draws, settings.confidence
        )
        rankings.append(_ranking(result, list(predictions)).assign(set=chosen, blocks=residuals.shape[2] // block))
        differences.append(_differences(result, list(predictions)).assign(set=chosen))
    return pd.concat(rankings, ignore_index=True), pd.concat(differences, ignore_index=True)


def _shared_sets(predictions: Mapping[str, Sequence[pd.DataFrame]]) -> list[str]:
    """Sets of frames that every experiment has; the training frames only where all were trained on the same."""
    tables = [table for of in predictions.values() for table in of]
    shared = []
    for name in tables[0]["set"].unique():
        frames = [table.loc[table["set"] == name, "frame"].tolist() for table in tables]
        same = name != "train" or all(of == frames[0] for of in frames)
        if all(frames) and same and name != "validation":
            shared.append(name)
    if not shared:
        raise ValueError(f"{', '.join(predictions)} share no frames that they are tested on")
    return shared


def _residuals(predictions: Mapping[str, Sequence[pd.DataFrame]], chosen: str) -> tuple[np.ndarray, float]:
    """(n_experiments, n_seeds, n_frames) in eV per cell, and the time between two frames, fs; NaN if unknown."""
    rows = {name: [table[table["set"] == chosen] for table in tables] for name, tables in predictions.items()}
    first = next(iter(rows.values()))[0]
    for name, tables in rows.items():
        if any(table["frame"].tolist() != first["frame"].tolist() for table in tables):
            raise ValueError(f"{name} was tested on other frames '{chosen}' than {next(iter(rows))}")
    residuals = [[(t["energy_nn_ev"] - t["energy_dft_ev"]).to_numpy() for t in tables] for tables in rows.values()]
    return np.array(residuals), float(np.diff(first["time_fs"]).min())


def _sizes(predictions: Mapping[str, Sequence[pd.DataFrame]], chosen: str, n_atoms: int) -> np.ndarray | int:
    """Atoms of each frame of a set."""
    first = next(iter(predictions.values()))[0]
    return first.loc[first["set"] == chosen, "n_atoms"].to_numpy() if "n_atoms" in first else n_atoms


def block_length(residuals: np.ndarray, step_fs: float, block_fs: float) -> int:
    """Frames of a block of the bootstrap; residuals (n_experiments, n_seeds, n_frames).

    Raises:
        ValueError: too few frames.
    """
    n_frames = residuals.shape[2]
    if n_frames < FEWEST_COMPARED:
        raise ValueError(f"{n_frames} frames are too few for {MIN_BLOCKS} blocks of two; test on more")
    slowest = max(integrated_time(series) for series in residuals.mean(axis=1))
    timed = ceil(block_fs / step_fs) if np.isfinite(step_fs) else 1
    return min(max(timed, ceil(BLOCK_TIMES * slowest)), n_frames // MIN_BLOCKS)


def _ranking(result: Comparison, names: Sequence[str]) -> pd.DataFrame:
    low, high = result.intervals.T
    table = pd.DataFrame(
        {
            "experiment": names,
            "rmse_mev_per_atom": result.estimate,
            "low": low,
            "high": high,
            "rank": result.estimate.argsort().argsort() + 1,
            "probability_best": result.probability_best,
            "probability_worst": result.probability_worst,
        }
    )
    return table.sort_values("rank", ignore_index=True)


def _differences(result: Comparison, names: Sequence[str]) -> pd.DataFrame:
    rows = [(names[a], names[b], *result.difference(a, b)) for a, b in combinations(range(len(names)), 2)]
    return pd.DataFrame(rows, columns=["first", "second", "difference_mev_per_atom", "low", "high"])
