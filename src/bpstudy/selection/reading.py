"""Frames of any files that ASE reads, and which of them decide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.config.datasets import FILE, Imported, Split
from bpstudy.data import names
from bpstudy.data.copies import copies, kind
from bpstudy.data.dataset import GROUP, DataSet, table_of
from bpstudy.data.formats import read_raw
from bpstudy.data.sound import check_atoms

GROUP_KEYS = ("description", "config_type")
NUMBERS = r"(?i)snapshot \d+( of \d+)?|strain -?[\d.]+|\(.*\)"  # of snapshots, strains and surfaces


def read_frames(files: Sequence[Path]) -> list[Atoms]:
    """All frames of all files, in order.

    Raises:
        ValueError: a file that ASE cannot read, that holds no frames, or a frame that no function can be of; named.
    """
    found: list[Atoms] = []
    for file in files:
        frames = list(read_raw(file))
        if not frames:
            raise ValueError(f"{file}: holds no frames")
        for number, atoms in enumerate(frames):
            check_atoms(atoms, f"{file}, frame {number}")
        found += frames
    return found


def read_data(files: Sequence[Path], by: str | None = None, energy: str | None = None) -> list[Atoms]:
    """Frames with energies (and forces), found under the names that people use, in eV and Å; each with its group.

    Args:
        by: key of the frames; those that share it, numbers left out, are a group. None: the first of `GROUP_KEYS` that
            the first frame has, or the file.
        energy: name of the energies, where several are there.

    Raises:
        ValueError: a frame that cannot be used, named by its file and number.
    """
    held: dict[str, Any] = {}
    for first in read_raw(files[0]):
        held = names.held(first)
        break
    key = by or next((key for key in GROUP_KEYS if key in held), FILE)
    split = Split(by=key, ignore=None if key == FILE else NUMBERS)
    declared = Imported(files=tuple(str(file) for file in files), energy=energy, split=split, mixed_periodicity=True)
    return list(DataSet(declared))


def groups(frames: Sequence[Atoms]) -> list[str]:
    """The group of each frame, as `read_data` found it: "Snapshot  of  of AIMD simulation at  K" for example."""
    return [str(frame.info.get(GROUP, "")) for frame in frames]


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


def apart(train: Sequence[Atoms], test: Sequence[Atoms]) -> tuple[list[Atoms], list[str]]:
    """The test frames that are not copies of training frames, and a line that names the copies.

    Raises:
        ValueError: fewer than two are left, or an element that training has not.
    """
    unknown = {s for f in test for s in f.get_chemical_symbols()} - {s for f in train for s in f.get_chemical_symbols()}
    if unknown:
        raise ValueError(f"the test frames have {', '.join(sorted(unknown))}, the training frames have not")
    first = first_copies([*train, *test])[len(train) :]
    kept = [frame for frame, of in zip(test, first, strict=True) if of >= len(train)]
    said = []
    if len(kept) < len(test):
        k = int(np.flatnonzero(first < len(train))[0])
        said = [
            f"left out of the test: {len(test) - len(kept)} of {len(test)} frames, copies of training frames; first "
            f"{named(test[k])}, a copy of {named(train[first[k]])}"
        ]
    if len(kept) < 2:
        raise ValueError("; ".join([f"{len(kept)} test frame(s): at least two are needed to compare sets", *said]))
    return kept, said


def first_copies(frames: Sequence[Atoms]) -> NDArray[np.intp]:
    """For each frame the first one that it is a copy of: itself where it is none."""
    table, fingerprints = table_of(iter(frames))
    kinds = [kind(*of) for of in zip(table["formula"], table["pbc"], strict=True)]
    return copies(kinds, fingerprints, table["n_atoms"].to_numpy())


def named(frame: Atoms) -> str:
    """A frame of `read_data`, by its file and number."""
    return f"frame {frame.info['frame']} of {frame.info['file']}"


def held_out(frames: Sequence[Atoms], share: float = 0.15) -> NDArray[np.bool_]:
    """Frames that decide, about `share` of each group: one run of consecutive frames of it, in its middle.

    Raises:
        ValueError: fewer than two frames on one side.
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
    if not 2 <= chosen.sum() <= len(frames) - 2:
        raise ValueError(
            f"{len(frames)} frame{'s' if len(frames) > 1 else ''}: too few to hold out {share:.0%} of them, and two "
            "at least; give more, or test frames with --test"
        )
    return chosen
