"""Data sets: frames of any size, composition, cell and periodic axes, from any number of files, in eV and Å."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.config.datasets import BLOCKS, FILE, Imported, Units
from bpstudy.data import formats, names
from bpstudy.data.agreement import Work
from bpstudy.data.copies import fingerprint
from bpstudy.data.distances import distances
from bpstudy.data.errors import TrajectoryError, check_file
from bpstudy.data.sound import check_atoms
from bpstudy.data.units import energy_ev, length_angstrom, stress_ev_per_angstrom3

GROUP = "group"


@dataclass
class DataSet:
    """The frames of a system whose data exist, read one by one: the memory is that of the largest frame.

    Every frame has an energy, a free energy (the same where the file has one energy), forces if all of them have, a
    stress and momenta if the frame has, and in `info` its file, its number there and its group. Constraints are
    dropped.

    Attributes:
        declared: the files, the names of what they hold, and their units.
        folder: what relative paths are relative to.
    """

    declared: Imported
    folder: Path = field(default_factory=Path)
    _first: Atoms | None = field(default=None, init=False, repr=False)
    _names: names.Names | None = field(default=None, init=False, repr=False)
    _stress: str | None = field(default=None, init=False, repr=False)

    def __iter__(self) -> Iterator[Atoms]:
        """Raises:
        TrajectoryError: a frame that cannot be used, named by its file and number; or nothing at all.
        """
        self._first = self._names = self._stress = None
        energies = self._table()
        total = 0
        self._check_sources()
        for source in self.declared.sources:
            units, before = self.units(source), total
            raw_frames = formats.read_raw(self.folder / source, self.declared.format, self.declared.elements)
            for number, raw in enumerate(raw_frames):
                where = f"{source}, frame {number}"
                row = None if energies is None else self._row(energies, total, where)
                yield self._frame(raw, units, source, number, row)
                total += 1
            if total == before:
                raise TrajectoryError(f"{source}: no frames")
        if energies is not None and total != len(energies):
            raise TrajectoryError(f"{self.declared.energies_table}: {len(energies)} rows for {total} frames")

    def _check_sources(self) -> None:
        """Refuse duplicate files, under whatever name."""
        known: dict[tuple[int, int], str] = {}
        for source in self.declared.sources:
            info = check_file(self.folder / source).stat()
            first = known.setdefault((info.st_dev, info.st_ino), source)
            if first is not source:
                raise TrajectoryError(f"{source}: is the same file as {first}; name it once")

    def _table(self) -> pd.DataFrame | None:
        if self.declared.energies_table is None:
            return None
        try:
            return pd.read_csv(self.folder / self.declared.energies_table, sep=r"[,;\s]+", engine="python")
        except (OSError, ValueError, pd.errors.ParserError) as error:
            raise TrajectoryError(f"{self.declared.energies_table}: cannot be read as a table ({error})") from None

    def _row(self, energies: pd.DataFrame, total: int, where: str) -> pd.Series:
        if total >= len(energies):
            raise TrajectoryError(
                f"{where}: {self.declared.energies_table} has {len(energies)} rows, none for this frame"
            )
        return energies.iloc[total]

    def units(self, path: str) -> Units:
        """The declared units.

        Raises:
            TrajectoryError: they must be said and are not.
        """
        if self.declared.units is not None:
            return self.declared.units
        kind = self.declared.format or formats.kind_of(check_file(self.folder / path))
        if kind == formats.N2P2:
            raise TrajectoryError(
                f"{path}: the files of n2p2 and RuNNer do not tell their units; say them, as in "
                "`units: {energy: Hartree, length: Bohr}` or `units: {energy: eV, length: Angstrom}`"
            )
        return Units()

    def _frame(self, raw: Atoms, units: Units, source: str, number: int, row: pd.Series | None) -> Atoms:
        where = f"{source}, frame {number}"
        columns = [] if row is None else [str(name) for name in row.index]
        if self._names is None:
            self._names = names.find_names(raw, where, self.declared.energy, self.declared.forces, columns)
        found = self._known(raw, where, columns)
        held = names.held(raw) | ({} if row is None else row.to_dict())
        length, energy = length_angstrom(units), energy_ev(units)
        atoms = Atoms(raw.numbers, raw.positions * length, cell=raw.cell.array * length, pbc=raw.pbc)
        if "masses" in raw.arrays:
            atoms.set_masses(raw.get_masses())
        if "momenta" in raw.arrays and length == 1.0:
            atoms.set_momenta(raw.get_momenta())
        check_atoms(atoms, where)
        results: dict[str, Any] = {
            "energy": names.number(held[found.energy], where, found.energy) * energy,
            "free_energy": names.number(held[found.free], where, found.free) * energy,
        }
        if found.forces is not None:
            forces = np.asarray(held[found.forces], dtype=float)
            if not np.isfinite(forces).all():
                raise TrajectoryError(f"{where}: {found.forces} are not finite")
            results["forces"] = forces * (energy / length)
        stress = names.find_stress(raw, where, self.declared.stress)
        if stress is not None and raw.cell.rank == 3:
            self._stress = self._stress or stress
            if stress != self._stress:
                raise TrajectoryError(
                    f"{where}: stress under the name {stress}, before {self._stress}; say which with the key `stress`"
                )
            value = names.stress_voigt(held[stress], stress, abs(raw.cell.volume), where)
            results["stress"] = value * stress_ev_per_angstrom3(units, "virial" in stress.lower())
            self._check_virial(raw, held, stress, results["stress"], units, where)
        atoms.calc = SinglePointCalculator(atoms, **results)
        atoms.info = {"file": source, "frame": number, GROUP: self._group(held, source, where)}
        self._check(atoms, where)
        self._first = self._first or atoms
        return atoms

    def _check_virial(self, raw: Atoms, held: dict, stress: str, found: np.ndarray, units: Units, where: str) -> None:
        """Where a frame has a virial beside the stress, they must say the same."""
        other = next((name for name in held if name.lower() in ("virial", "virials") and name != stress), None)
        if self.declared.stress is not None or other is None or not names.is_tensor(other, raw):
            return
        virial = names.stress_voigt(held[other], other, abs(raw.cell.volume), where)
        virial *= stress_ev_per_angstrom3(units, virial=True)
        if np.abs(virial - found).max() > 0.05 * max(np.abs(virial).max(), np.abs(found).max()) + 1e-6:
            raise TrajectoryError(
                f"{where}: {stress} and {other} contradict each other (a virial is −V σ, in the unit of the energy; "
                "`units: {stress: GPa}` names that of the stress); say which with the key `stress`"
            )

    def _known(self, raw: Atoms, where: str, columns: Sequence[str]) -> names.Names:
        """The names of all frames, which this frame must have too."""
        known = self._names
        assert known is not None
        here = names.find_names(raw, where, self.declared.energy, self.declared.forces, columns)
        if here != known:
            pairs = ((key, getattr(here, key), getattr(known, key)) for key in ("energy", "free", "forces"))
            key, mine, first = next(pair for pair in pairs if pair[1] != pair[2])
            key = "forces" if key == "forces" else "energy"
            remedy = f"say which with the key `{key}`"
            if key == "forces" and None in (mine, first):
                remedy = "leave out the frames without, or set `forces: none`"
            raise TrajectoryError(f"{where}: {key} under the name {mine}, in the first frame {first}; {remedy}")
        return known

    def _group(self, held: dict, source: str, where: str) -> str:
        by = self.declared.split.by if self.declared.split else FILE
        if by in (FILE, BLOCKS):
            return source
        if by not in held:
            texts = [name for name, value in held.items() if np.ndim(value) == 0]
            raise TrajectoryError(f"{where}: split.by = {by!r} is not there; it has {', '.join(texts) or 'no keys'}")
        text = str(held[by])
        return (
            re.sub(self.declared.split.ignore, "", text) if self.declared.split and self.declared.split.ignore else text
        )

    def _check(self, atoms: Atoms, where: str) -> None:
        """What differs between frames and matters."""
        first = self._first
        if first is None:
            return
        if (atoms.pbc != first.pbc).any() and (not self.declared.mixed_periodicity or self.declared.trajectory):
            remedy = "; set `mixed_periodicity: true` if that is meant" if self.declared.files else ""
            raise TrajectoryError(
                f"{where}: periodic axes {axes(atoms)}, those of the first frame {axes(first)}{remedy}"
            )
        if self.declared.trajectory and not np.array_equal(atoms.numbers, first.numbers):
            remedy = "name it under `files` if its frames are of different atoms"
            shuffled = np.array_equal(np.sort(atoms.numbers), np.sort(first.numbers))
            what = "its atoms are in another order" if shuffled else "other atoms"
            raise TrajectoryError(
                f"{where}: {what} than in frame 0; a trajectory keeps its atoms in one order; {remedy}"
            )


def axes(atoms: Atoms) -> str:
    """Periodic axes: TTT, FFF, …"""
    return "".join("FT"[bool(periodic)] for periodic in atoms.pbc)


def described(atoms: Atoms) -> dict[str, object]:
    """A row of the table of a data set's frames: what choices, splits and checks need."""
    results = atoms.calc.results
    forces = results.get("forces")
    norms = np.zeros(0) if forces is None else np.linalg.norm(forces, axis=1)
    return {
        **{name: atoms.info[name] for name in ("file", "frame", GROUP)},
        "formula": atoms.get_chemical_formula(),
        "n_atoms": len(atoms),
        "pbc": axes(atoms),
        "energy_ev": results["energy"],
        "force_rms_ev_per_angstrom": np.nan if forces is None else float(np.sqrt((forces**2).mean())),
        "force_max_ev_per_angstrom": np.nan if forces is None else float(norms.max()),
        "moving": atoms.has("momenta"),
        "stress": "stress" in results,
    }


def table_of(frames: Iterator[Atoms]) -> tuple[pd.DataFrame, np.ndarray]:
    """(one row per frame, its fingerprint), one frame in memory at a time.

    The rows hold what `described` says, shortest_angstrom, shortest_bond and alone of `bpstudy.data.distances`, and the
    work of `bpstudy.data.agreement`.
    """
    rows, marks, work = [], [], Work()
    for atoms in frames:
        near = distances(atoms)
        lengths = {"shortest_angstrom": near.shortest_angstrom, "shortest_bond": near.shortest_bond}
        rows.append(described(atoms) | lengths | {"alone": near.alone} | work.step(atoms))
        marks.append(fingerprint(atoms, near))
    return pd.DataFrame(rows), np.array(marks)
