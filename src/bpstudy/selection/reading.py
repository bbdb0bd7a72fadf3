"""Frames of any files that ASE reads, and which of them decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from ase import Atoms
from ase.io import read
from numpy.typing import NDArray

GROUP_KEYS = ("config_type", "description")


def read_frames(files: Sequence[Path]) -> list[Atoms]:
    """All frames of all files, in order.

    Raises:
        ValueError: a file that ASE cannot read, or that holds no frames; it is named.
    """
    found: list[Atoms] = []
    for file in files:
        try:
            frames = cast(list[Atoms], read(file, ":"))
        except Exception as error:  # ASE's readers raise whatever the damage causes
            raise ValueError(f"{file}: ASE cannot read it ({type(error).__name__}: {error})") from None
        if not frames:
            raise ValueError(f"{file}: holds no frames")
        found += frames
    return found


def groups(frames: Sequence[Atoms]) -> list[str]:
    """What each frame belongs to: its config_type and description, numbers of snapshots and sizes of strains left out.

    "Snapshot 4 of 12 of AIMD NVT simulation at 300 K" belongs to "Snapshot # of # of AIMD NVT simulation at 300 K".
    """
    found = []
    for frame in frames:
        text = " ".join(str(frame.info[key]) for key in GROUP_KEYS if key in frame.info)
        text = re.sub(r"(?i)snapshot \d+ of \d+", "Snapshot # of #", text)
        found.append(re.sub(r"strain -?[\d.]+", "strain #", text))
    return found


def blocks(labels: Sequence[str], count: int) -> NDArray[np.intp]:
    """Fold 0 … count−1 of each frame: each group in runs of consecutive frames, one a fold as far as they go.

    Groups of fewer frames than folds are dealt out in turn, so that each fold sees something of every kind.
    """
    fold, turn = np.zeros(len(labels), int), 0
    for label in dict.fromkeys(labels):
        own = np.flatnonzero([other == label for other in labels])
        fold[own] = (np.arange(len(own)) * count // max(len(own), count) + turn) % count
        turn += len(own) if len(own) < count else 0
    return fold


def held_out(frames: Sequence[Atoms], share: float = 0.15) -> NDArray[np.bool_]:
    """Frames that decide, about `share` of each group: one run of consecutive frames of it, in its middle.

    Raises:
        ValueError: so few frames that none are left on one side.
    """
    chosen, labels = np.zeros(len(frames), bool), groups(frames)
    small: list[int] = []
    for label in dict.fromkeys(labels):
        own = [k for k, other in enumerate(labels) if other == label]
        count = round(share * len(own))
        if count == 0:
            small += own
        start = (len(own) - count) // 2
        chosen[own[start : start + count]] = True
    every = max(2, round(1 / share))
    chosen[small[every // 2 :: every]] = True
    if not chosen.any() or chosen.all():
        raise ValueError(f"{len(frames)} frames are too few to hold {share:.0%} of them out; give a test file")
    return chosen
