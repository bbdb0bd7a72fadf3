"""Choices of frames: by their numbers, or as shares of a part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bpstudy.config.experiments import ALL, Frames


def chosen(frames: Frames, available: int, parts: Sequence[str] | None = None) -> list[int]:
    """Numbers of the chosen frames of a system.

    Args:
        available: frames that the system has.
        parts: the part of each, where the system is split.

    Raises:
        ValueError: there are too few frames, or no such part.
    """
    if frames.part is None:
        return list(frames.indices(available))
    if frames.part == ALL:
        there = np.arange(available)
    elif parts is None:
        raise ValueError(f"part {frames.part!r}: {frames.system} has no `split`")
    else:
        there = np.flatnonzero(np.asarray(parts) == frames.part)
    count = max(1, round(frames.share * len(there)))
    count = min(count, len(there), frames.count or len(there))
    if not count:
        raise ValueError(f"part {frames.part!r} of {frames.system} has no frames")
    return there[np.linspace(0, len(there) - 1, count).round().astype(int)].tolist() if count > 1 else [int(there[0])]


def chosen_of(frames: Frames, thermo: str | Path) -> list[int]:
    """The same, from a system's table of energies."""
    table = pd.read_csv(thermo, keep_default_na=False, usecols=lambda name: name in ("step", "part"))
    return chosen(frames, len(table), table["part"].tolist() if "part" in table else None)
