"""Blocks of symmetry functions read back, and the energies of their frames."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase.data import chemical_symbols

ENERGY_COLUMNS = {"potential": "potential_ev", "free": "free_ev", "total": "total_ev"}


class FeatureError(ValueError):
    """A block cannot be used; the message names its file."""


@dataclass(frozen=True)
class Features:
    """Symmetry functions of frames.

    Attributes:
        values: (n_frames, n_atoms, n_functions).
        labels: a name for each function.
        numbers: atomic numbers, (n_atoms,).
        frames: index of each frame in its trajectory, (n_frames,).
    """

    values: np.ndarray
    labels: tuple[str, ...]
    numbers: np.ndarray
    frames: np.ndarray

    def by_element(self) -> dict[str, np.ndarray]:
        """The values of each element's atoms: {symbol: (n_frames, n_atoms of it, n_functions)}."""
        return {chemical_symbols[n]: self.values[:, self.numbers == n] for n in np.unique(self.numbers)}

    def labels_by_element(self) -> dict[str, tuple[str, ...]]:
        return {chemical_symbols[n]: self.labels for n in np.unique(self.numbers)}


def read_blocks(paths: Sequence[str | Path]) -> Features:
    """Blocks of the same frames, side by side.

    Raises:
        FeatureError: a file is damaged, or the blocks are of different frames or atoms.
    """
    values, labels = [], []
    first: dict = {}
    for path in map(Path, paths):
        try:
            array = np.load(path, allow_pickle=False)
            description = json.loads(path.with_suffix(".json").read_text())
            shape = (len(description["frames"]), len(description["numbers"]), len(description["labels"]))
        except Exception as error:  # NumPy raises whatever the damage causes
            raise FeatureError(f"{path}: cannot be read ({error}); remove it to compute it again") from None
        if array.shape != shape:
            raise FeatureError(f"{path}: holds {array.shape}, its description says {shape}; remove both")
        first = first or description
        for key in ("frames", "numbers"):
            if description[key] != first[key]:
                raise FeatureError(f"{path}: other {key} than {paths[0]}; blocks of one network share them")
        values.append(array)
        labels.extend(description["labels"])
    return Features(
        np.concatenate(values, axis=2), tuple(labels), np.array(first["numbers"]), np.array(first["frames"])
    )


def labelled_energies(features: Features, thermo: str | Path, energy: str) -> pd.DataFrame:
    """Frame, time (fs) and energy (eV per cell) of the frames of `features`.

    Raises:
        FeatureError: a frame lacks the energy asked for.
    """
    table = pd.read_csv(thermo).iloc[features.frames]
    energies = table[ENERGY_COLUMNS[energy]]
    if energies.isna().any():
        raise FeatureError(f"{thermo}: {energies.isna().sum()} of the frames have no {energy} energy; choose another")
    return pd.DataFrame({"frame": table["step"], "time_fs": table["time_fs"], "energy_dft_ev": energies})
