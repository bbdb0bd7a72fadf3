"""Trajectories: frames with everything the calculator said, read, written and selected.

A frame is an `Atoms` with momenta and a `SinglePointCalculator` holding `energy` (extrapolated to zero smearing),
`free_energy` (which the forces belong to) and `forces`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms, units
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read
from ase.io.trajectory import Trajectory

from bpstudy.files import atomic_path

ENERGIES = ("potential", "free", "total")


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


def read_frames(path: str | Path, index: slice | range = slice(None)) -> list[Atoms]:
    """Frames of any file ASE reads without running code in it.

    Raises:
        TrajectoryError: the file cannot be read, is empty, changes its atoms, or a frame has no finite energy.
    """
    path = Path(path)
    try:
        frames = read(path, index=":")
    except FileNotFoundError:
        raise TrajectoryError(f"{path}: no such trajectory") from None
    except Exception as error:  # ASE's readers raise whatever the damage causes
        raise TrajectoryError(f"{path}: ASE cannot read this trajectory ({type(error).__name__}: {error})") from error
    if not frames:
        raise TrajectoryError(f"{path}: no frames")
    for number, frame in enumerate(frames):
        _check_frame(frame, frames[0], f"{path}, frame {number}")
    return [frames[i] for i in index] if isinstance(index, range) else frames[index]


def _check_frame(frame: Atoms, first: Atoms, where: str) -> None:
    if not np.array_equal(frame.numbers, first.numbers):
        raise TrajectoryError(f"{where}: other atoms than in frame 0; a trajectory keeps its atoms in one order")
    if not (np.isfinite(frame.positions).all() and np.isfinite(frame.cell.array).all()):
        raise TrajectoryError(f"{where}: positions or cell are not finite")
    try:
        energy = frame.get_potential_energy()
    except (RuntimeError, PropertyNotImplementedError):
        raise TrajectoryError(f"{where}: has no energy; each frame needs one (eV per cell)") from None
    if not np.isfinite(energy):
        raise TrajectoryError(f"{where}: energy is {energy}")


def energies(frames: Sequence[Atoms], kind: str = "potential") -> np.ndarray:
    """Energies of the cells, eV, shape (n_frames,).

    Args:
        kind: `potential` (σ → 0), `free` (belongs to the forces) or `total` (potential + kinetic).
    """
    if kind == "potential":
        return np.array([frame.get_potential_energy() for frame in frames])
    if kind == "total":
        return np.array([frame.get_total_energy() for frame in frames])
    if kind == "free":
        try:
            return np.array([frame.get_potential_energy(force_consistent=True) for frame in frames])
        except (RuntimeError, PropertyNotImplementedError):
            raise TrajectoryError("the trajectory holds no free energies (ASE's free_energy)") from None
    raise ValueError(f"energy {kind!r} does not exist; allowed: {', '.join(ENERGIES)}")


def degrees_of_freedom(n_atoms: int) -> int:
    """3N − 3: the centre of mass is at rest."""
    return 3 * n_atoms - 3


def temperature_kelvin(frame: Atoms) -> float:
    """Kinetic temperature 2·E_kin / ((3N − 3)·k_B), K."""
    return 2 * frame.get_kinetic_energy() / (degrees_of_freedom(len(frame)) * units.kB)


def thermodynamics(frames: Sequence[Atoms], timestep_fs: float = 1.0, first_step: int = 0) -> pd.DataFrame:
    """One row a frame: step, time, energies of the cell (eV) and temperature (K); what a frame lacks is empty."""
    rows = []
    for number, frame in enumerate(frames):
        moving = frame.has("momenta")
        kinetic = frame.get_kinetic_energy() if moving else np.nan
        results = frame.calc.results
        rows.append(
            {
                "step": first_step + number,
                "time_fs": (first_step + number) * timestep_fs,
                "potential_ev": results["energy"],
                "free_ev": results.get("free_energy", np.nan),
                "kinetic_ev": kinetic,
                "total_ev": results["energy"] + kinetic,
                "temperature_kelvin": temperature_kelvin(frame) if moving else np.nan,
            }
        )
    return pd.DataFrame(rows)
