"""Which of several experiments is best, and with what probability."""

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import TableError, require, require_known

COLUMNS = ["group", "set", "experiment", "rmse_mev_per_atom", "low", "high", "probability_best"]


@style.themed
def ranking(
    table: pd.DataFrame,
    functions: Mapping[str, str],
    groups: Mapping[str, str],
    decided_on: str,
    width_cm: float = style.WIDTH_CM,
) -> Figure:
    """One panel per group: error of each experiment with its 95 % interval, and its probability of being the best.

    Rows are sorted by the first group; the other groups show the experiments with the same functions.

    Args:
        table: the ranking.
        functions: of each experiment; equal within a row.
        groups: those shown, with their titles.
        decided_on: the held-out frames that decide.
    """
    require(table, COLUMNS, "ranking")
    require_known(groups, set(table["group"]), "ranking, group")
    table = table[table["set"] == decided_on].assign(functions=lambda rows: rows["experiment"].map(functions))
    first = table[table["group"] == next(iter(groups))]
    if first.empty:
        raise TableError(f"ranking: no group was tested on the frames {decided_on!r}")
    order = first.sort_values("rmse_mev_per_atom")["functions"].tolist()
    figure = style.figure(width_cm, 2.2 + 0.5 * len(order))
    panels = figure.subplots(1, 2 * len(groups), sharey=True, width_ratios=[3, 1] * len(groups), squeeze=False)[0]
    color = style.set_colors([decided_on])[decided_on]
    for (group, title), errors_ax, best_ax in zip(groups.items(), panels[::2], panels[1::2], strict=True):
        rows = table[table["group"] == group].set_index("functions").reindex(order)
        places = range(len(order))
        ends = [rows["rmse_mev_per_atom"] - rows["low"], rows["high"] - rows["rmse_mev_per_atom"]]
        errors_ax.errorbar(rows["rmse_mev_per_atom"], places, xerr=ends, fmt="o", markersize=3.5, color=color)
        errors_ax.set_title(title)
        errors_ax.set_xlabel("RMSE (meV per atom)")
        errors_ax.xaxis.grid(True)
        best_ax.barh(places, rows["probability_best"], height=0.6, color=style.MARKED)
        best_ax.set(xlim=(0, 1), xticks=[0, 0.5, 1], xlabel="$P$(best)")
    panels[0].set_yticks(range(len(order)), order)
    panels[0].invert_yaxis()
    sns.despine(fig=figure)
    return figure
