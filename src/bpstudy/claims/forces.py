"""Claims F1 to F6: what fitting to forces, and to stress, changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from bpstudy.claims.evidence import (
    NO,
    PARTLY,
    UNDECIDABLE,
    YES,
    Claims,
    Decision,
    Evidence,
    below,
    both,
    median_interval,
    shown,
)
from bpstudy.config.analysis import FITS

SAME_ORDER = 0.7  # rank correlation


def _errors(evidence: Evidence, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(combination, seed) → error on held-out frames, of fits to energies alone and to energies and forces."""
    table = evidence.with_forces[evidence.with_forces["section"] == "types"]
    if table.empty:
        raise ValueError("no fit with forces")
    alone, together = (
        table[table["fit"] == fit].set_index(["pair", "seed"])[column].unstack().dropna(axis=1) for fit in FITS
    )
    if alone.empty or together.shape != alone.shape:
        raise ValueError("no pair of fits with and without forces has the same random seeds")
    return alone, together


def _fitted_with_forces(evidence: Evidence) -> pd.DataFrame:
    table = evidence.with_forces
    fitted = table[table["fit"] == FITS[1]]
    if fitted.empty:
        raise ValueError("no fit with forces")
    return fitted


def _gain(column: str) -> Callable[[Evidence], Decision]:
    def decide(evidence: Evidence) -> Decision:
        alone, together = _errors(evidence, column)
        ratio, interval = median_interval((together.median() / alone.median()).to_numpy())
        ours = f"with forces {shown(ratio, interval)} of the error without them, median over combinations"
        return "", ours, ratio, interval, below(ratio, interval, 1)

    return decide


def _goals(evidence: Evidence) -> Decision:
    fitted, goals = _fitted_with_forces(evidence), evidence.forces
    if goals is None:
        raise ValueError("no fit with forces")
    middle = fitted.groupby("pair")[["rmse_mev_per_atom", "force_rmse_mev_per_angstrom"]].median()
    first = middle.sort_values("force_rmse_mev_per_angstrom").iloc[0]
    best, (energy, force) = first.name, map(float, first)
    ours = f"{best}: {energy:.2g} meV/atom, {force:.2g} meV/Å"
    verdicts = [
        YES if value <= goal else NO
        for value, goal in ((energy, goals.goal_mev_per_atom), (force, goals.goal_mev_per_angstrom))
    ]
    goal = f"≤ {goals.goal_mev_per_atom:g} meV/atom and ≤ {goals.goal_mev_per_angstrom:g} meV/Å"
    return goal, ours, force, None, both(*verdicts)


def _ridge(evidence: Evidence) -> Decision:
    fitted = _fitted_with_forces(evidence)
    better = (fitted["rmse_mev_per_atom"] <= fitted["ridge_rmse_mev_per_atom"]) & (
        fitted["force_rmse_mev_per_angstrom"] <= fitted["force_ridge_rmse_mev_per_angstrom"]
    )
    share = float(better.mean())
    verdict = YES if share == 1 else NO if share == 0 else PARTLY
    return "always", f"{share:.0%} of the networks, in energy and forces", share, None, verdict


def _order(evidence: Evidence) -> Decision:
    energies, together = _errors(evidence, "rmse_mev_per_atom")[0], _errors(evidence, "force_rmse_mev_per_angstrom")[1]
    ranks = np.array([spearmanr(energies[seed], together[seed]).statistic for seed in energies.columns])
    middle, interval = median_interval(ranks)
    best = energies.median(axis=1).idxmin(), together.median(axis=1).idxmin()
    ours = f"rank correlation {shown(middle, interval)}; best {best[0]} by energies alone, {best[1]} by forces"
    low, high = interval or (np.nan, np.nan)
    verdict = UNDECIDABLE if interval is None else YES if low > SAME_ORDER else NO if high < SAME_ORDER else PARTLY
    return "", ours, middle, interval, verdict


def _properties(evidence: Evidence) -> Decision:
    table = evidence.properties
    if table is None:
        raise ValueError("no properties of a crystal")
    goal = float(table["goal"].iloc[0])
    missed = table.loc[~(table["deviation"].abs() <= goal), "property"]
    share = 1 - len(missed) / len(table)
    ours = f"{len(table) - len(missed)} of {len(table)}" + (f"; not {', '.join(missed)}" if len(missed) else "")
    return f"within {goal:.0%} of the DFT", ours, share, None, YES if share == 1 else NO if share == 0 else PARTLY


FORCES: Claims = {
    "F1": (
        "fitting to forces lowers the energy error on held-out frames",
        "median over the nine combinations of the error ratio, with to without forces; interval over seeds below 1",
        _gain("rmse_mev_per_atom"),
    ),
    "F2": (
        "fitting to forces lowers the force error on held-out frames",
        "median over the nine combinations of the error ratio, with to without forces; interval over seeds below 1",
        _gain("force_rmse_mev_per_angstrom"),
    ),
    "F3": (
        "a useful potential: errors on held-out frames",
        "medians over seeds for the fit with the lowest force error; one of the two: in part",
        _goals,
    ),
    "F4": (
        "fitted to forces, no network is worse than ridge regression with the same loss",
        "all networks; some: in part",
        _ridge,
    ),
    "F5": (
        "fitting to forces preserves the ranking of the combinations",
        f"interval over seeds of the rank correlation of the errors above {SAME_ORDER}; below: not",
        _order,
    ),
    "F6": (
        "fitted to strained cells with their stress, networks give the properties of the crystal",
        "median over seeds of each property within properties.goal of the DFT's; some: in part",
        _properties,
    ),
}
