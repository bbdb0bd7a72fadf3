"""Are energies and forces consistent? From one frame to the next of the same cell, the energy changes by the work.

E_b − E_a ≈ −½ (F_a + F_b)·(x_b − x_a), exact in a harmonic crystal and for small steps. If all energies change with the
opposite sign, or many times more or less, one of the two has another sign or unit, or is counted per atom. Where the
cell changes too, ½ (V_a σ_a + V_b σ_b):ε joins it, which tells the same of the stress.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pandas as pd
from ase import Atoms
from ase.cell import Cell
from ase.stress import voigt_6_to_full_3x3_stress

MOST_ANGSTROM = 0.6  # RMS displacement beyond which two frames are too far apart
MOST_STRAIN = 0.06
MOST_KEPT = 64  # cells that are waited for at a time: memory stays that of a few frames
FEWEST_STEPS = 8
ALIKE = 0.9  # correlation of work and change from which on their ratio counts
LEAST, MOST = 0.6, 1.7  # ratios that are believed; Bohr for Å gives 1.9, per atom and Hartree much less


class Work:
    """The work between each frame and the last one before it of the same atoms, in the same cell and in another."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple, Atoms] = OrderedDict()

    def step(self, atoms: Atoms) -> dict[str, float]:
        """Of forces in a cell that is kept: change_ev and work_ev. Of the stress, what the energy changes beside the
        work of the forces: strain_change_ev and strain_work_ev. NaN where it cannot be told."""
        found = dict.fromkeys(("change_ev", "work_ev", "strain_change_ev", "strain_work_ev"), np.nan)
        if "forces" not in atoms.calc.results:
            return found
        kind = (atoms.numbers.tobytes(), atoms.pbc.tobytes(), atoms.info["file"])
        before = self._before((*kind, atoms.cell.array.round(3).tobytes()), atoms)
        if before is not None:
            found["change_ev"], found["work_ev"], _ = _between(before, atoms)
        other = self._before(kind, atoms) if "stress" in atoms.calc.results else None
        if other is not None and not np.allclose(other.cell, atoms.cell, rtol=0, atol=1e-4):
            change, work, strained = _between(other, atoms)
            found["strain_change_ev"], found["strain_work_ev"] = change - work, strained
        return found

    def _before(self, key: tuple, atoms: Atoms) -> Atoms | None:
        before = self._last.pop(key, None)
        self._last[key] = atoms
        if len(self._last) > MOST_KEPT:
            self._last.popitem(last=False)
        return before


def _between(a: Atoms, b: Atoms) -> tuple[float, float, float]:
    """Change of the energy, work of the forces, work of the stress (eV) from a to b; NaN if they are too far apart."""
    cells = [Cell(np.where(of.pbc[:, None], of.cell.array, 0.0)).complete().array for of in (a, b)]
    if a.pbc.any():
        turn = np.linalg.solve(*cells)
        steps = np.linalg.solve(cells[1].T, b.positions.T).T - np.linalg.solve(cells[0].T, a.positions.T).T
        moved = (steps - np.round(steps) * a.pbc) @ (cells[0] + cells[1]) / 2
    else:
        turn, moved = np.eye(3), b.positions - a.positions
    strain = (turn + turn.T) / 2 - np.eye(3)
    if (moved**2).sum(axis=1).mean() > MOST_ANGSTROM**2 or np.abs(strain).max() > MOST_STRAIN:
        return np.nan, np.nan, np.nan
    old, new = a.calc.results, b.calc.results
    work = -float(((old["forces"] + new["forces"]) / 2 * moved).sum())
    strained = np.nan
    if "stress" in old and "stress" in new:
        mean = (a.get_volume() * old["stress"] + b.get_volume() * new["stress"]) / 2
        strained = float((voigt_6_to_full_3x3_stress(mean) * strain).sum())
    return new["free_energy"] - old["free_energy"], work, strained


def ratio(changes: pd.Series, works: pd.Series) -> float | None:
    """Changes over works, per atom, by least squares; None if there is too little to tell."""
    known = changes.notna() & works.notna()
    change, work = changes[known].to_numpy(), works[known].to_numpy()
    if len(work) >= FEWEST_STEPS:  # absurd ones are a finding of their own
        near = [np.abs(values) <= 20 * np.median(np.abs(values)) for values in (change, work)]
        change, work = change[near[0] & near[1]], work[near[0] & near[1]]
    if len(work) < FEWEST_STEPS or not (change.any() and work.any()):
        return None
    if abs(change @ work) < ALIKE * np.sqrt((change @ change) * (work @ work)):
        return None
    return float(change @ work / (work @ work))
