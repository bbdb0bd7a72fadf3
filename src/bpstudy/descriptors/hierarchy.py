"""Why functions are normalised: magnitudes of G1 … G5 with unit parameters, and how well their sums determine E."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from ase import Atoms, units

from bpstudy.config.functions import UnitFunctions
from bpstudy.symmetry import SymmetryFunctions, compute_frames
from bpstudy.symmetry.functions import G1, G2, G3, G4, G5

TYPES = ("G1", "G2", "G3", "G4", "G5")
LENGTHS_ANGSTROM = {"angstrom": 1.0, "bohr": units.Bohr}


def unit_functions(settings: UnitFunctions, cutoff_angstrom: float, length: str = "angstrom") -> SymmetryFunctions:
    """One function of each type, the parameters read in units of `length` (angstrom or bohr), the cutoff in Å."""
    unit = LENGTHS_ANGSTROM[length]
    eta = settings.eta_per_angstrom2 / unit**2
    angular = (eta, settings.zeta, settings.lam, cutoff_angstrom, settings.pairs)
    return SymmetryFunctions(
        [
            G1(cutoff_angstrom),
            G2(eta, settings.rs_angstrom * unit, cutoff_angstrom),
            G3(settings.kappa_per_angstrom / unit, cutoff_angstrom),
            G4(*angular),
            G5(*angular),
        ]
    )


def cell_sums(functions: SymmetryFunctions, frames: Sequence[Atoms]) -> pd.DataFrame:
    """Each function summed over the atoms of the cell: one row per frame, columns G1 … G5. Where frames are of several
    sizes, the mean over the atoms: sums would tell sizes above all."""
    return pd.DataFrame(_sums(functions, frames), columns=list(TYPES))


def cell_energies_ev(frames: Sequence[Atoms]) -> np.ndarray:
    """Potential energies that belong to `cell_sums`: of the cells, or per atom where frames are of several sizes."""
    energies = np.array([frame.get_potential_energy() for frame in frames])
    return energies / [len(frame) for frame in frames] if _several_sizes(frames) else energies


def _several_sizes(frames: Sequence[Atoms]) -> bool:
    return len({len(frame) for frame in frames}) > 1


def _sums(functions: SymmetryFunctions, frames: Sequence[Atoms]) -> np.ndarray:
    if _several_sizes(frames):
        return np.array([functions.compute(frame).mean(axis=0) for frame in frames])
    return compute_frames(functions, frames).sum(axis=1)


def magnitudes(settings: UnitFunctions, frames: Sequence[Atoms]) -> pd.DataFrame:
    """Mean |ΣG| of each type for every cutoff and unit of length, with its rank (1 is the largest)."""
    cutoffs = sorted({settings.cutoff_angstrom, *settings.other_cutoffs_angstrom})
    found = {cutoff: _sums_of_lengths(settings, cutoff, frames) for cutoff in cutoffs}
    tables = []
    for length in LENGTHS_ANGSTROM:
        for cutoff in cutoffs:
            sums = found[cutoff][length]
            magnitude = sums.abs().mean()
            tables.append(
                pd.DataFrame(
                    {
                        "length_unit": length,
                        "cutoff_angstrom": cutoff,
                        "function": list(TYPES),
                        "magnitude": magnitude,
                        "mean": sums.mean(),
                        "std": sums.std(ddof=0),
                        "rank": magnitude.rank(ascending=False).astype(int),
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def _sums_of_lengths(settings: UnitFunctions, cutoff: float, frames: Sequence[Atoms]) -> dict[str, pd.DataFrame]:
    """`cell_sums` in each unit of length, of one search for neighbours; a function that is the same in both once."""
    functions = {length: unit_functions(settings, cutoff, length).functions for length in LENGTHS_ANGSTROM}
    different = list(dict.fromkeys(function for group in functions.values() for function in group))
    sums = _sums(SymmetryFunctions(different), frames)
    return {
        length: pd.DataFrame(sums[:, [different.index(function) for function in group]], columns=list(TYPES))
        for length, group in functions.items()
    }


def scatter(energy_ev: np.ndarray, g: np.ndarray, bins: int) -> float:
    """Spread of E at a given G relative to the spread of E: √⟨var(E|bin of G)⟩ / sd(E), over bins of equal count.

    1: G says nothing of E. 0: E is a function of G (as far as the width of the bins tells).

    Raises:
        ValueError: fewer than two frames a bin.
    """
    if len(energy_ev) < 2 * bins:
        raise ValueError(f"{len(energy_ev)} frames are too few for {bins} bins of G, each needs two; use fewer bins")
    groups = np.array_split(np.asarray(energy_ev)[np.argsort(g, kind="stable")], bins)
    within = sum(group.var(ddof=1) * len(group) for group in groups) / len(energy_ev)
    return float(np.sqrt(within / np.var(energy_ev, ddof=1)))


def all_sums(energy_ev: np.ndarray, sums: pd.DataFrame, bins: int) -> pd.DataFrame:
    """The 31 non-empty sums of G1 … G5 with unit coefficients and the scatter of E about each, least first."""
    rows = []
    for terms in range(1, len(TYPES) + 1):
        for chosen in combinations(TYPES, terms):
            g = sums[list(chosen)].sum(axis=1).to_numpy()
            rows.append({"sum": "+".join(chosen), "terms": terms, "scatter": scatter(energy_ev, g, bins)})
    return pd.DataFrame(rows).sort_values("scatter", kind="stable", ignore_index=True)
