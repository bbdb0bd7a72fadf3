"""Trajectories: frames with everything the calculator said, read, written and selected.

A frame is an `Atoms` with momenta and a `SinglePointCalculator` holding `energy` (extrapolated to zero smearing),
`free_energy` (which the forces belong to) and `forces`.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from ase import Atoms, units
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read
from ase.io.trajectory import Trajectory

from bpstudy.files import atomic_path


class TrajectoryError(ValueError):
    """A trajectory cannot be used; the message names the file, the frame and what is wrong."""


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
    """All frames of any file that ASE reads.

    Raises:
        TrajectoryError: the file cannot be read, is empty, changes its atoms, or a frame has no finite energy.
    """
    with _reading(path):
        frames = cast(list[Atoms], read(path, index=":"))
    if not frames:
        raise TrajectoryError(f"{path}: no frames")
    for number, frame in enumerate(frames):
        _check_frame(frame, frames[0], f"{path}, frame {number}")
    return frames


class StoredFrames(Sequence[Atoms]):
    """The frames of a file in ASE's own format, each read when it is asked for: a few of many take no time.

    Raises:
        TrajectoryError: the file or a frame of it cannot be read, is empty, changes its atoms, or has no finite energy.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        with _reading(path):
            self._file = Trajectory(str(path))
        if not len(self._file):
            raise TrajectoryError(f"{path}: no frames")
        self._first = self._read(0)

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
        with _reading(self._path):
            return self._file[number]


@contextmanager
def _reading(path: str | Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise TrajectoryError(f"{path}: no such trajectory") from None
    except Exception as error:  # ASE's readers raise whatever the damage causes
        raise TrajectoryError(f"{path}: ASE cannot read this trajectory ({type(error).__name__}: {error})") from error


def _check_frame(frame: Atoms, first: Atoms, where: str) -> None:
    if not np.array_equal(frame.numbers, first.numbers):
        raise TrajectoryError(f"{where}: other atoms than in frame 0; a trajectory keeps its atoms in one order")
    if not (np.isfinite(frame.positions).all() and np.isfinite(frame.cell.array).all()):
        raise TrajectoryError(f"{where}: positions or cell are not finite")
    try:
        energy = frame.get_potential_energy()
    except (RuntimeError, PropertyNotImplementedError):
        raise TrajectoryError(f"{where}: has no energy; each frame needs one (eV per cell)") from None
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
    """Kinetic temperature 2·E_kin / ((3N − 3)·k_B), K."""
    return 2 * frame.get_kinetic_energy() / (degrees_of_freedom(len(frame)) * units.kB)


def thermodynamics(frames: Sequence[Atoms], timestep_fs: float | None = None) -> pd.DataFrame:
    """One row a frame: step, time (fs), energies of the cell (eV), temperature (K); what is not known is empty."""
    rows = []
    for step, frame in enumerate(frames):
        moving = frame.has("momenta")
        potential_ev = frame.get_potential_energy()
        kinetic_ev = frame.get_kinetic_energy() if moving else np.nan
        rows.append(
            {
                "step": step,
                "time_fs": np.nan if timestep_fs is None else step * timestep_fs,
                "potential_ev": potential_ev,
                "free_ev": frame.calc.results.get("free_energy", np.nan),
                "kinetic_ev": kinetic_ev,
                "total_ev": potential_ev + kinetic_ev,
                "temperature_kelvin": temperature_kelvin(frame) if moving else np.nan,
            }
        )
    return pd.DataFrame(rows)
