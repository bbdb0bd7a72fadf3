"""Molecular dynamics as a chain of chunks: a state goes in, frames and the next state come out.

Each chunk starts with fresh wave functions from its state, so a trajectory does not depend on where a run was killed.
"""

from __future__ import annotations

import fcntl
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator
from ase.constraints import FixCom
from ase.md.langevin import Langevin as LangevinIntegrator
from ase.md.velocitydistribution import Stationary, thermalize_momenta

from bpstudy.config.systems import Langevin, Simulation
from bpstudy.data.trajectory import snapshot, temperature_kelvin, write_frames
from bpstudy.dynamics.calculators import make_calculator, start_mpi
from bpstudy.dynamics.crystals import build_crystal
from bpstudy.files import atomic_path


class DynamicsError(RuntimeError):
    """A chunk failed and was discarded."""


@dataclass(frozen=True)
class State:
    """Everything the next step depends on; written to JSON and read back without losing a bit."""

    step: int
    numbers: list[int]
    positions_angstrom: list[list[float]]
    momenta: list[list[float]]  # ASE units, √(eV·u)
    cell_angstrom: list[list[float]]
    random_state: dict

    @classmethod
    def of(cls, atoms: Atoms, step: int, rng: np.random.Generator) -> State:
        return cls(
            step=step,
            numbers=atoms.numbers.tolist(),
            positions_angstrom=atoms.positions.tolist(),
            momenta=atoms.get_momenta().tolist(),
            cell_angstrom=atoms.cell.tolist(),
            random_state=dict(rng.bit_generator.state),
        )

    def atoms(self) -> Atoms:
        atoms = Atoms(self.numbers, positions=self.positions_angstrom, cell=self.cell_angstrom, pbc=True)
        atoms.set_momenta(self.momenta)
        return atoms

    def rng(self) -> np.random.Generator:
        rng = np.random.default_rng()
        rng.bit_generator.state = self.random_state
        return rng

    def write(self, path: str | Path) -> None:
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(asdict(self)) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> State:
        try:
            return cls(**json.loads(Path(path).read_text()))
        except (OSError, TypeError, ValueError) as error:
            raise DynamicsError(
                f"{path}: not a state of the dynamics ({error}); delete it to have it computed again"
            ) from None


def initial_state(system: Simulation) -> State:
    """The ideal crystal with Maxwell-Boltzmann velocities, centre of mass at rest, before step 0."""
    atoms = build_crystal(system.crystal)
    rng = np.random.default_rng(system.dynamics.seed)
    thermalize_momenta(atoms, system.dynamics.temperature_kelvin, rng=rng)
    Stationary(atoms, preserve_temperature=True)
    return State.of(atoms, 0, rng)


def run(
    state: State, settings: Langevin, last_step: int, calculator: Calculator, progress: Progress | None = None
) -> tuple[list[Atoms], State]:
    """Langevin dynamics from `state` to `last_step`.

    Returns:
        The frames state.step + 1 … last_step (frame 0 as well when the state is at step 0) and the state at the end.

    Raises:
        DynamicsError: the energy of a step did not converge or is not finite; the message gives its number.
    """
    atoms = state.atoms()
    atoms.set_constraint(FixCom())
    atoms.calc = calculator
    rng = state.rng()
    integrator = LangevinIntegrator(
        atoms,
        timestep=settings.timestep_fs * units.fs,
        temperature_K=settings.temperature_kelvin,
        friction=settings.friction_per_fs / units.fs,
        fixcm=False,
        rng=rng,
    )
    frames = []
    for step in range(state.step, last_step + 1):
        try:
            if step > state.step:
                integrator.step()
            atoms.get_potential_energy()
            atoms.get_forces()
        except Exception as error:  # each calculator raises an error of its own for a cycle that does not converge
            reason = " ".join(str(error).split()) or "no reason given"
            raise DynamicsError(
                f"step {step}: {type(error).__name__}: {reason}\n"
                "This chunk was discarded. If the self-consistent cycle did not converge, more bands, "
                "a smaller mixer.beta or a shorter timestep_fs may help; see the calculator's own log."
            ) from error
        frame = snapshot(atoms)
        _check_finite(frame, step)
        if step > state.step or step == 0:
            frames.append(frame)
            if progress is not None:
                progress.report(step, temperature_kelvin(frame))
    return frames, State.of(atoms, last_step, rng)


def _check_finite(frame: Atoms, step: int) -> None:
    values = {**frame.calc.results, "positions": frame.positions, "momenta": frame.get_momenta()}
    for name, value in values.items():
        if value is not None and not np.isfinite(value).all():
            raise DynamicsError(f"step {step}: {name} not finite; this chunk was discarded")


@dataclass
class Progress:
    """Writes a line to the log every `interval_s` seconds: steps done, speed, time left, temperature."""

    first: int
    last: int
    interval_s: float = 10.0

    def __post_init__(self) -> None:
        self._start = self._reported = time.monotonic()

    def report(self, step: int, temperature: float) -> None:
        now = time.monotonic()
        if now - self._reported < self.interval_s and step != self.last:
            return
        self._reported = now
        done = max(1, step - self.first)
        pace = (now - self._start) / done
        print(
            f"step {step} of {self.last}: {pace:.2f} s/step, {pace * (self.last - step) / 60:.1f} min left, "
            f"{temperature:.0f} K",
            file=sys.stderr,
            flush=True,
        )


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Refuse to compute `path` while another process on this file system is computing it."""
    lock = path.with_name(f".{path.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DynamicsError(
                f"{path}: another process is computing this chunk; wait for it or stop it, then start again"
            ) from None
        yield


def run_chunk(
    system: Simulation,
    first: int,
    last: int,
    state_in: Path | None,
    frames_out: Path,
    state_out: Path,
    calculator_log: Path | None = None,
) -> bool:
    """Compute the steps after `first` up to `last`; under MPI all ranks call this and one of them writes.

    Args:
        state_in: state at step `first`; None when that is the start.

    Returns:
        Whether this process wrote the files.
    """
    start_mpi(system.calculator)
    from ase.parallel import world  # after MPI has started, if the calculator uses it

    state = initial_state(system) if state_in is None else State.read(state_in)
    if state.step != first:
        raise DynamicsError(f"{state_in}: is at step {state.step}, this chunk starts at {first}; delete it")
    if world.rank != 0:
        run(state, system.dynamics, last, make_calculator(system.calculator, calculator_log))
        return False
    with sole_writer(frames_out):  # before the calculator, which begins its log anew
        calculator = make_calculator(system.calculator, calculator_log)
        frames, state = run(state, system.dynamics, last, calculator, Progress(first, last))
        write_frames(frames_out, frames)
        state.write(state_out)
    return True
