"""Frames of the same atoms as arrays, one row per frame, in files that remain ordinary ASE trajectories.

ASE's own files (https://wiki.fysik.dtu.dk/ase/ase/io/ulm.html) say of each frame at which byte its arrays begin. Here
the positions of all frames lie one after another, then all momenta, and so on, and the frames point into these columns.
ASE reads such a file as any other; a job maps a column into memory and takes the rows that it needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from ase import Atoms, __version__
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_masses
from ase.io import ulm

from bpstudy.files import atomic_path

COLUMNS = "columns"  # the key of the first frame that ASE does not look at
HEADER = {"version", "ase_version", "pbc", "numbers."}
FRAME = {"positions.", "cell", "momenta.", "calculator."}
RESULTS = {"name", "parameters", "energy", "free_energy", "forces."}


class ColumnsError(ValueError):
    """A file does not hold frames of the same atoms with these quantities and no others, or is damaged."""


@dataclass(frozen=True)
class Columns(Sequence[Atoms]):
    """Frames of the same atoms; `columns[n]` is a frame as ASE has it.

    Attributes:
        numbers: atomic numbers, (n_atoms,).
        pbc: periodic axes, (3,).
        cells: (n_frames, 3, 3), Å.
        positions: (n_frames, n_atoms, 3), Å.
        momenta: the same shape, in ASE's unit.
        energies: extrapolated to zero smearing, (n_frames,), eV per cell.
        free_energies: those that the forces belong to, (n_frames,), eV per cell.
        forces: (n_frames, n_atoms, 3), eV/Å.
    """

    numbers: np.ndarray
    pbc: np.ndarray
    cells: np.ndarray
    positions: np.ndarray
    momenta: np.ndarray
    energies: np.ndarray
    free_energies: np.ndarray
    forces: np.ndarray

    def __len__(self) -> int:
        return len(self.energies)

    def __getitem__(self, number):
        chosen = range(len(self))[number]
        if isinstance(chosen, range):
            return [self[n] for n in chosen]
        frame = Atoms(
            self.numbers, self.positions[chosen], cell=self.cells[chosen], pbc=self.pbc, momenta=self.momenta[chosen]
        )
        frame.calc = SinglePointCalculator(
            frame,
            energy=float(self.energies[chosen]),
            forces=self.forces[chosen],
            free_energy=float(self.free_energies[chosen]),
        )
        return frame

    def kinetic_energies(self) -> np.ndarray:
        """Σ p²/2m of each frame, (n_frames,), eV; the same bits as ASE's `get_kinetic_energy`."""
        masses = atomic_masses[self.numbers][:, None]
        return np.array([0.5 * np.vdot(p, p / masses) for p in self.momenta.astype(float)])


OF_FRAMES = [field.name for field in fields(Columns) if field.name not in ("numbers", "pbc")]


def joined(parts: Sequence[Columns]) -> Columns:
    """Consecutive parts as one.

    Raises:
        ColumnsError: no parts, or they are of different atoms.
    """
    if not parts:
        raise ColumnsError("no frames")
    first = parts[0]
    for part in parts:
        if not (np.array_equal(part.numbers, first.numbers) and np.array_equal(part.pbc, first.pbc)):
            raise ColumnsError("other atoms or periodic axes than in frame 0")
    return Columns(first.numbers, first.pbc, *(np.concatenate([getattr(p, name) for p in parts]) for name in OF_FRAMES))


def parse(content: bytes) -> Columns:
    """The frames of a file in ASE's format, which need not have been written as columns.

    Raises:
        ColumnsError: it is damaged, has no frames, changes its atoms, or holds something else as well.
    """
    try:
        items = list(_items(content))
        if not items:
            raise ColumnsError("no frames")
        return _collected(content, items)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        if isinstance(error, ColumnsError):
            raise
        raise ColumnsError(f"not a whole ASE trajectory ({type(error).__name__}: {error})") from error


def _items(content: bytes) -> Iterator[dict]:
    """What is said of each frame."""
    if content[:24].rstrip() != b"- of UlmASE-Trajectory":
        raise ColumnsError("not an ASE trajectory")
    _, count, place = np.frombuffer(content, "<i8", 3, 24)
    for offset in np.frombuffer(content, "<i8", count, place).tolist():
        size = int.from_bytes(content[offset : offset + 8], "little")
        yield json.loads(content[offset + 8 : offset + 8 + size])


def _collected(content: bytes, items: Sequence[dict]) -> Columns:
    header = {key: items[0].pop(key) for key in HEADER & set(items[0])}
    for number, item in enumerate(items):
        if set(item) - {f"{COLUMNS}."} != FRAME or set(item["calculator."]) != RESULTS:
            raise ColumnsError(f"frame {number} holds {', '.join(sorted(item))}; not what a chunk of dynamics holds")
    calculators = [item["calculator."] for item in items]

    def column(places: Sequence[dict]) -> np.ndarray:
        shape, kind, _ = places[0]["ndarray"]
        if any(place["ndarray"][:2] != [shape, kind] for place in places):
            raise ColumnsError("frames of different sizes")
        rows = [np.frombuffer(content, f"<{np.dtype(kind).str[1:]}", np.prod(shape), p["ndarray"][2]) for p in places]
        return np.stack(rows).reshape(-1, *shape)

    found = Columns(
        numbers=column([header["numbers."]])[0],
        pbc=np.array(header["pbc"], bool),
        cells=np.array([item["cell"] for item in items], float),
        positions=column([item["positions."] for item in items]),
        momenta=column([item["momenta."] for item in items]),
        energies=np.array([results["energy"] for results in calculators], float),
        free_energies=np.array([results["free_energy"] for results in calculators], float),
        forces=column([results["forces."] for results in calculators]),
    )
    for name in OF_FRAMES:
        finite = np.isfinite(getattr(found, name)).reshape(len(found), -1).all(axis=1)
        if not finite.all():
            raise ColumnsError(f"frame {finite.argmin()}: {name} are not finite")
    return found


def write_columns(path: str | Path, columns: Columns) -> None:
    """Write an ASE trajectory whose arrays are columns; it appears when it is complete."""
    with atomic_path(path) as temporary, ulm.open(temporary, "w", tag="ASE-Trajectory") as file:
        file.write(version=1, ase_version=__version__, pbc=columns.pbc.tolist(), numbers=columns.numbers)
        whole = file.child(COLUMNS)
        for name in OF_FRAMES:
            whole.write(name, getattr(columns, name))
        places = {name: _places(whole.data[f"{name}."]["ndarray"]) for name in ("positions", "momenta", "forces")}
        numbers = zip(columns.cells.tolist(), columns.energies.tolist(), columns.free_energies.tolist(), strict=True)
        for frame, (cell, energy, free_energy) in enumerate(numbers):
            positions, momenta, forces = (of[frame] for of in places.values())
            results = {"name": "unknown", "parameters": {}, "energy": energy, "free_energy": free_energy}
            file.data |= {"positions.": positions, "cell": cell, "momenta.": momenta}
            file.data["calculator."] = results | {"forces.": forces}
            file.sync()


def _places(column: tuple) -> list[dict]:
    """Where the rows of a written column lie."""
    (frames, *shape), kind, start = column
    step = int(np.prod(shape)) * np.dtype(kind).itemsize
    return [{"ndarray": (shape, kind, start + n * step)} for n in range(frames)]


def mapped(path: str | Path) -> Columns | None:
    """The frames of a file that `write_columns` wrote, read from the disk when they are used; None for other files.

    Raises:
        ColumnsError: the file ends before its columns do.
    """
    with ulm.open(path) as file:
        if COLUMNS not in file or len(file.columns.proxy("energies")) != len(file):
            return None  # not written here, or ASE has appended to it
        try:
            found = (file.columns.proxy(name) for name in OF_FRAMES)
            of_frames = [np.memmap(path, of.dtype, "r", of.offset, of.shape) for of in found]
        except ValueError as error:
            raise ColumnsError(f"the file was cut off ({error})") from error
        return Columns(file.numbers, np.array(file.pbc), *of_frames)
