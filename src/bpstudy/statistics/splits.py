"""Training, validation and test sets, separated in time: consecutive frames of a trajectory are nearly identical."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Split:
    """Frame indices of the three sets; `validation` may be empty."""

    train: range
    validation: range
    test: range


def split_frames(
    n_frames: int, *, n_train: int, n_test: int, gap: int, n_validation: int = 0, start: int = 0, stride: int = 1
) -> Split:
    """Every `stride`-th frame from `start` for training, the last `n_test` for testing, those before for validation.

    The sets are at least `gap` frames apart, which should be several autocorrelation times.

    Raises:
        ValueError: the trajectory is too short, or a number is out of range.
    """
    if min(n_train, n_test, stride) < 1 or min(gap, n_validation, start) < 0:
        raise ValueError(
            f"n_train {n_train}, n_test {n_test} and stride {stride} must be positive; "
            f"gap {gap}, n_validation {n_validation} and start {start} not negative"
        )
    span = (n_train - 1) * stride + 1
    needed = start + span + gap + n_test + (n_validation + gap if n_validation else 0)
    if needed > n_frames:
        raise ValueError(
            f"the split needs {needed} frames ({n_train} to train at stride {stride} from {start}, {n_validation} to "
            f"validate, {n_test} to test, gaps of {gap}); the trajectory has {n_frames}: shorten one or simulate more"
        )
    test = range(n_frames - n_test, n_frames)
    end = test.start - gap
    validation = range(end - n_validation, end)
    return Split(range(start, start + span, stride), validation, test)


def folds_in_time(count: int, n_folds: int = 5) -> NDArray[np.intp]:
    """The fold of each of `count` frames, (count,): consecutive ones share a fold; fewer folds for fewer frames."""
    return np.arange(count) * min(n_folds, count) // count


def contiguous_folds(
    n_frames: int, n_folds: int = 5, gap: int = 0
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """(train, test) indices of a cross-validation by contiguous folds, leaving out `gap` frames on either side of each.

    Raises:
        ValueError: a training set would be empty.
    """
    edges = np.linspace(0, n_frames, n_folds + 1).astype(int)
    if n_folds < 2 or np.any(np.diff(edges) < 1):
        raise ValueError(f"n_folds: {n_folds} for {n_frames} frames; at least 2 folds of one frame each are needed")
    frames = np.arange(n_frames)
    for low, high in pairwise(edges):
        train = frames[(frames < low - gap) | (frames >= high + gap)]
        if not train.size:
            raise ValueError(f"gap: {gap} leaves no training frame of {n_frames}; use a smaller gap")
        yield train, frames[low:high]
