"""The evidence for the claims, and how they are decided: confidence intervals over seeds, and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from bpstudy.config.analysis import Reported, WithForces
from bpstudy.config.selection import Selection

TRAIN = "train"
YES, PARTLY, NO, UNDECIDABLE = "reproduced", "reproduced in part", "not reproduced", "undecidable"
NO_THERMAL = pd.DataFrame(columns=["quantity", "value", "reason"])
NO_FORCES = pd.DataFrame(columns=["section", "pair", "fit", "seed"])

Interval = tuple[float, float]


@dataclass(frozen=True)
class Choice:
    """The tables of the choice of symmetry functions (`bpstudy.selection.comparison.Compared`).

    Attributes:
        settings: its section of the configuration.
        table: one row per set and model.
        differences: one row per pair of sets with networks and quantity.
        halves: one row per budget.
    """

    settings: Selection
    table: pd.DataFrame
    differences: pd.DataFrame
    halves: pd.DataFrame

    @classmethod
    def read(cls, settings: Mapping[str, Any] | None, files: Sequence[str]) -> Choice | None:
        """Of the section of the configuration and the files of the three tables; None where it is left out."""
        return None if settings is None else cls(Selection.model_validate(settings), *map(pd.read_csv, files))


@dataclass(frozen=True)
class Evidence:
    """The study's tables on which the claims are decided.

    Attributes:
        forces, with_forces: the settings of the comparison, and one row per pair, fit and seed.
        thermal: the analysis of the run whose temperature the paper calls converged: one row per quantity.
        metrics, smoothness: one row per experiment, seed and set of frames.
        ranking: of the groups of experiments.
        hierarchy, unit_scatter: magnitudes of the unit functions, and the scatter of E around their 31 sums.
        sums: E against the sum of all functions, by experiment.
        cutoff_angstrom: cutoff of the unit functions.
        bins: number of bins of a sum within which the scatter of E is measured.
        combinations: the group of the nine combinations of types, and the held-out frames that decide among them.
        choice: of symmetry functions; None where it is left out.
        properties: of the crystal, networks beside DFT, one row per property; None where they are left out.
    """

    reported: Reported
    forces: WithForces | None
    thermal: pd.DataFrame
    metrics: pd.DataFrame
    with_forces: pd.DataFrame
    smoothness: pd.DataFrame
    ranking: pd.DataFrame
    hierarchy: pd.DataFrame
    unit_scatter: pd.DataFrame
    sums: Mapping[str, pd.DataFrame]
    cutoff_angstrom: float
    bins: int
    combinations: tuple[str, str]
    choice: Choice | None = None
    properties: pd.DataFrame | None = None

    def of(self, experiment: str, column: str, table: str = "metrics") -> np.ndarray:
        """A metric of an experiment's networks on their training set, by seed.

        Raises:
            ValueError: there is no such metric.
        """
        rows = getattr(self, table)
        chosen = rows[(rows["experiment"] == experiment) & (rows["set"] == TRAIN)].sort_values("seed")
        if chosen.empty:
            raise ValueError(f"no {column} for {experiment}")
        return chosen[column].to_numpy(float)


Decision = tuple[str, str, float | None, Interval | None, str]
Claims = dict[str, tuple[str, str, Callable[[Evidence], Decision]]]


def median_interval(values: np.ndarray) -> tuple[float, Interval | None]:
    """The median over seeds and its 95 % percentile bootstrap interval; None for fewer than three seeds."""
    middle = float(np.median(values))
    if len(values) < 3:
        return middle, None
    if np.ptp(values) == 0:
        return middle, (middle, middle)
    rng = np.random.default_rng(0)
    found = bootstrap((values,), np.median, method="percentile", n_resamples=5000, random_state=rng).confidence_interval
    return middle, (float(found.low), float(found.high))


def shown(value: float, interval: Interval | None, digits: int = 3) -> str:
    """1.23 (1.10 to 1.40)."""
    ends = "" if interval is None else f" ({interval[0]:.{digits}g} to {interval[1]:.{digits}g})"
    return f"{value:.{digits}g}{ends}"


def below(value: float, interval: Interval | None, limit: float) -> str:
    """Whether a value lies below a limit: significantly, probably, or not."""
    low, high = interval or (value, value)
    if interval is None:
        return UNDECIDABLE
    if high < limit:
        return YES
    return NO if low > limit else (PARTLY if value < limit else UNDECIDABLE)


def both(first: str, second: str) -> str:
    """The verdict on a claim with two parts."""
    verdicts = {first, second}
    if verdicts == {YES}:
        return YES
    if verdicts == {NO}:
        return NO
    return PARTLY if verdicts & {YES, PARTLY} else UNDECIDABLE
