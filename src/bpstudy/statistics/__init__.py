"""Splits, errors, correlation times, bootstrap intervals, descriptor content: pure functions of arrays."""

from bpstudy.statistics.bootstrap import Comparison, paired_bootstrap
from bpstudy.statistics.correlation import autocorrelation, decay_time, effective_size, integrated_time
from bpstudy.statistics.information import correlation_matrix, effective_rank, nearest_neighbours
from bpstudy.statistics.metrics import Errors, errors, rms
from bpstudy.statistics.smoothness import band_edge, rms_above
from bpstudy.statistics.splits import Split, contiguous_folds, split_frames

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
    "nearest_neighbours",
    "paired_bootstrap",
    "rms",
    "rms_above",
    "split_frames",
]
