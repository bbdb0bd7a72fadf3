"""What a fit is worth: splits, errors, baselines, uncertainty; and what the descriptors hold. Pure functions."""

from bpstudy.evaluation.baselines import mean_baseline, ridge_baseline, sum_over_atoms
from bpstudy.evaluation.bootstrap import Comparison, paired_bootstrap
from bpstudy.evaluation.correlation import autocorrelation, decay_time, effective_size, integrated_time
from bpstudy.evaluation.information import correlation_matrix, effective_rank, nearest_neighbours
from bpstudy.evaluation.metrics import Errors, errors, rms
from bpstudy.evaluation.smoothness import band_edge, rms_above
from bpstudy.evaluation.splits import Split, contiguous_folds, split_frames

__all__ = [
    "Comparison",
    "Errors",
    "Split",
    "autocorrelation",
    "band_edge",
    "contiguous_folds",
    "correlation_matrix",
    "decay_time",
    "effective_rank",
    "effective_size",
    "errors",
    "integrated_time",
    "mean_baseline",
    "nearest_neighbours",
    "paired_bootstrap",
    "ridge_baseline",
    "rms",
    "rms_above",
    "split_frames",
    "sum_over_atoms",
]
