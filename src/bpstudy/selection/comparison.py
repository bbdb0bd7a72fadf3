"""The sets compared on the held-out frames: one table of errors, the differences of all pairs, the recommendation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpstudy.config.analysis import Comparisons
from bpstudy.config.selection import ALL_FRAMES, COMBINATIONS, CONTROLS, HALVES, RANDOM
from bpstudy.evaluation.comparison import block_length
from bpstudy.selection.fits import LINEAR, NETWORK
from bpstudy.selection.recommendation import Candidate, errors_of, recommend, scores, to_json
from bpstudy.selection.sets import FittedSet, Sets
from bpstudy.statistics.bootstrap import paired_bootstrap

Array = NDArray[np.float64]
ERRORS = {"energy_error_ev_per_atom": "energy", "force_rmse_ev_per_angstrom": "forces"}


@dataclass(frozen=True, eq=False)
class Compared:
    """What `compare_sets` found.

    Attributes:
        table: a row a set and model: see `bpstudy.selection.recommendation.Ranking`, and name, kind (method, control or
            combination).
        differences: a row a pair of networks' sets and quantity: first, second, quantity (energy, meV/atom; forces,
            meV/Å; score), first_rmse, second_rmse, difference (first less second) with low and high.
        halves: a row a budget: first_half and second_half (names), common functions and their Jaccard index.
        pool: a row a candidate, with chosen_by (number of sets) and recommended.
        recommended: `recommended.json`.
        blocks: of frames in the bootstrap.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    halves: pd.DataFrame
    pool: pd.DataFrame
    recommended: str
    blocks: int


def compare_sets(sets: Sets, errors: pd.DataFrame, step_fs: float, settings: Comparisons) -> Compared:
    """Compare by a bootstrap over seeds and blocks of frames, the same draws for every set.

    Blocks last `settings.block_fs` and three autocorrelation times of the errors at the least
    (`bpstudy.evaluation.comparison`). Of a seed's random sets the root mean square counts.

    Args:
        errors: rows of `bpstudy.selection.fits.fit_set` of all sets.
        step_fs: between held-out frames; NaN where times are not known.

    Raises:
        ValueError: too few frames, or sets that are not tested alike.
    """
    found = {
        (name, model): _candidate(name, of, model, errors)
        for model in (NETWORK, LINEAR)
        for name, of in sets.sets.items()
    }
    networks = {name: candidate for (name, model), candidate in found.items() if model == NETWORK}
    signed, _ = errors_of([c for name, c in networks.items() if sets.sets[name].method != RANDOM])
    length = block_length(signed, step_fs, settings.block_fs)
    whole = {key: c for key, c in found.items() if sets.sets[key[0]].part == ALL_FRAMES}
    ranking = recommend(list(whole.values()), np.random.default_rng(settings.seed), length, settings.confidence)
    table = ranking.table.copy()
    table.insert(0, "name", [name for name, _ in whole])
    table.insert(1, "kind", [_kind(sets.sets[name].method) for name, _ in whole])
    return Compared(
        table,
        _differences(networks, length, settings),
        _halves(sets),
        _pool(sets, list(whole.values())[ranking.overall]),
        to_json(list(whole.values()), ranking, sets.elements),
        signed.shape[2] // length,
    )


def _kind(method: str) -> str:
    return "combination" if method == COMBINATIONS else "control" if method in CONTROLS else "method"


def _candidate(name: str, of: FittedSet, model: str, errors: pd.DataFrame) -> Candidate:
    rows = errors[(errors["set"] == name) & (errors["model"] == model)]
    if rows.empty:
        raise ValueError(f"no {model} errors of the set {name}")
    tables = {key: [_of_seed(group, key) for _, group in rows.groupby("seed")] for key in ERRORS}
    energies, forces = (np.array(table) for table in tables.values())
    method = name if of.method == COMBINATIONS else of.method
    known = None if np.isnan(forces).any() else forces
    return Candidate(method, of.budget, model, of.draws[0], of.cost_us, energies, known)


def _of_seed(rows: pd.DataFrame, key: str) -> Array:
    """Errors of the frames; of several draws their root mean square."""
    by_draw = rows.pivot(index="frame", columns="draw", values=key).to_numpy()
    return by_draw[:, 0] if by_draw.shape[1] == 1 else np.sqrt((by_draw**2).mean(axis=1))


def _differences(networks: Mapping[str, Candidate], length: int, settings: Comparisons) -> pd.DataFrame:
    energies, forces = errors_of(list(networks.values()))
    quantities: list[tuple[str, Array]] = [("energy", 1000 * energies)]
    if forces is not None:
        quantities.append(("forces", 1000 * forces))
    quantities.append(("score", scores(energies, forces)))
    rows: list[tuple] = []
    for quantity, residuals in quantities:
        rng = np.random.default_rng(settings.seed)
        result = paired_bootstrap(residuals, length, rng, settings.draws, settings.confidence)
        for (a, first), (b, second) in combinations(enumerate(networks), 2):
            values = result.estimate[a], result.estimate[b], *result.difference(a, b)
            rows.append((first, second, quantity, *values))
    names = ["first", "second", "quantity", "first_rmse", "second_rmse", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=names)


def _halves(sets: Sets) -> pd.DataFrame:
    rows = []
    for name, of in sets.sets.items():
        pair = [f"{name}-{part}" for part in HALVES]
        if of.part == ALL_FRAMES and pair[0] in sets.sets:
            first, second = (set(sets.sets[half].draws[0].functions) for half in pair)
            common = len(first & second)
            rows.append((of.method, of.budget, name, *pair, common, common / len(first | second)))
    return pd.DataFrame(rows, columns=["method", "budget", "whole", "first_half", "second_half", "common", "jaccard"])


def _pool(sets: Sets, recommended: Candidate) -> pd.DataFrame:
    chosen = [of.draws[0].labels for of in sets.sets.values() if of.part == ALL_FRAMES and _kind(of.method) == "method"]
    return sets.pool.assign(
        chosen_by=[sum(label in labels for labels in chosen) for label in sets.pool["label"]],
        recommended=sets.pool["label"].isin(recommended.functions.labels),
    )
