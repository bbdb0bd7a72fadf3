"""Figures of a choice of symmetry functions: their error, their cost, and their place in the pool."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bpstudy.figures.style import MARKED, PLAIN, TYPES, WIDTH_CM, figure, plain_logarithm, themed

METHOD_COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#7F7F7F", "#F0E442")
GAP = 6  # between types, in candidates
MARKS = {"network": "o", "linear": "s"}
COMBINATIONS = "combinations of types"  # of the study, where the table holds some


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """The table with one name for all combinations."""
    if "kind" not in table:
        return table
    return table.assign(method=table["method"].where(table["kind"] != "combination", COMBINATIONS))


def _colors(table: pd.DataFrame) -> dict[str, str]:
    names = [name for name in dict.fromkeys(table["method"]) if name != COMBINATIONS]
    return {name: METHOD_COLORS[k % len(METHOD_COLORS)] for k, name in enumerate(names)} | {COMBINATIONS: PLAIN}


@themed
def pareto(table: pd.DataFrame, width_cm: float = WIDTH_CM) -> Figure:
    """Score against cost of every set with intervals, the Pareto front as a line, the recommended ones ringed."""
    table = _named(table)
    drawn, colors = figure(width_cm, 9.0), _colors(table)
    axes = drawn.subplots()
    for (method, model), rows in table.groupby(["method", "model"], sort=False):
        low, high = rows["score"] - rows["score_low"], rows["score_high"] - rows["score"]
        axes.errorbar(
            rows["cost_us_per_atom"], rows["score"], [low.clip(lower=0), high.clip(lower=0)], fmt=MARKS[str(model)],
            color=colors[str(method)], markersize=4, elinewidth=0.6,
            markerfacecolor=colors[str(method)] if model == "network" else "white",
        )  # fmt: skip
    front = table[table["pareto"]].sort_values("cost_us_per_atom")
    axes.plot(front["cost_us_per_atom"], front["score"], color=PLAIN, linewidth=0.8, zorder=0, label="Pareto front")
    taken = table[table["recommended"]]
    axes.scatter(
        taken["cost_us_per_atom"], taken["score"], s=90, facecolors="none", edgecolors=MARKED, label="recommended"
    )
    axes.set(xscale="log", yscale="log", xlabel="cost, µs per atom (modelled)", ylabel="error relative to the least")
    for axis in (axes.xaxis, axes.yaxis):
        plain_logarithm(axis)
    for method in dict.fromkeys(table["method"]):
        axes.plot([], [], "o", color=colors[method], markersize=4, label=method)
    for model in dict.fromkeys(table["model"]):
        face = PLAIN if model == "network" else "white"
        axes.plot([], [], MARKS[model], color=PLAIN, markerfacecolor=face, markersize=4, label=f"{model}, any method")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return drawn


@themed
def errors_by_size(table: pd.DataFrame, width_cm: float = WIDTH_CM) -> Figure:
    """Error against number of functions for each method, in energies and in forces, with intervals.

    Combinations of types have one size each: points, side by side.
    """
    table = _named(table)
    units = [("energy_rmse_mev_per_atom", "RMSE of the energy, meV/atom")]
    if "force_rmse_ev_per_angstrom" in table:
        ends = [f"force_rmse_ev_per_angstrom{end}" for end in ("", "_low", "_high")]
        table = table.assign(**{name.replace("_ev_", "_mev_"): 1000 * table[name] for name in ends})
        units.append(("force_rmse_mev_per_angstrom", "RMSE of the forces, meV/Å"))
    drawn, colors = figure(width_cm, 8.0), _colors(table)
    for axes, (key, label) in zip(np.atleast_1d(drawn.subplots(1, len(units))), units, strict=True):
        for (method, model), rows in table.groupby(["method", "model"], sort=False):
            ordered = rows.sort_values("budget")
            if method == COMBINATIONS:
                _points(axes, ordered, key, f"{method}, {model}", MARKS[str(model)])
                continue
            style = "-" if model == "network" else ":"
            axes.plot(
                ordered["budget"], ordered[key], f"{MARKS[str(model)]}{style}",
                color=colors[str(method)], markersize=3, label=f"{method}, {model}",
            )  # fmt: skip
            axes.fill_between(
                ordered["budget"], ordered[f"{key}_low"], ordered[f"{key}_high"], color=colors[str(method)], alpha=0.08
            )
        axes.set(xlabel="functions", ylabel=label, yscale="log")
        axes.set_xticks(sorted(set(table["budget"])))
        plain_logarithm(axes.yaxis)
    handles, labels = axes.get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=3)
    return drawn


def _points(axes: Axes, rows: pd.DataFrame, key: str, label: str, mark: str) -> None:
    """Errors with intervals, spread a little around their number of functions."""
    place = rows["budget"] * (1 + 0.04 * np.linspace(-1, 1, len(rows)))
    ends = [(rows[key] - rows[f"{key}_low"]).clip(lower=0), (rows[f"{key}_high"] - rows[key]).clip(lower=0)]
    axes.errorbar(place, rows[key], ends, fmt=mark, color=PLAIN, markersize=3, elinewidth=0.6, label=label)


@themed
def pool_map(table: pd.DataFrame, width_cm: float = WIDTH_CM) -> Figure:
    """The pool by cutoff (panels) and type: how many sets contain each candidate, and which are recommended."""
    cutoffs, kinds = sorted(table["cutoff_angstrom"].unique(), reverse=True), sorted(table["type"].unique())
    sizes = table.groupby(["type", "cutoff_angstrom"]).size().groupby("type").max()[kinds].to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes + GAP)[:-1]])
    drawn = figure(width_cm, 2.0 + 2.0 * len(cutoffs))
    panels = np.atleast_1d(drawn.subplots(len(cutoffs), 1, sharex=True, sharey=True))
    for axes, cutoff in zip(panels, cutoffs, strict=True):
        for start, kind in zip(starts, kinds, strict=True):
            rows = table[(table["type"] == kind) & (table["cutoff_angstrom"] == cutoff)]
            place, count = start + np.arange(len(rows)), rows["chosen_by"].to_numpy()
            axes.bar(place, count, width=1.0, color=TYPES[kind], linewidth=0)
            axes.plot(place, np.zeros(len(rows)), "|", color=TYPES[kind], markersize=5, alpha=0.5)
            best = rows["recommended"].to_numpy()
            (taken,) = axes.plot(place[best], count[best] + 0.5, "v", color=MARKED, markersize=2.5)
        axes.set(ylabel=f"{cutoff:g} Å", ylim=(0, table["chosen_by"].max() + 1))
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.tick_params(axis="x", length=0)
    panels[-1].set_xticks(starts + (sizes - 1) / 2, kinds)
    drawn.supylabel("number of sets")
    drawn.legend([taken], ["recommended"], loc="outside upper right")
    sns.despine(fig=drawn)
    return drawn
