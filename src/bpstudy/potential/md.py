"""Molecular dynamics with a fitted potential, at constant energy, temperature, or temperature and pressure."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms, units
from ase.calculators.calculator import Calculator
from ase.constraints import FixCom
from ase.md.langevin import Langevin
from ase.md.md import MolecularDynamics
from ase.md.nose_hoover_chain import IsotropicMTKNPT
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet

from bpstudy.data.trajectory import snapshot
from bpstudy.files import write_table
from bpstudy.potential.constraints import at_rest, fixed_coordinates, kinetic_temperature
from bpstudy.potential.outputs import frame_writer, table_of

SHORTEST_FS = 0.001
MOST_ATOMS = 1_000_000
MOST_GPA = 1000
BATH_FS, BAROSTAT_FS = 100.0, 1000.0  # times in which they respond


class BrokenRunError(ValueError):
    """The structure fell apart on the way. `table` holds the rows before."""

    def __init__(self, message: str, table: pd.DataFrame) -> None:
        super().__init__(message)
        self.table = table


@dataclass(frozen=True)
class Run:
    """Settings of a run: `friction_per_fs` couples to a heat bath at `temperature_kelvin`; None conserves the energy.
    With `pressure_gpa` the volume varies, too, and the bath is that of `run`; there is no friction then.

    Momenta of the structure are kept; without any they are drawn (Maxwell-Boltzmann, random seed `seed`, centre of mass
    at rest). Every `every`-th step is kept.

    Raises ValueError for a value out of range.
    """

    steps: int
    timestep_fs: float = 1.0
    temperature_kelvin: float = 300.0
    friction_per_fs: float | None = None
    every: int = 10
    seed: int = 0
    pressure_gpa: float | None = None

    def __post_init__(self) -> None:
        for key in ("steps", "every"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} = {getattr(self, key)} is not allowed; it must be at least 1")
        for key in ("timestep_fs", "temperature_kelvin", "friction_per_fs"):
            value = getattr(self, key)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise ValueError(f"{key} = {value} is not allowed; it must be a number above 0")
        if self.pressure_gpa is not None:
            if not abs(self.pressure_gpa) <= MOST_GPA:
                raise ValueError(
                    f"pressure_gpa = {self.pressure_gpa} is not allowed; it must be within ±{MOST_GPA} GPa"
                )
            if self.friction_per_fs is not None:
                raise ValueError("pressure_gpa and friction_per_fs: choose one; at constant pressure the bath has none")
        if not SHORTEST_FS <= self.timestep_fs <= 10:
            raise ValueError(
                f"timestep_fs = {self.timestep_fs} is not allowed; it is in fs and must be at most 10 and at least "
                f"{SHORTEST_FS:g}"
            )
        if self.friction_per_fs is not None and self.friction_per_fs * self.timestep_fs > 1:
            raise ValueError(
                f"friction_per_fs = {self.friction_per_fs} is not allowed; it is in 1/fs and must be at most "
                f"1 / timestep_fs = {1 / self.timestep_fs:g}"
            )


def run(
    atoms: Atoms, calculator: Calculator, settings: Run, keep: Callable[[Atoms], None] | None = None
) -> pd.DataFrame:
    """Velocity Verlet; Langevin dynamics where there is a friction; at constant pressure the equations of
    G. J. Martyna, D. J. Tobias and M. L. Klein (J. Chem. Phys. 101, 4177 (1994), doi:10.1063/1.467468), the cell
    keeping its shape. `atoms` moves on.

    Fixed atoms (FixAtoms, FixCartesian) stay where they are and do not count in the temperature; see
    `bpstudy.potential.constraints`.

    Args:
        keep: called with the frame of every row of the table.

    Returns:
        step, time_fs, potential_ev, kinetic_ev, total_ev of the cell, temperature_kelvin and seconds since the start;
        at constant pressure volume_angstrom3, too.

    Raises:
        BrokenRunError: atoms came to lie on one another, or the energy became infinite.
        ValueError: the structure is not one for the calculator, or has a constraint that is not supported.
    """
    if len(atoms) < 2:
        raise ValueError("dynamics needs at least two atoms; repeat the cell")
    has_bath = settings.friction_per_fs is not None
    fixed = fixed_coordinates(atoms)
    if settings.pressure_gpa is not None and (fixed.any() or not atoms.pbc.all()):
        raise ValueError("constant pressure needs a structure that is periodic in all directions, without fixed atoms")
    resting = at_rest(fixed, has_bath)
    kept = [constraint for constraint in atoms.constraints if not isinstance(constraint, FixCom)]
    atoms.set_constraint(kept)
    atoms.calc = calculator
    rng = np.random.default_rng(settings.seed)
    if not atoms.get_momenta().any():
        thermalize_momenta(atoms, settings.temperature_kelvin, rng=rng)
        if not fixed.any():
            Stationary(atoms, preserve_temperature=True)
    else:
        atoms.set_momenta(atoms.get_momenta())  # those of fixed atoms become zero
    timestep = settings.timestep_fs * units.fs
    integrator: MolecularDynamics
    kelvin = settings.temperature_kelvin
    if settings.pressure_gpa is not None:
        pressure = settings.pressure_gpa * units.GPa
        bath, barostat = BATH_FS * units.fs, BAROSTAT_FS * units.fs
        integrator = IsotropicMTKNPT(atoms, timestep, kelvin, pressure, tdamp=bath, pdamp=barostat)
    elif settings.friction_per_fs is None:
        integrator = VelocityVerlet(atoms, timestep)
    else:
        friction = settings.friction_per_fs / units.fs
        if not fixed.any():
            atoms.set_constraint(FixCom())
        integrator = Langevin(atoms, timestep, temperature_K=kelvin, friction=friction, rng=rng, fixcm=False)
    names = ["step", "time_fs", "potential_ev", "kinetic_ev", "total_ev", "temperature_kelvin", "seconds"]
    if settings.pressure_gpa is not None:
        names.append("volume_angstrom3")
    rows: list[tuple[float, ...]] = []
    atoms.get_potential_energy()  # a structure that is not one for the calculator is an error of its own
    started = time.perf_counter()
    for step in range(0, settings.steps + 1):
        if step:
            try:
                integrator.step()
            except ValueError as error:
                if type(error) is not ValueError:  # the potential stops by itself, as it was told to
                    raise
                message = f"step {step}: {error}; the potential does not hold the structure together"
                raise BrokenRunError(message, pd.DataFrame(rows, columns=names)) from error
        if step % settings.every == 0 or step == settings.steps:
            potential, kinetic = atoms.get_potential_energy(), atoms.get_kinetic_energy()
            if not np.isfinite(potential + kinetic):
                message = f"step {step}: the energy is {potential + kinetic}; use a smaller timestep_fs"
                raise BrokenRunError(message, pd.DataFrame(rows, columns=names))
            kelvin = kinetic_temperature(atoms, fixed, resting)
            seconds = time.perf_counter() - started
            row = (step, step * settings.timestep_fs, potential, kinetic, potential + kinetic, kelvin, seconds)
            rows.append(row if settings.pressure_gpa is None else (*row, atoms.get_volume()))
            if keep is not None:
                frame = snapshot(atoms)
                frame.set_constraint(kept)
                keep(frame)
    return pd.DataFrame(rows, columns=names)


def supercell(atoms: Atoms, repeat: tuple[int, int, int]) -> Atoms:
    """The structure repeated along each axis; without velocities, copies of which would move in phase.

    Raises:
        ValueError: more than `MOST_ATOMS` atoms.
    """
    n_atoms = len(atoms) * int(np.prod(repeat, dtype=object))
    if n_atoms > MOST_ATOMS:
        raise ValueError(f"repeat {tuple(repeat)}: {n_atoms} atoms, at most {MOST_ATOMS} are allowed")
    fixed_coordinates(atoms)  # other constraints cannot be repeated
    larger = atoms.repeat(repeat)
    if len(larger) > len(atoms):
        larger.set_momenta(np.zeros_like(larger.positions))
    return larger


def run_to_file(
    atoms: Atoms,
    calculator: Calculator,
    settings: Run,
    path: str | Path,
    look: Callable[[Atoms], None] | None = None,
) -> pd.DataFrame:
    """`run`, its frames written to an ASE trajectory or extended XYZ, by the name's ending, and its table beside it.

    Both appear when they are complete. If the run breaks off, the frames so far are kept as NAME.partial.traj.

    Args:
        look: called with each frame that is kept, too.
    """
    path = Path(path)
    with frame_writer(path) as write:

        def keep(frame: Atoms) -> None:
            write(frame)
            if look is not None:
                look(frame)

        table = run(atoms, calculator, settings, keep)
    write_table(table_of(path), table)
    return table


def drift(table: pd.DataFrame, n_atoms: int) -> tuple[float, float]:
    """Slope of a linear fit to the total energy (meV/atom/ps), and RMS deviation from the line (meV/atom)."""
    times, total = table["time_fs"].to_numpy() / 1000, 1000 / n_atoms * table["total_ev"].to_numpy()
    slope, offset = np.polyfit(times, total, 1)
    return float(slope), float(np.sqrt(((total - slope * times - offset) ** 2).mean()))
