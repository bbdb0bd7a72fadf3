"""What a set of functions, a stranger's for example, is: dead, doubled and costly functions, its rank, what to drop.

With data the functions are computed on them; with energies each function gets its worth in the linear model: by how
much the ridge loss grows without it, refitted. Without data only copies and costs in a typical solid can be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.network.normalization import is_dead
from bpstudy.selection.cost import Surroundings, model_us, surroundings
from bpstudy.selection.equations import accumulate
from bpstudy.selection.methods.forward import ridge_loss
from bpstudy.selection.pool import nearest_distance, sampled_values
from bpstudy.selection.targets import Tolerances
from bpstudy.statistics.information import correlation_matrix, effective_rank
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
DOUBLED = 0.999  # |r| above which two functions say the same
WORTHLESS = 1e-3  # growth of the loss without a function, below which it may go
TYPICAL_DENSITY = 0.05  # atoms per Å³, where there are no data
RIDGE = 1e-6


@dataclass(frozen=True, eq=False)
class Verdict:
    """What `judge` found.

    Attributes:
        table: a row a function: label, type, cutoff_angstrom, cost_us (what the set costs less without it), and with
            data low, high, sd over the atoms, dead, double_of (the label of an earlier function with |r| above 0.999),
            and with energies loss_without (relative growth of the ridge loss) and drop (whether it may go).
        cost_us: modelled µs an atom of the set.
        rank: effective rank of the correlations, None without data.
        kept: the set without dead, doubled and worthless functions; None without data.
        kept_cost_us: what that costs.
    """

    table: pd.DataFrame
    cost_us: float
    rank: float | None
    kept: SymmetryFunctions | None
    kept_cost_us: float | None

    def lines(self) -> list[str]:
        """The verdict in words."""
        n = len(self.table)
        found = [f"{n} functions, {self.cost_us:.1f} µs an atom (modelled), cutoffs {_span(self.table)}"]
        if self.rank is None:
            return [*found, "no data given: dead and doubled functions cannot be told"]
        dead, doubled = self.table[self.table["dead"]], self.table[self.table["double_of"] != ""]
        found.append(f"effective rank {self.rank:.1f} of {n}")
        found.append(f"{len(dead)} dead" + (f": {', '.join(dead['label'])}" if len(dead) else ""))
        found += [f"{row.label} doubles {row.double_of}" for row in doubled.itertuples()]
        if self.kept is not None and self.kept_cost_us is not None and len(self.kept) < n:
            found.append(f"{n - len(self.kept)} may go: {len(self.kept)} are left, {self.kept_cost_us:.1f} µs an atom")
        return found


def judge(functions: SymmetryFunctions, frames: Sequence[Atoms] = ()) -> Verdict:
    """Judge a set, with frames where there are some, and by energies and forces where they have them.

    Raises:
        ValueError: structures that cannot be used.
    """
    around = surroundings(frames, functions.cutoff) if len(frames) else typical_surroundings(functions)
    whole = model_us(functions.functions, around)
    table = pd.DataFrame(
        {
            "label": functions.labels,
            "type": [type(f).__name__ for f in functions.functions],
            "cutoff_angstrom": [f.cutoff for f in functions.functions],
            "cost_us": [whole - _cost_without(functions, k, around) for k in range(len(functions))],
        }
    )
    if not len(frames):
        return Verdict(table, whole, None, None, None)
    values, numbers = sampled_values(functions, frames, 4000)
    table["low"], table["high"], table["sd"] = values.min(axis=0), values.max(axis=0), values.std(axis=0)
    dead = np.all([is_dead(values[numbers == n]) for n in np.unique(numbers)], axis=0)
    table["dead"] = dead
    table["double_of"] = _doubles(values, numbers, dead, functions.labels)
    bad = dead | (table["double_of"] != "").to_numpy()
    if _have_energies(frames):
        table["loss_without"], worthless = _worth(functions, frames, np.flatnonzero(~bad))
        bad |= worthless
    table["drop"] = bad
    rest = [f for f, out in zip(functions.functions, bad, strict=True) if not out]
    kept = SymmetryFunctions(rest) if rest else None
    cost = None if kept is None else model_us(kept.functions, around)
    return Verdict(table, whole, effective_rank(values), kept, cost)


def typical_surroundings(functions: SymmetryFunctions) -> Surroundings:
    """Of a solid of 0.05 atoms/Å³ with as many atoms of each element."""
    species: set[str] = set()
    for f in functions.functions:
        species |= {f.species} if isinstance(f.species, str) else set(f.species or ())
    elements = tuple(sorted(species)) or ("X",)
    radii = np.linspace(0, functions.cutoff, 41)
    total = 4 / 3 * np.pi * radii**3 * TYPICAL_DENSITY / len(elements)
    counts = np.repeat(total[:, None], len(elements), axis=1)
    return Surroundings(elements, radii, counts, counts[:, :, None] * counts[:, None])


def _cost_without(functions: SymmetryFunctions, k: int, around: Surroundings) -> float:
    rest = [*functions.functions[:k], *functions.functions[k + 1 :]]
    return model_us(rest, around) if rest else 0.0


def _doubles(values: Array, numbers: Array, dead: NDArray[np.bool_], labels: Sequence[str]) -> list[str]:
    alike = np.ones((values.shape[1],) * 2)
    for n in np.unique(numbers):
        r = correlation_matrix(values[numbers == n])
        alike = np.minimum(alike, np.where(np.isfinite(r), np.abs(r), 1.0))
    found: list[str] = []
    for k in range(values.shape[1]):
        same = [j for j in range(k) if alike[k, j] > DOUBLED and not dead[j] and not found[j]]
        found.append(labels[same[0]] if same and not dead[k] else "")
    return found


def _have_energies(frames: Sequence[Atoms]) -> bool:
    return len(frames) > 1 and all(f.calc is not None and "energy" in f.calc.results for f in frames)


def _worth(
    functions: SymmetryFunctions, frames: Sequence[Atoms], alive: NDArray[np.intp]
) -> tuple[Array, NDArray[np.bool_]]:
    """Relative growth of the ridge loss without each live function, and what backward elimination drops."""
    tolerances = Tolerances.typical(frames, nearest_distance(frames))
    equations = accumulate(functions, frames).least_squares(tolerances)
    growth, gone = np.full(len(functions), np.nan), np.zeros(len(functions), bool)
    left = [int(k) for k in alive]
    whole = ridge_loss(equations, left, RIDGE) if left else equations.square
    first = True
    while len(left) > 1:
        without = np.array([ridge_loss(equations, [*left[:k], *left[k + 1 :]], RIDGE) for k in range(len(left))])
        if first:
            growth[left], first = without / whole - 1, False
        least = int(without.argmin())
        if without[least] > whole * (1 + WORTHLESS):
            break
        gone[left.pop(least)] = True
    return growth, gone


def _span(table: pd.DataFrame) -> str:
    low, high = table["cutoff_angstrom"].min(), table["cutoff_angstrom"].max()
    return f"{low:.3g} Å" if low == high else f"{low:.3g} to {high:.3g} Å"
