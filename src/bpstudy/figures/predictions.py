"""Energies of DFT and of an experiment's networks, and their residuals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import TableError, require, require_finite, several_sizes, time_axis

PREDICTIONS = ["frame", "time_fs", "energy_dft_ev", "energy_nn_ev", "set"]
TRAIN = "train"
POINTS = {"linestyle": "none", "marker": "o", "markeredgewidth": 0}  # of frames in no order
SETTINGS = ["experiment", "functions", "cutoff_angstrom", "hidden", "seed", "set", "n_atoms"]
ERRORS = ["mse_ev2", "rmse_mev_per_atom"]


@dataclass(frozen=True, eq=False)
class _Set:
    """Energies of DFT (n_frames,) and of all seeds (n_seeds, n_frames), against time: eV per cell, or per atom.

    `residuals_mev`: of the networks, per atom. `linked`: the frames follow each other in time.
    """

    label: str
    color: str
    time: np.ndarray
    time_label: str
    dft_ev: np.ndarray
    networks_ev: np.ndarray
    residuals_mev: np.ndarray
    linked: bool


@style.themed
def predictions(
    tables: Mapping[int, pd.DataFrame],
    metrics: pd.DataFrame,
    experiment: str,
    held_out: Sequence[str] = ("later",),
    width_cm: float = style.WIDTH_CM,
) -> Figure:
    """E(DFT) and E(NN) along the trajectory, with the residuals below.

    The line is the seed with the median training error (the lower of the two in the middle), the band spans the minimum
    to the maximum over all seeds. Both axes are scaled to the line: a seed that diverged leaves the panel. Frames of
    several sizes are points, with energies per atom.

    Args:
        tables: of each seed: frame, time_fs, energy_dft_ev, energy_nn_ev (cell), n_atoms and set; all on the same
            frames.
        metrics: experiment, seed, set, functions, cutoff_angstrom, hidden, n_atoms, mse_ev2, rmse_mev_per_atom.
        held_out: sets to draw besides `train`, where present: those of the training trajectory (another trajectory has
            its own time axis).
    """
    rows = _errors_of(tables, metrics, experiment)
    train = rows[rows["set"] == TRAIN].sort_values(["rmse_mev_per_atom", "seed"])
    median = train.iloc[(len(train) - 1) // 2]
    line = sorted(tables).index(median["seed"])
    colors = style.set_colors(pd.concat([table["set"] for table in tables.values()]))
    drawn = {name: color for name, color in colors.items() if name in (TRAIN, *held_out)}
    if TRAIN not in drawn:
        raise TableError(f"predictions of {experiment}: no frames in the set {TRAIN}")
    per_atom = any(several_sizes(table) for table in tables.values())
    sets = [_collect(tables, name, color, median["n_atoms"], per_atom) for name, color in drawn.items()]

    figure = style.figure(width_cm, 10.5)
    # One column per set: the end of a long run is far from its first frames.
    widths = [2.0 if one is sets[0] else 1.0 for one in sets]
    energies, residuals = figure.subplots(
        2, len(sets), sharex="col", sharey="row", height_ratios=[4, 3], width_ratios=widths, squeeze=False
    )
    _energies(energies, sets, line)
    _residuals(residuals, sets, line)
    energy, residual = energies[0], residuals[0]
    energy.set_ylabel(f"$E$ − mean (eV per {'atom' if per_atom else 'cell'})")
    energy.set_title(
        f"{experiment}: {median['functions']}, $R_c$ = {median['cutoff_angstrom']:g} Å, "
        f"hidden layers {median['hidden']}",
        loc="left",
    )
    shown = rows[rows["seed"] == median["seed"]].set_index("set")
    residual.set_title(
        "\n".join(_error_text(shown.loc[name]) for name in drawn if name in shown.index), loc="left", pad=3
    )
    figure.legend(loc="outside upper center", ncols=4)
    sns.despine(fig=figure)
    return figure


def _errors_of(tables: Mapping[int, pd.DataFrame], metrics: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """The rows of the metrics that belong to these seeds of the experiment."""
    if not tables:
        raise TableError(f"predictions of {experiment}: no seeds given")
    require(metrics, SETTINGS + ERRORS, "metrics")
    rows = metrics[(metrics["experiment"] == experiment) & metrics["seed"].isin(list(tables))]
    absent = sorted(set(tables) - set(rows.loc[rows["set"] == TRAIN, "seed"]))
    if absent:
        raise TableError(f"metrics: no training errors of {experiment}, seed {', '.join(map(str, absent))}")
    for seed, table in tables.items():
        name = f"predictions of {experiment}, seed {seed}"
        require_finite(require(table, PREDICTIONS, name), PREDICTIONS[2:4], name)
    return require_finite(rows, ERRORS, "metrics")


def _collect(tables: Mapping[int, pd.DataFrame], name: str, color: str, n_atoms: float, per_atom: bool) -> _Set:
    parts = {seed: table[table["set"] == name].sort_values("frame") for seed, table in sorted(tables.items())}
    reference = min(parts)
    first = parts[reference]
    for seed, part in parts.items():
        if not np.array_equal(part["frame"], first["frame"]):
            raise TableError(f"predictions of seed {seed}, set {name}: other frames than those of seed {reference}")
    time, label = time_axis(first, "frame")
    networks, dft = (
        np.stack([part["energy_nn_ev"].to_numpy() for part in parts.values()]),
        first["energy_dft_ev"].to_numpy(),
    )
    sizes = first["n_atoms"].to_numpy() if "n_atoms" in first else np.full(len(first), n_atoms)
    residuals_mev = 1000 * (networks - dft) / sizes
    unit = sizes if per_atom else 1
    return _Set(
        style.set_label(name), color, time.to_numpy(), label, dft / unit, networks / unit, residuals_mev, not per_atom
    )


def _energies(axes: Sequence[Axes], sets: list[_Set], line: int) -> None:
    origin = sets[0].dft_ev.mean()
    for ax, one in zip(axes, sets, strict=True):
        dft = one.dft_ev - origin
        label = "DFT" if one is sets[0] else None
        sns.lineplot(
            x=one.time,
            y=dft,
            estimator=None,
            color=style.DFT,
            **({"linewidth": 1.6} if one.linked else POINTS | {"markersize": 4}),
            alpha=0.55,
            label=label,
            legend=False,
            ax=ax,
        )
        _networks(ax, one, one.networks_ev - origin, line, labelled=True)
    _scale(axes[0], np.concatenate([part for one in sets for part in (one.dft_ev, one.networks_ev[line])]) - origin)


def _residuals(axes: Sequence[Axes], sets: list[_Set], line: int) -> None:
    for ax, one in zip(axes, sets, strict=True):
        _networks(ax, one, one.residuals_mev, line, labelled=False)
        ax.axhline(0, color=style.DFT, linewidth=0.6)
        ax.set_xlabel(one.time_label)
    _scale(axes[0], np.concatenate([one.residuals_mev[line] for one in sets]))
    axes[0].set_ylabel("NN − DFT (meV per atom)")


def _networks(ax: Axes, one: _Set, values: np.ndarray, line: int, labelled: bool) -> None:
    """The line of one seed and the band of all seeds."""
    label = f"NN, {one.label}" if labelled else None
    drawn = {"linewidth": 0.7} if one.linked else POINTS | {"markersize": 2}
    sns.lineplot(x=one.time, y=values[line], estimator=None, color=one.color, **drawn, label=label, legend=False, ax=ax)
    if len(values) > 1:
        label = f"all {len(values)} seeds" if labelled and one.color == style.NETWORK else None
        low, high = values.min(axis=0), values.max(axis=0)
        if one.linked:
            ax.fill_between(one.time, low, high, color=one.color, alpha=0.25, linewidth=0, label=label)
        else:
            ax.vlines(one.time, low, high, color=one.color, alpha=0.4, linewidth=0.7, label=label or "")


def _scale(ax: Axes, values: np.ndarray) -> None:
    low, high = values.min(), values.max()
    room = 0.08 * (high - low or 1.0)
    ax.set_ylim(low - room, high + room)
    ax.margins(x=0.01)
    ax.yaxis.set_major_formatter(style.plain_numbers())


def _error_text(row: pd.Series) -> str:
    """The errors of a seed on a set, in words."""
    errors = f"RMSE {row['rmse_mev_per_atom']:.3g} meV per atom, MSE {style.power_of_ten(row['mse_ev2'])} eV²"
    return f"seed {row['seed']}, {style.set_label(str(row.name))}: {errors}"
