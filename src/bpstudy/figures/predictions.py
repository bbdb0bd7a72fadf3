"""Energies of DFT and of the networks of an experiment, and what lies between them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import TableError, require, require_finite, require_sets, time_axis

COLUMNS = ["frame", "time_fs", "energy_dft_ev", "energy_nn_ev", "set"]
DRAWN = ("train", "later")  # an independent trajectory has a time axis of its own


@dataclass(frozen=True, eq=False)
class _Set:
    """Energies of the seeds (n_seeds, n_frames) and of DFT (n_frames,), eV per cell, along the time axis."""

    name: str
    time: np.ndarray
    time_label: str
    dft_ev: np.ndarray
    networks_ev: np.ndarray


@style.themed
def predictions(
    tables: Mapping[int, pd.DataFrame], metrics: pd.DataFrame, experiment: str, width_cm: float = style.WIDTH_CM
) -> Figure:
    """E(DFT) and E(NN) along the trajectory, and the residuals under them.

    The line is the seed with the median training error (the lower of the two in the middle), the band reaches from the
    least to the greatest of all seeds. Both axes are scaled to the line: a seed that went astray leaves the panel.

    Args:
        tables: for each seed frame, time_fs, energy_dft_ev, energy_nn_ev (cell) and set; all of the same frames.
        metrics: experiment, seed, set, functions, cutoff_angstrom, hidden, n_atoms, mse_ev2, rmse_mev_per_atom.
    """
    if not tables:
        raise TableError(f"predictions of {experiment}: no seed is given")
    needed = ["experiment", "seed", "set", "functions", "cutoff_angstrom", "hidden"]
    rows = require(metrics, [*needed, "n_atoms", "mse_ev2", "rmse_mev_per_atom"], "metrics").query(
        "experiment == @experiment and seed in @tables.keys()"
    )
    train = rows[rows["set"] == "train"].sort_values(["rmse_mev_per_atom", "seed"])
    absent = sorted(set(tables) - set(train["seed"]))
    if absent:
        raise TableError(f"metrics: no training errors of {experiment}, seed {', '.join(map(str, absent))}")
    chosen = train.iloc[(len(train) - 1) // 2]
    seeds = sorted(tables)
    middle = seeds.index(chosen["seed"])
    sets = [_collect(tables, seeds, name) for name in DRAWN if (tables[seeds[0]]["set"] == name).any()]
    if not sets:
        raise TableError(f"predictions of {experiment}: no frame belongs to the set train or later")

    figure = style.figure(width_cm, 10.5)
    energy, residual = figure.subplots(2, 1, sharex=True, height_ratios=[4, 3])
    origin = sets[0].dft_ev.mean()
    _dft_line(energy, sets, origin)
    for one in sets:
        color = style.SETS[one.name]
        label = f"NN, {style.SET_LABELS[one.name]}"
        _line_and_band(energy, one, one.networks_ev - origin, middle, color, label)
        residuals = 1000 * (one.networks_ev - one.dft_ev) / chosen["n_atoms"]
        _line_and_band(residual, one, residuals, middle, color, None)
    residual.axhline(0, color=style.DFT, linewidth=0.6)
    _scale(energy, np.concatenate([part for s in sets for part in (s.dft_ev, s.networks_ev[middle])]) - origin, 0.12)
    _scale(residual, np.concatenate([s.networks_ev[middle] - s.dft_ev for s in sets]) * 1000 / chosen["n_atoms"], 0.06)

    energy.set_title(
        f"{experiment}: {chosen['functions']}, $R_c$ = {chosen['cutoff_angstrom']:g} Å, "
        f"hidden layers {chosen['hidden']}",
        loc="left",
    )
    energy.set_ylabel("$E$ − mean (eV per cell)")
    handles, labels = energy.get_legend_handles_labels()
    if len(seeds) > 1:
        handles.append(energy.collections[0])
        labels.append(f"all {len(seeds)} seeds")
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    residual.set_ylabel("NN − DFT (meV per atom)")
    shown = rows[(rows["seed"] == chosen["seed"]) & rows["set"].isin([one.name for one in sets])]
    residual.set_title(_errors(shown), loc="left", pad=3)
    residual.set_xlabel(sets[0].time_label)
    for ax in (energy, residual):
        ax.yaxis.set_major_formatter(style.plain_numbers())
        ax.margins(x=0.01)
    sns.despine(fig=figure)
    return figure


def _collect(tables: Mapping[int, pd.DataFrame], seeds: list[int], name: str) -> _Set:
    parts = []
    for seed in seeds:
        table = require_finite(tables[seed], ["frame", "energy_dft_ev", "energy_nn_ev"], f"predictions of seed {seed}")
        require_sets(require(table, COLUMNS, f"predictions of seed {seed}"), f"predictions of seed {seed}")
        parts.append(table[table["set"] == name].sort_values("frame"))
    first = parts[0]
    for seed, part in zip(seeds, parts, strict=True):
        if not np.array_equal(part["frame"], first["frame"]):
            raise TableError(f"predictions of seed {seed}, set {name}: other frames than those of seed {seeds[0]}")
    time, label = time_axis(first, "frame")
    networks = np.stack([part["energy_nn_ev"].to_numpy() for part in parts])
    return _Set(name, time.to_numpy(), label, first["energy_dft_ev"].to_numpy(), networks)


def _dft_line(ax: Axes, sets: list[_Set], origin: float) -> None:
    for one in sets:
        label = "DFT" if one is sets[0] else None
        look = {"color": style.DFT, "linewidth": 1.6, "alpha": 0.55, "label": label, "legend": False}
        sns.lineplot(x=one.time, y=one.dft_ev - origin, ax=ax, **look)


def _line_and_band(ax: Axes, one: _Set, values: np.ndarray, middle: int, color: str, label: str | None) -> None:
    if len(values) > 1:
        ax.fill_between(one.time, values.min(axis=0), values.max(axis=0), color=color, alpha=0.25, linewidth=0)
    sns.lineplot(x=one.time, y=values[middle], color=color, linewidth=0.7, label=label, legend=False, ax=ax)


def _scale(ax: Axes, values: np.ndarray, margin: float) -> None:
    low, high = values.min(), values.max()
    room = margin * (high - low or 1.0)
    ax.set_ylim(low - room, high + 2 * room)


def _errors(rows: pd.DataFrame) -> str:
    """The errors of a seed on each set, a line of text each."""
    lines = []
    for row in rows.sort_values("set", key=lambda names: names.map(DRAWN.index)).to_dict("records"):
        errors = f"RMSE {row['rmse_mev_per_atom']:.3g} meV per atom, MSE {style.power_of_ten(row['mse_ev2'])} eV²"
        lines.append(f"seed {row['seed']}, {style.SET_LABELS[row['set']]}: {errors}")
    return "\n".join(lines)
