"""Sets of frames as a fit needs them: functions, energies, and forces and stress of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpstudy.config.experiments import Forces, Stress
from bpstudy.data.trajectory import StoredFrames
from bpstudy.descriptors.features import Features, labelled_energies, read_blocks
from bpstudy.descriptors.gradients import Derivatives, ForceError, ForceSet, force_set, read_functions
from bpstudy.descriptors.strains import StressSet, stress_set
from bpstudy.statistics.metrics import rms
from bpstudy.training.forces import ForceData

TRAIN, VALIDATION = "train", "validation"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FrameSet:
    """Functions of some frames, the table of their energies (frame, time_fs, energy_dft_ev), and forces and stress of
    some."""

    features: Features
    energies: pd.DataFrame
    forces: ForceSet | None = None
    stress: StressSet | None = None

    @property
    def energies_ev(self) -> Array:
        """Of the DFT, eV per cell, (n_frames,)."""
        return self.energies["energy_dft_ev"].to_numpy(dtype=float)

    def predicted(self, **columns) -> pd.DataFrame:
        """The table with predicted energies (eV per cell) beside those of the DFT."""
        return self.energies.assign(**columns).reset_index(drop=True)

    def force_errors(self, predicted: Array) -> Array:
        """RMS over the components of each frame, eV/Å; NaN for frames whose forces are not looked at."""
        assert self.forces is not None
        return self._rms_of_frames(self.forces.frame, predicted - self.forces.forces_ev_per_angstrom)

    def stress_errors(self, predicted: Array) -> Array:
        """Of virials per atom (n_components,), eV: RMS of the stress over its six components, GPa; NaN as above."""
        assert self.stress is not None
        return self._rms_of_frames(self.stress.frame, self.stress.stress_gpa(predicted - self.stress.targets))

    def _rms_of_frames(self, frame: NDArray[np.intp], errors: Array) -> Array:
        count = np.bincount(frame, minlength=self.features.n_frames)
        total = np.bincount(frame, errors**2, self.features.n_frames)
        return np.where(count > 0, np.sqrt(total / np.maximum(count, 1)), np.nan)

    def take(self, places: NDArray[np.intp]) -> FrameSet:
        """Some of the frames, in order."""
        forces = None if self.forces is None else self.forces.take(places, self.features)
        stress = None if self.stress is None else self.stress.take(places, self.features)
        return FrameSet(self.features.take(places), self.energies.iloc[places], forces, stress)


def training_forces(sets: Mapping[str, FrameSet], weight: float) -> dict[str, ForceData]:
    """The forces of each set that has them, in the unit of those trained on; none without a weight in the loss."""
    return _in_the_loss({name: of.forces for name, of in sets.items()}, weight)


def training_stress(sets: Mapping[str, FrameSet], weight: float) -> dict[str, ForceData]:
    """As `training_forces`, of the stress."""
    return _in_the_loss({name: of.stress for name, of in sets.items()}, weight)


def _in_the_loss(known: Mapping[str, Derivatives | None], weight: float) -> dict[str, ForceData]:
    trained_on = known[TRAIN]
    if not weight or trained_on is None:
        return {}
    scale = rms(trained_on.targets)
    return {name: ForceData(of, scale, weight) for name, of in known.items() if of is not None}


def read_set(blocks: Sequence[str], thermo: str, energy: str) -> FrameSet:
    """Blocks of functions of the same frames, and the energies of these."""
    features = read_blocks(blocks)
    return FrameSet(features, labelled_energies(features, thermo, energy))


def add_forces(
    asked: Forces,
    sets: Mapping[str, FrameSet],
    blocks: Sequence[Sequence[str]],
    trajectories: Sequence[str],
    threads: int,
) -> dict[str, FrameSet]:
    """The sets with forces and dG/dR of those of their frames that are asked for, computed here: it takes milliseconds
    a frame, and they are too large to keep. Where forces are only tested, those of the training frames are left out."""
    found = dict(sets)
    for (name, of), group, path in zip(sets.items(), blocks, trajectories, strict=True):
        if name == TRAIN and not asked.weight:
            continue
        count, components = (asked.frames, asked.components) if name == TRAIN else (asked.tested, None)
        frames = StoredFrames(path)
        forces = force_set(read_functions(group), frames, of.features, count, components, threads=threads)
        found[name] = replace(of, forces=forces)
    return found


def add_stress(
    asked: Stress,
    sets: Mapping[str, FrameSet],
    blocks: Sequence[Sequence[str]],
    trajectories: Sequence[str],
    threads: int,
) -> dict[str, FrameSet]:
    """The sets with stress and dG/dε of those of their frames that are asked for, as `add_forces`.

    Raises:
        ValueError: a set without any stress; its name is said.
    """
    found = dict(sets)
    for (name, of), group, path in zip(sets.items(), blocks, trajectories, strict=True):
        if name == TRAIN and not asked.weight:
            continue
        count = asked.frames if name == TRAIN else asked.tested
        try:
            stress = stress_set(read_functions(group), StoredFrames(path), of.features, count, threads)
        except ForceError as error:
            raise ForceError(f"{name} ({path}): {error}") from None
        found[name] = replace(of, stress=stress)
    return found
