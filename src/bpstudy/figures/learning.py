"""Learning curves."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import require, require_finite

COLUMNS = ["duration_fs", "share", "frames", "model", "rmse_mev_per_atom"]
COLORS = {"network": style.NETWORK, "ridge": style.MARKED, "mean": style.PLAIN}
LABELS = {"network": "networks, median and range of the seeds", "ridge": "ridge regression", "mean": "mean energy"}


@style.themed
def learning(table: pd.DataFrame, count_of_shares: int, width_cm: float = style.WIDTH_CM) -> Figure:
    """Held-out RMSE against the number of frames at the longest duration, and against the duration at a fixed number.

    Where times are not known, the share of the frames stands for the duration.

    Args:
        table: of `bpstudy.training.learning.learning_curves`.
        count_of_shares: the number of frames of the second panel.
    """
    require_finite(require(table, COLUMNS, "learning curves"), ["rmse_mev_per_atom"], "learning curves")
    figure = style.figure(width_cm, 6.5)
    longest = table["duration_fs"].max() / 1000
    over = f"{longest:.2g} ps" if longest == longest else "all"  # of frames without times the share is known
    panels = figure.subplots(1, 2, sharey=True)
    duration = ("duration_fs", 1000, f"duration of {count_of_shares} frames (ps)")
    share = ("share", 1, f"share of the frames that {count_of_shares} are taken of")
    chosen = [
        (table[table["share"] == 1], "frames", 1, f"frames, spread over {over}"),
        (table[table["frames"] == count_of_shares], *(duration if longest == longest else share)),
    ]
    for ax, (rows, column, unit, label) in zip(panels, chosen, strict=True):
        for model, color in COLORS.items():
            by = rows[rows["model"] == model].groupby(column)["rmse_mev_per_atom"]
            x = by.median().index / unit
            ax.plot(x, by.median(), marker="o", markersize=3.5, color=color, label=LABELS[model])
            if model == "network":
                ax.fill_between(x, by.min(), by.max(), color=color, alpha=0.2, linewidth=0)
        ax.set(xscale="log", yscale="log", xlabel=label)
        places = sorted(rows[column].unique() / unit)
        ax.set_xticks(places, [f"{place:.{2 if unit > 1 else 3}g}" for place in places])
        style.plain_logarithm(ax.yaxis)
        ax.xaxis.minorticks_off()
        ax.grid(True, axis="y")
    panels[0].set_ylabel("RMSE on held-out frames (meV per atom)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    sns.despine(fig=figure)
    return figure
