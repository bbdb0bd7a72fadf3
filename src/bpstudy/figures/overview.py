"""Errors of several experiments, all seeds."""

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from bpstudy.figures import style
from bpstudy.figures.tables import TableError, require, require_finite, require_known

COLUMNS = [
    "experiment",
    "functions",
    "seed",
    "set",
    "rmse_mev_per_atom",
    "mean_rmse_mev_per_atom",
    "ridge_rmse_mev_per_atom",
]
BOOTSTRAPS = 2000
WIDE = 1e3  # of an axis that has ticks at powers of ten only


@style.themed
def overview(metrics: pd.DataFrame, experiments: Sequence[str], width_cm: float = style.WIDTH_CM) -> Figure:
    """RMSE of each experiment: one dot per seed, and the median with its 95 % bootstrap interval, lowest median first.

    Experiments are ranked on the last set available: an independent trajectory, else later frames, else the training
    set. Baselines: diamonds are ridge regression on the summed functions, dashed lines a model that always predicts the
    mean energy of the training set.

    Args:
        metrics: experiment, functions, seed, set, rmse_mev_per_atom and those of the baselines; may hold other
            experiments too.
        experiments: those to compare.
    """
    if not experiments:
        raise TableError("overview: no experiments given")
    require_finite(require(metrics, COLUMNS, "metrics"), COLUMNS[4:], "metrics")
    require_known(experiments, set(metrics["experiment"]), "overview, experiment")
    chosen = metrics[metrics["experiment"].isin(experiments)]
    colors = style.set_colors(chosen["set"])
    sets = list(colors)
    medians = chosen[chosen["set"] == sets[-1]].groupby("experiment")["rmse_mev_per_atom"].median()
    order = sorted(experiments, key=lambda name: (medians.get(name, float("inf")), name))

    figure = style.figure(width_cm, 2.6 + (0.45 + 0.3 * len(sets)) * len(order))
    ax = figure.subplots()
    common = {
        "data": chosen,
        "x": "rmse_mev_per_atom",
        "y": "experiment",
        "hue": "set",
        "order": order,
        "hue_order": sets,
        "palette": colors,
        "log_scale": True,
        "legend": False,
        "ax": ax,
    }
    several = len(sets) > 1
    sns.stripplot(**common, dodge=several, jitter=False, size=4, alpha=0.4)
    sns.pointplot(
        **common,
        dodge=0.8 * (1 - 1 / len(sets)) if several else False,
        estimator="median",
        errorbar=("ci", 95),
        n_boot=BOOTSTRAPS,
        seed=0,
        linestyle="none",
        marker="|",
        markersize=9,
        markeredgewidth=1.8,
        err_kws={"linewidth": 1.8},
    )
    for place, name in enumerate(sets):
        rows = chosen[chosen["set"] == name]
        mean = rows["mean_rmse_mev_per_atom"].median()
        ax.axvline(mean, color=colors[name], linestyle="--", linewidth=0.8, zorder=0)
        ridge = rows.groupby("experiment")["ridge_rmse_mev_per_atom"].first()
        height = (place - (len(sets) - 1) / 2) * 0.8 / len(sets)
        ax.scatter(
            ridge.reindex(order),
            [row + height for row in range(len(order))],
            marker="D",
            s=14,
            facecolors="white",
            edgecolors=colors[name],
            linewidths=0.9,
            zorder=3,
        )
        ax.scatter(
            [], [], color=colors[name], s=16, label=f"{style.set_label(name)} (dashed: mean, {mean:.2g} meV per atom)"
        )
    ax.scatter([], [], marker="D", s=14, facecolors="white", edgecolors=style.PLAIN, label="ridge regression")
    figure.legend(loc="outside upper center", ncols=1 if several else 2)
    ax.set_yticks(range(len(order)), [_row_label(chosen, name) for name in order])
    ax.set_xlabel("RMSE of the energy (meV per atom)")
    ax.set_ylabel("")
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < WIDE else (1,)))
    ax.xaxis.set_major_formatter(style.plain_numbers())
    ax.xaxis.grid(True, which="major")
    sns.despine(fig=figure)
    return figure


def _row_label(chosen: pd.DataFrame, experiment: str) -> str:
    """The functions, if they distinguish the experiments, else the names of the experiments."""
    functions = chosen.groupby("experiment")["functions"].first()
    return str(functions[experiment]) if functions.is_unique else experiment
