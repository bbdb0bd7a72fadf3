"""Information content of sets of functions: dead ones, redundancy, and whether frames close in G are close in E."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bpstudy.statistics.information import correlation_matrix, effective_rank, nearest_neighbours
from bpstudy.training.networks import fit_scalers
from bpstudy.training.sets import FrameSet


def information(frames: FrameSet, memory_fs: float) -> dict[str, float]:
    """Dead functions, effective rank, and degeneracy (see `bpstudy.statistics`) of the functions of some frames.

    Numbers of functions are summed over elements. The neighbours of a frame are those nearest in the sums of the
    functions over its atoms, at least `memory_fs` away in time, if the frames last that long and their times are known.
    """
    features = frames.features
    scalers = fit_scalers(features)
    steps = np.diff(frames.energies["time_fs"])
    timed = bool(np.isfinite(steps).all()) and steps.min() > 0
    apart = min(round(memory_fs / steps.min()), len(steps) // 4) if timed else 0
    # Per atom, so that frames of different sizes compare.
    sums, energies = features.sums() / features.n_atoms[:, None], frames.energies_ev / features.n_atoms
    neighbours = nearest_neighbours(sums, energies, exclude=apart)
    return {
        "frames": len(frames.energies),
        "functions": sum(of.values.shape[1] for of in features.rows.values()),
        "dead": sum(len(scaler.dead_labels) for scaler in scalers.values()),
        "effective_rank": sum(effective_rank(of.values) for of in features.rows.values()),
        "degeneracy": neighbours.degeneracy,
    }


def correlations(frames: FrameSet) -> pd.DataFrame:
    """Pearson correlation of each pair of functions over all atoms: element, first, second, correlation."""
    tables = []
    for element, of in frames.features.rows.items():
        labels = list(frames.features.labels[element])
        matrix = pd.DataFrame(correlation_matrix(of.values), index=labels, columns=labels)
        long = matrix.rename_axis("first").melt(ignore_index=False, var_name="second", value_name="correlation")
        tables.append(long.reset_index().assign(element=element))
    return pd.concat(tables, ignore_index=True)
