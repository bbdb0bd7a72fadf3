"""Trajectories: frames with everything the calculator said, read, written and selected.

A frame is an `Atoms` with momenta and a `SinglePointCalculator` holding `energy` (extrapolated to zero smearing),
`free_energy` (which the forces belong to) and `forces`.
"""

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from pathlib import Path
from threading import Lock

import numpy as np
import pandas as pd
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io.trajectory import Trajectory

from bpstudy.data.columns import Columns, mapped
from bpstudy.data.errors import TrajectoryError, check_file, reading
from bpstudy.data.formats import read_raw
from bpstudy.files import atomic_path


def snapshot(atoms: Atoms) -> Atoms:
    """A copy of `atoms` with the results its calculator has now."""
    frame = atoms.copy()
    frame.set_constraint()
    results = atoms.calc.results if atoms.calc is not None else {}
    frame.calc = SinglePointCalculator(
        frame, **{name: results[name] for name in ("energy", "free_energy", "forces") if name in results}
    )
    return frame


def write_frames(path: str | Path, frames: Iterable[Atoms]) -> None:
    """Write an ASE trajectory; it appears when it is complete."""
    with atomic_path(path) as temporary, Trajectory(str(temporary), "w") as trajectory:
        for frame in frames:
            trajectory.write(frame)


def read_frames(path: str | Path) -> list[Atoms]:
    """All frames of any file that ASE reads, with the energies under the names that ASE knows.

    Raises:
        TrajectoryError: the file cannot be read, is empty, changes its atoms or periodic axes, or a frame has no finite
            energy.
    """
    frames = list(read_raw(path))
    if not frames:
        raise TrajectoryError(f"{path}: no frames")
    for number, frame in enumerate(frames):
        _check_frame(frame, frames[0], f"{path}, frame {number}")
    return frames


class StoredFrames(Sequence[Atoms]):
    """The frames of a file in ASE's own format, each read when it is asked for: a few of many take no time.

    Where the file holds columns (`bpstudy.data.columns`), a frame takes a tenth of the time. Threads may share it.
    Frames of a data set may be of any atoms; `same_atoms` demands those of frame 0.

    Raises:
        TrajectoryError: the file or a frame of it cannot be read, is empty, or has no finite energy; or other atoms.
    """

    def __init__(self, path: str | Path, same_atoms: bool = False) -> None:
        self._path, self._one_at_a_time = check_file(path), Lock()  # the file has one position
        with reading(path):
            self._file: Sequence[Atoms] = mapped(path) or Trajectory(str(path))
        if not len(self._file):
            raise TrajectoryError(f"{path}: no frames")
        self._first = self._read(0) if same_atoms else None

    def __len__(self) -> int:
        return len(self._file)

    def __getitem__(self, number):
        chosen = range(len(self))[number]
        if isinstance(chosen, range):
            return [self[n] for n in chosen]
        frame = self._read(chosen)
        _check_frame(frame, self._first, f"{self._path}, frame {chosen}")
        return frame

    def _read(self, number: int) -> Atoms:
        with reading(self._path), self._one_at_a_time:
            return self._file[number]


def _check_frame(frame: Atoms, first: Atoms | None, where: str) -> None:
    if first is not None and not np.array_equal(frame.numbers, first.numbers):
        raise TrajectoryError(f"{where}: other atoms than in frame 0; a trajectory keeps its atoms in one order")
    if first is not None and not np.array_equal(frame.pbc, first.pbc):
        raise TrajectoryError(f"{where}: other periodic axes than in frame 0")
    if not (np.isfinite(frame.positions).all() and np.isfinite(frame.cell.array).all()):
        raise TrajectoryError(f"{where}: positions or cell are not finite")
    # Not by get_potential_energy(), which first compares the frame with the calculator's: half of the time of reading.
    energy = frame.calc.results.get("energy") if frame.calc is not None else None
    if energy is None:
        raise TrajectoryError(f"{where}: has no energy; each frame needs one (eV per cell)")
    if not (isinstance(energy, Real) and math.isfinite(energy)):
        raise TrajectoryError(f"{where}: energy is {energy}, not a finite number (eV per cell)")


def join(paths: Sequence[str | Path]) -> list[Atoms]:
    """The frames of consecutive files, as one trajectory."""
    frames = [frame for path in paths for frame in read_frames(path)]
    for number, frame in enumerate(frames):
        _check_frame(frame, frames[0], f"frame {number} of {paths[0]} and what follows it")
    return frames


def degrees_of_freedom(n_atoms: int) -> int:
    """3N − 3: the centre of mass is at rest."""
    return 3 * n_atoms - 3


def temperature_kelvin(frame: Atoms) -> float:
    """Kinetic temperature 2·E_kin / ((3N − 3)·k_B), K; NaN for a single atom, which has none."""
    if len(frame) < 2:
        return math.nan
    return 2 * frame.get_kinetic_energy() / (degrees_of_freedom(len(frame)) * units.kB)


def thermodynamics(frames: Sequence[Atoms], timestep_fs: float | None = None) -> pd.DataFrame:
    """One row per frame: step, time (fs), energies of the cell (eV), temperature (K); what is not known is empty."""
    if isinstance(frames, Columns):
        potential, free, kinetic = frames.energies, frames.free_energies, frames.kinetic_energies()
    else:
        potential = np.array([frame.get_potential_energy() for frame in frames])
        free = np.array([frame.calc.results.get("free_energy", np.nan) for frame in frames])
        kinetic = np.array([frame.get_kinetic_energy() if frame.has("momenta") else np.nan for frame in frames])
    steps = np.arange(len(frames))
    freedom = degrees_of_freedom(len(frames[0])) or np.nan  # a single atom has no temperature
    return pd.DataFrame(
        {
            "step": steps,
            "time_fs": np.nan if timestep_fs is None else steps * timestep_fs,
            "potential_ev": potential,
            "free_ev": free,
            "kinetic_ev": kinetic,
            "total_ev": potential + kinetic,
            "temperature_kelvin": 2 * kinetic / (freedom * units.kB),
        }
    )
