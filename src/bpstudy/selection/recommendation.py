"""Which set to take: the cheapest that is not significantly worse than the best, at each budget and overall.

A set is a method's choice of n functions with a model on it (network or linear), fitted with several seeds and tested
on frames that chose nothing. Energies and forces are weighed alike: with e_k the error of the energy an atom of frame k
and f_k the root-mean-square error of its forces, and s_E, s_F the least root-mean-square errors that any set reaches,

    score² = mean over frames of ½ (e_k / s_E)² + ½ (f_k / s_F)²,

so 1 is the best possible in both. Intervals and differences are those of a paired bootstrap over seeds and blocks of
frames (`bpstudy.statistics.paired_bootstrap`); "significantly" means that the interval of the difference excludes 0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpstudy.config.selection import RANDOM
from bpstudy.selection.writers import dscribe_parameters, n2p2_lines
from bpstudy.statistics.bootstrap import Comparison, paired_bootstrap
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
N_DRAWS = 2000


@dataclass(frozen=True, eq=False)
class Candidate:
    """A set with a model on it, tested on frames that chose nothing.

    Attributes:
        method: name of the method that chose it.
        budget: number of functions asked for.
        model: "network" or "linear".
        functions: the set.
        cost_us: µs an atom for energy and forces.
        energy_errors: predicted less true energy an atom, eV, (n_seeds, n_frames).
        force_errors: root mean square over the components of a frame, eV/Å, (n_seeds, n_frames); None without forces.
        force_maes: mean absolute error over these components, where it is known.
    """

    method: str
    budget: int
    model: str
    functions: SymmetryFunctions
    cost_us: float
    energy_errors: Array
    force_errors: Array | None = None
    force_maes: Array | None = None


@dataclass(frozen=True, eq=False)
class Ranking:
    """What `recommend` found. Rows of `table` are the sets in the order given.

    Columns: method, budget, model, functions (number), cost_us_per_atom, energy_rmse_mev_per_atom and
    force_rmse_ev_per_angstrom with _low and _high, energy_mae_mev_per_atom, force_mae_ev_per_angstrom (NaN where it is
    not known), score with _low and _high, behind_best (score less that of the best of its budget) with _low and _high,
    significantly_worse, behind_random (score less that of random sets of its budget with its model; NaN without such)
    with _low and _high, pareto (no set is cheaper and has a lower score), recommended.

    `overall` is the row to take; `by_budget` the row at each budget.
    """

    table: pd.DataFrame
    by_budget: dict[int, int]
    overall: int


def recommend(
    tested: Sequence[Candidate], rng: np.random.Generator, block_length: int = 1, confidence: float = 0.95
) -> Ranking:
    """Rank sets tested on the same frames; fits without seeds (linear ones) stand for each seed.

    Args:
        block_length: of consecutive frames that are alike; 1 for independent ones.

    Raises:
        ValueError: no sets, other frames or numbers of seeds, or some with forces and some without.
    """
    if not tested:
        raise ValueError("no sets were tested")
    energies, forces = errors_of(tested)
    state = rng.bit_generator.state
    parts: list[Comparison | None] = []
    for residuals in (energies, forces, scores(energies, forces)):
        rng.bit_generator.state = state  # the same draws for all three
        parts.append(None if residuals is None else paired_bootstrap(residuals, block_length, rng, N_DRAWS, confidence))
    score = parts[2]
    assert score is not None
    budgets = sorted({t.budget for t in tested})
    table = pd.DataFrame(
        {
            "method": [t.method for t in tested],
            "budget": [t.budget for t in tested],
            "model": [t.model for t in tested],
            "functions": [len(t.functions) for t in tested],
            "cost_us_per_atom": [t.cost_us for t in tested],
        }
    )
    for name, part, unit in (
        ("energy_rmse_mev_per_atom", parts[0], 1e3),
        ("force_rmse_ev_per_angstrom", parts[1], 1.0),
        ("score", score, 1.0),
    ):
        if part is not None:
            table[name] = unit * part.estimate
            table[f"{name}_low"], table[f"{name}_high"] = unit * part.intervals.T
    table["energy_mae_mev_per_atom"] = [1e3 * np.abs(t.energy_errors).mean() for t in tested]
    table["force_mae_ev_per_angstrom"] = [np.nan if t.force_maes is None else t.force_maes.mean() for t in tested]
    best = {b: _least_of(score, [k for k, t in enumerate(tested) if t.budget == b]) for b in budgets}
    behind = [score.difference(k, best[t.budget]) for k, t in enumerate(tested)]
    table["behind_best"], table["behind_best_low"], table["behind_best_high"] = np.array(behind).T
    table["significantly_worse"] = [low > 0 for _, low, _ in behind]
    at_random = {(t.budget, t.model): k for k, t in enumerate(tested) if t.method == RANDOM}
    beside = [(k, at_random.get((t.budget, t.model))) for k, t in enumerate(tested)]
    behind = [(np.nan,) * 3 if other is None else score.difference(k, other) for k, other in beside]
    table["behind_random"], table["behind_random_low"], table["behind_random_high"] = np.array(behind).T
    costs = table["cost_us_per_atom"].to_numpy()
    table["pareto"] = [_on_front(k, costs, score.estimate) for k in range(len(tested))]
    by_budget = {
        b: _cheapest(costs, score, [k for k, t in enumerate(tested) if t.budget == b], best[b]) for b in budgets
    }
    everything = list(range(len(tested)))
    overall = _cheapest(costs, score, everything, _least_of(score, everything))
    table["recommended"] = [k in by_budget.values() or k == overall for k in everything]
    return Ranking(table, by_budget, overall)


def errors_of(tested: Sequence[Candidate]) -> tuple[Array, Array | None]:
    """Errors of energies and forces, (n_sets, n_seeds, n_frames); None without forces.

    Raises:
        ValueError: other frames or numbers of seeds, or some with forces and some without.
    """
    with_forces = [t.force_errors is not None for t in tested]
    if any(with_forces) != all(with_forces):
        raise ValueError("some sets have errors of forces and some have none; test all alike")
    forces = _same_seeds([t.force_errors for t in tested]) if all(with_forces) else None  # type: ignore[misc]
    return _same_seeds([t.energy_errors for t in tested]), forces


def scores(energies: Array, forces: Array | None) -> Array:
    """Scores of sets, seeds and frames, in the shape of the errors, relative to the least of these sets."""
    combined = energies**2 / _least(energies)
    if forces is not None:
        combined = 0.5 * combined + 0.5 * forces**2 / _least(forces)
    return np.sqrt(combined)


def _same_seeds(errors: Sequence[Array]) -> Array:
    """(n_sets, n_seeds, n_frames); those of one seed are repeated."""
    seeds = max(len(e) for e in errors)
    frames = {e.shape[1:] for e in errors}
    if len(frames) > 1 or any(len(e) not in (1, seeds) for e in errors):
        raise ValueError(
            f"errors of the shapes {sorted({e.shape for e in errors})}: test all on the same frames and seeds"
        )
    return np.array([np.broadcast_to(e, (seeds, *e.shape[1:])) for e in errors])


def _least(errors: Array) -> float:
    """The least mean square of a set; 1 where a set is exact."""
    return float((errors**2).mean(axis=(1, 2)).min()) or 1.0


def _least_of(score: Comparison, rows: Sequence[int]) -> int:
    return min(rows, key=lambda k: (score.estimate[k], k))


def _cheapest(costs: Array, score: Comparison, rows: Sequence[int], best: int) -> int:
    """Of those not significantly worse than the best."""
    close = [k for k in rows if k == best or score.difference(k, best)[1] <= 0]
    return min(close, key=lambda k: (costs[k], score.estimate[k], k))


def _on_front(row: int, costs: Array, scores: Array) -> bool:
    better = (costs <= costs[row]) & (scores <= scores[row]) & ((costs < costs[row]) | (scores < scores[row]))
    return not bool(better.any())


def to_json(tested: Sequence[Candidate], ranking: Ranking, elements: Sequence[str]) -> str:
    """`recommended.json`: the set to take overall and at each budget, with errors, cost, and the inputs of others."""

    def entry(row: int) -> dict[str, Any]:
        of = tested[row]
        numbers = {
            str(key): (value.item() if isinstance(value, np.generic) else value)
            for key, value in ranking.table.iloc[row].to_dict().items()
        }
        found = {**numbers, "symmetry_functions": json.loads(of.functions.to_json())}
        for key, write in (("n2p2", n2p2_lines), ("dscribe", dscribe_parameters)):
            try:
                argument: Any = of.functions.functions if key == "n2p2" else of.functions
                found[key] = write(argument, elements)
            except ValueError as error:
                found[key], found[f"{key}_missing"] = None, str(error)
        return found

    data = {
        "overall": entry(ranking.overall),
        "by_budget": {str(budget): entry(row) for budget, row in ranking.by_budget.items()},
    }
    return json.dumps(data, indent=1) + "\n"
