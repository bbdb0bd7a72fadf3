"""Training, validation and test parts of a data set: what belongs together stays on one side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bpstudy.config.datasets import BLOCKS, PARTS, Split
from bpstudy.data.dataset import GROUP
from bpstudy.data.errors import TrajectoryError

TRAIN, VALIDATION, TEST = PARTS
NOWHERE = ""  # the gap between blocks
TOO_LARGE = 1.25  # a group does not make a part larger than this, relative to its share


def parts_of(table: pd.DataFrame, first_copy: Sequence[int], split: Split) -> list[str]:
    """The part of each frame of a data set.

    Groups are given away from the largest to the smallest, each to the part that lacks most of its share; equal sizes
    in an order drawn by `split.seed`. Groups that hold copies of each other's frames are one. So each part has about
    its share of the frames, and large and small groups alike.

    Args:
        table: one row per frame with `file`, `group` and `frame` (`bpstudy.data.dataset.table_of`).
        first_copy: for each frame the first one that it is a copy of.

    Raises:
        TrajectoryError: too few groups or frames for the parts.
    """
    if split.by == BLOCKS:
        return _blocks(table, split)
    groups, sizes, members = _merged_groups(table[GROUP], first_copy)
    shares = {TEST: split.test, VALIDATION: split.validation, TRAIN: 1 - split.test - split.validation}
    wanted = {part: share * len(table) for part, share in shares.items() if share > 0}
    if len(sizes) < len(wanted):
        raise TrajectoryError(
            f"split.by = {split.by!r}: {len(sizes)} groups for {len(wanted)} parts ({', '.join(groups[:3])}); split by "
            f"another key, or by {BLOCKS!r}"
        )
    order = np.random.default_rng(split.seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    given: dict[str, int] = dict.fromkeys(wanted, 0)
    chosen = np.empty(len(sizes), dtype=object)
    for place, group in enumerate(order):
        empty = [part for part, count in given.items() if not count]
        allowed = empty if len(order) - place == len(empty) else list(given)
        fitting = [part for part in allowed if part == TRAIN or given[part] + sizes[group] <= TOO_LARGE * wanted[part]]
        part = max(fitting or allowed, key=lambda part: 1 - given[part] / wanted[part])
        chosen[group] = part
        given[part] += int(sizes[group])
    return [str(part) for part in chosen[members]]


def _merged_groups(groups: pd.Series, first_copy: Sequence[int]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, sizes, and the number of each frame's group, where groups that share a copy are one."""
    codes, names = pd.factorize(groups)
    other = codes[np.asarray(first_copy)]
    links = coo_array((np.ones(len(codes)), (codes, other)), shape=(len(names), len(names)))
    count, merged = connected_components(links, directed=False)
    members = merged[codes]
    return [str(name) for name in names], np.bincount(members, minlength=count), members


def _blocks(table: pd.DataFrame, split: Split) -> list[str]:
    parts = np.full(len(table), NOWHERE, dtype=object)
    for file, rows in table.groupby("file", sort=False).indices.items():
        n_test, n_validation = round(split.test * len(rows)), round(split.validation * len(rows))
        end = len(rows)
        for part, count, asked in ((TEST, n_test, split.test), (VALIDATION, n_validation, split.validation)):
            if asked and not count:
                raise TrajectoryError(f"{file}: split.{part} = {asked:g} of {len(rows)} frames is none")
            parts[rows[max(0, end - count) : end]] = part
            end -= count + split.gap_frames if count else 0
        if end < 1:
            raise TrajectoryError(
                f"{file}: split by blocks: {len(rows)} frames, {n_validation} to validate, {n_test} to test and gaps "
                f"of {split.gap_frames} leave none to train on"
            )
        parts[rows[:end]] = TRAIN
    return [str(part) for part in parts]
