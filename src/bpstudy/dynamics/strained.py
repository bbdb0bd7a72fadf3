"""Strained cells: structures drawn from a seed, and single points of each with energy, forces and stress.

They cover what dynamics at one volume cannot: other volumes and shapes, hot and cold, with vacancies.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.neighborlist import neighbor_list

from bpstudy.config.systems import Deformation, Strained
from bpstudy.data.trajectory import thermodynamics, write_frames
from bpstudy.dynamics.calculators import calculator_of, make_calculator
from bpstudy.dynamics.chunks import DynamicsError, Progress, sole_writer
from bpstudy.dynamics.crystals import build_crystal

TRIALS = 100  # draws of a cell until no atoms are too close
KINDS = ("volume", "uniaxial", "shear", "both")  # which components of the strain are drawn, in turn
CRYSTAL = "crystal"  # in `info`: which of the crystals the cell was made of


def draw_cell(settings: Strained, number: int) -> Atoms:
    """The `number`-th cell; it depends on the recipe and its number alone, not on how many there are.

    Raises:
        ValueError: atoms are too close in every trial.
    """
    deformation = settings.deformation
    rng = np.random.default_rng([deformation.seed, number])
    which = number % len(settings.crystals)
    kind = KINDS[number // len(settings.crystals) % len(KINDS)]
    ideal = build_crystal(settings.crystals[which])
    for _ in range(TRIALS):
        atoms = _deformed(ideal, deformation, kind, rng)
        if not len(neighbor_list("i", atoms, deformation.closest_angstrom)):
            atoms.info |= {CRYSTAL: which, "strain": kind}
            return atoms
    raise ValueError(
        f"deformation: no cell without atoms closer than closest_angstrom = {deformation.closest_angstrom:g} in "
        f"{TRIALS} trials; lower it, the temperatures or the strain"
    )


def _deformed(ideal: Atoms, asked: Deformation, kind: str, rng: np.random.Generator) -> Atoms:
    strain = np.zeros((3, 3))
    stretch, shear = rng.uniform(-asked.strain, asked.strain, (2, 3))
    if kind in ("uniaxial", "both"):
        strain[np.diag_indices(3)] = stretch
    if kind in ("shear", "both"):
        strain[[1, 0, 0], [2, 2, 1]] = strain[[2, 2, 1], [1, 0, 0]] = shear
    shape = np.eye(3) + strain
    ratio = rng.uniform(1 - asked.volume, 1 + asked.volume)
    shape *= (ratio / np.linalg.det(shape)) ** (1 / 3)
    atoms = ideal.copy()
    atoms.set_cell(ideal.cell.array @ shape, scale_atoms=True)
    kelvin = rng.uniform(*asked.temperatures_kelvin)
    sigma = np.sqrt(units.kB * kelvin / asked.force_constant_ev_per_angstrom2)
    atoms.positions += rng.normal(0, sigma, atoms.positions.shape)
    if rng.uniform() < asked.vacancies:
        del atoms[int(rng.integers(len(atoms)))]
    atoms.info = {"volume_ratio": float(ratio), "temperature_kelvin": float(kelvin)}
    return atoms


def draw_cells(settings: Strained) -> list[Atoms]:
    """All cells of a system.

    Raises:
        ValueError: as `draw_cell`.
    """
    return [draw_cell(settings, number) for number in range(settings.count)]


def single_points(settings: Strained, cells: Sequence[Atoms], first: int, log: Path | None = None) -> list[Atoms]:
    """The cells with energy, free energy, forces and stress (eV, eV/Å, eV/Å³), each from fresh wave functions.

    Args:
        first: the number of the first cell, for messages.
        log: of the calculator; the last cell's is kept.

    Raises:
        DynamicsError: a cell did not converge or has numbers that are not finite.
    """
    progress, frames = Progress(first, first + len(cells)), []
    for number, cell in enumerate(cells, first):
        atoms = cell.copy()
        atoms.calc = make_calculator(calculator_of(settings, cell.info[CRYSTAL]), log)
        try:
            results = {
                "energy": atoms.get_potential_energy(),
                "free_energy": atoms.get_potential_energy(force_consistent=True),
                "forces": atoms.get_forces(),
                "stress": atoms.get_stress(),
            }
        except Exception as error:  # each calculator raises an error of its own for a cycle that does not converge
            reason = " ".join(str(error).split()) or "no reason given"
            raise DynamicsError(
                f"cell {number}: {type(error).__name__}: {reason}\nThis chunk was discarded. If the self-consistent "
                "cycle did not converge, more bands or a smaller mixer.beta may help; see the calculator's own log."
            ) from error
        if wrong := [name for name, value in results.items() if not np.isfinite(value).all()]:
            raise DynamicsError(f"cell {number}: {', '.join(wrong)} not finite; this chunk was discarded")
        frame = cell.copy()
        frame.calc = SinglePointCalculator(frame, **results)
        frames.append(frame)
        progress.report(number + 1, cell.info["temperature_kelvin"])
    return frames


def run_chunk(settings: Strained, first: int, last: int, frames_out: Path, log: Path | None = None) -> None:
    """Compute the cells first … last - 1 and write them.

    Raises:
        DynamicsError: as `single_points`, or another process computes them.
    """
    with sole_writer(frames_out):
        cells = [draw_cell(settings, number) for number in range(first, last)]
        write_frames(frames_out, single_points(settings, cells, first, log))


def table_of(frames: Sequence[Atoms]) -> pd.DataFrame:
    """As `bpstudy.data.trajectory.thermodynamics`, one row per cell, with the parameters drawn for it."""
    table = pd.concat([thermodynamics([frame]) for frame in frames], ignore_index=True)
    table["step"] = range(len(table))
    return table.assign(n_atoms=[len(frame) for frame in frames], **pd.DataFrame([frame.info for frame in frames]))
