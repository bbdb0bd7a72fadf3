"""Symmetry functions of a set of frames, one row per atom; read back from blocks, with the energies of the frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import ArrayLike, NDArray

ENERGY_COLUMNS = {"potential": "potential_ev", "free": "free_ev", "total": "total_ev"}


class FeatureError(ValueError):
    """A block cannot be used; the message names its file."""


@dataclass(frozen=True, eq=False)
class AtomRows:
    """Symmetry functions of the atoms of one element in a set of frames, one row per atom, frame by frame.

    Attributes:
        values: (n_rows, n_functions).
        frame: position in the set of the frame that each row belongs to, non-decreasing, (n_rows,).
        atom: index of each row's atom in its frame, (n_rows,).
    """

    values: NDArray[np.float64]
    frame: NDArray[np.intp]
    atom: NDArray[np.intp]

    def sums(self, n_frames: int) -> NDArray[np.float64]:
        """Functions summed over the atoms of each frame, (n_frames, n_functions); 0 where a frame has none."""
        return segment_sums(self.values, self.frame, n_frames)


@dataclass(frozen=True, eq=False)
class Features:
    """Symmetry functions of a set of frames of any size and composition.

    Attributes:
        rows: {element: `AtomRows`}; the elements may have different functions.
        labels: {element: a name for each function}.
        n_atoms: atoms of each frame, (n_frames,).
        frames: index of each frame in its trajectory, (n_frames,).
    """

    rows: Mapping[str, AtomRows]
    labels: Mapping[str, tuple[str, ...]]
    n_atoms: NDArray[np.intp]
    frames: NDArray[np.intp]

    @property
    def n_frames(self) -> int:
        return len(self.n_atoms)

    def counts(self) -> dict[str, NDArray[np.intp]]:
        """Atoms of each element in each frame: {element: (n_frames,)}."""
        return {element: np.bincount(of.frame, minlength=self.n_frames) for element, of in self.rows.items()}

    def sums(self) -> NDArray[np.float64]:
        """Functions summed over the atoms of each frame, elements side by side: (n_frames, n)."""
        return np.hstack([of.sums(self.n_frames) for of in self.rows.values()])

    def take(self, places: ArrayLike) -> Features:
        """Some of the frames. `places` are positions in this set, strictly increasing."""
        chosen = np.asarray(places, dtype=np.intp)
        if (np.diff(chosen) <= 0).any():
            raise ValueError("places: not strictly increasing; give each frame once, in order")
        rows = {}
        for element, of in self.rows.items():
            kept = np.isin(of.frame, chosen)
            rows[element] = AtomRows(of.values[kept], np.searchsorted(chosen, of.frame[kept]), of.atom[kept])
        return Features(rows, self.labels, self.n_atoms[chosen], self.frames[chosen])

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, ArrayLike], labels: Mapping[str, Sequence[str]] | None = None) -> Features:
        """Of frames of one size: {element: (n_frames, n_atoms of it, n_functions)}; atoms stand in the elements' order.

        Raises:
            ValueError: another number of axes, or arrays of different numbers of frames.
        """
        values = {element: np.asarray(x, dtype=float) for element, x in arrays.items()}
        for element, x in values.items():
            if x.ndim != 3:
                raise ValueError(f"arrays[{element}]: shape {x.shape}, expected (n_frames, n_atoms, n_functions)")
        if len({len(x) for x in values.values()}) != 1:
            raise ValueError(f"arrays: frames differ by element: { {e: len(x) for e, x in values.items()} }")
        n_frames = len(next(iter(values.values())))
        rows, before = {}, 0
        for element, x in values.items():
            atom = np.tile(np.arange(before, before + x.shape[1]), n_frames)
            frame = np.repeat(np.arange(n_frames), x.shape[1])
            rows[element] = AtomRows(x.reshape(-1, x.shape[2]), frame, atom)
            before += x.shape[1]
        names = labels or {e: tuple(f"{e}{k}" for k in range(x.shape[2])) for e, x in values.items()}
        return cls(rows, {e: tuple(of) for e, of in names.items()}, np.full(n_frames, before), np.arange(n_frames))


def segment_sums(values: NDArray[np.float64], segment: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    """Sums of consecutive rows of (n, …) that share a number in `segment` (non-decreasing): (count, …)."""
    out = np.zeros((count, *values.shape[1:]))
    if len(values):
        first = np.flatnonzero(np.diff(segment, prepend=-1))
        out[segment[first]] = np.add.reduceat(values, first, axis=0)
    return out


def features_of(
    values: NDArray[np.float64], labels: Sequence[str], numbers: Sequence[NDArray[np.intp]], frames: ArrayLike
) -> Features:
    """From functions of all atoms, (n_rows, n_functions), and the atomic numbers of each frame."""
    n_atoms = np.array([len(of) for of in numbers])
    flat = np.concatenate(numbers)
    frame = np.repeat(np.arange(len(numbers)), n_atoms)
    atom = np.arange(len(flat)) - np.repeat(np.cumsum(n_atoms) - n_atoms, n_atoms)
    rows = {}
    for number in np.unique(flat):
        own = slice(None) if (flat == number).all() else np.flatnonzero(flat == number)
        rows[chemical_symbols[number]] = AtomRows(values[own], frame[own], atom[own])
    return Features(rows, dict.fromkeys(rows, tuple(labels)), n_atoms, np.asarray(frames, dtype=np.intp))


def kinds_of(frames: Sequence[Atoms]) -> tuple[list[list[int]], list[int]]:
    """The distinct lists of atomic numbers in some frames, and which of them each frame has."""
    known: dict[bytes, int] = {}
    lists: list[list[int]] = []
    of_each = []
    for atoms in frames:
        key = atoms.numbers.astype(np.int64).tobytes()
        if key not in known:
            known[key] = len(lists)
            lists.append(atoms.numbers.tolist())
        of_each.append(known[key])
    return lists, of_each


def read_blocks(paths: Sequence[str | Path]) -> Features:
    """Blocks of the same frames, side by side.

    Raises:
        FeatureError: a file is damaged, or the blocks are of different frames or atoms.
    """
    values, labels = [], []
    first: dict = {}
    numbers: list[NDArray[np.intp]] = []
    for path in map(Path, paths):
        try:
            array = np.load(path, allow_pickle=False)
            description = json.loads(path.with_suffix(".json").read_text())
            lists = [np.array(of, dtype=np.intp) for of in description["atoms"]]
            numbers = [lists[kind] for kind in description["kinds"]]
            shape = (sum(map(len, numbers)), len(description["labels"]))
            if len(description["frames"]) != len(numbers) or array.dtype != np.float64:
                raise ValueError("numbers of frames differ, or no numbers in double precision")
        except Exception as error:  # NumPy raises whatever the damage causes
            raise FeatureError(f"{path}: cannot be read ({error}); remove it to compute it again") from None
        if array.shape != shape:
            raise FeatureError(f"{path}: holds {array.shape}, its description says {shape}; remove both")
        first = first or description
        for key in ("frames", "atoms", "kinds"):
            if description[key] != first[key]:
                raise FeatureError(f"{path}: other {key} than {paths[0]}; blocks of one network share them")
        values.append(array)
        labels.extend(description["labels"])
    return features_of(np.hstack(values) if len(values) > 1 else values[0], labels, numbers, first["frames"])


def labelled_energies(features: Features, thermo: str | Path, energy: str) -> pd.DataFrame:
    """Frame, time (fs), atoms and energy (eV per cell) of the frames of `features`.

    Raises:
        FeatureError: a frame lacks the energy asked for.
    """
    table = pd.read_csv(thermo).iloc[features.frames]
    energies = table[ENERGY_COLUMNS[energy]]
    if energies.isna().any():
        raise FeatureError(f"{thermo}: {energies.isna().sum()} of the frames have no {energy} energy; choose another")
    known = {"frame": table["step"], "time_fs": table["time_fs"], "n_atoms": features.n_atoms}
    return pd.DataFrame({**known, "energy_dft_ev": energies})
