"""Training histories."""

from collections.abc import Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from bpstudy.figures import style
from bpstudy.figures.tables import TableError, require, require_finite, require_known

COLUMNS = 3


@style.themed
def histories(
    table: pd.DataFrame,
    experiments: Sequence[str],
    targets_mse_ev2: Mapping[str, float],
    width_cm: float = style.WIDTH_CM,
) -> Figure:
    """Training MSE against iteration, one panel per experiment and one line per seed.

    Args:
        table: experiment, seed, iteration, mse_ev2; may hold other experiments too.
        experiments: those to draw, in this order.
        targets_mse_ev2: error at which each experiment's fits stop, (eV per cell)², drawn as a line unless it is 0.
    """
    if not experiments:
        raise TableError("histories: no experiments given")
    require_finite(
        require(table, ["experiment", "seed", "iteration", "mse_ev2"], "histories"), ["mse_ev2"], "histories"
    )
    require_known(experiments, set(table["experiment"]), "histories, experiment")
    columns = min(COLUMNS, len(experiments))
    rows = -(-len(experiments) // columns)
    figure = style.figure(width_cm, 1.0 + 3.6 * rows)
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for ax, experiment in zip(axes, experiments, strict=False):
        runs = table[table["experiment"] == experiment]
        sns.lineplot(
            data=runs,
            x="iteration",
            y="mse_ev2",
            units="seed",
            estimator=None,
            color=style.NETWORK,
            alpha=0.6,
            linewidth=0.8,
            ax=ax,
        )
        if target := targets_mse_ev2[experiment]:
            ax.axhline(target, color=style.DFT, linestyle="--", linewidth=0.8)
        seeds = runs["seed"].nunique()
        ax.set_title(experiment, loc="left", pad=2)
        ax.text(0.97, 0.95, f"{seeds} seed{'s'[: seeds != 1]}", transform=ax.transAxes, ha="right", va="top")
        ax.set(yscale="log", xlabel="", ylabel="")
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.xaxis.set_major_formatter(style.plain_numbers())
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.grid(True)
    for ax in axes[len(experiments) :]:
        ax.set_axis_off()
    figure.supxlabel("iteration")
    figure.supylabel("training MSE ((eV per cell)²)")
    sns.despine(fig=figure)
    return figure
