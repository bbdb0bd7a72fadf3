"""The effect of fitting to forces."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bpstudy.config.analysis import FITS
from bpstudy.figures import style
from bpstudy.figures.tables import require_finite

PANELS = {
    "rmse_mev_per_atom": ("ridge_rmse_mev_per_atom", "RMSE of the energy (meV per atom)"),
    "force_rmse_mev_per_angstrom": ("force_ridge_rmse_mev_per_angstrom", "RMSE of the forces (meV/Å)"),
}
COLORS = dict(zip(FITS, (style.MARKED, style.NETWORK), strict=True))


@style.themed
def with_forces(table: pd.DataFrame, goals: tuple[float, float], width_cm: float = style.WIDTH_CM) -> Figure:
    """Held-out errors of energies and forces of each pair of experiments, all seeds, and of ridge with the same loss.

    Args:
        table: of `bpstudy.evaluation.tables.with_forces`.
        goals: largest errors wanted, meV per atom and meV/Å, drawn as dashed lines.
    """
    require_finite(table, [*PANELS, *(ridge for ridge, _ in PANELS.values())], "errors with forces")
    pairs = list(dict.fromkeys(table["pair"]))
    figure = style.figure(width_cm, 2.6 + 0.6 * len(pairs))
    panels = figure.subplots(1, 2, sharey=True)
    for ax, goal, (column, (ridge, label)) in zip(panels, goals, PANELS.items(), strict=True):
        for shift, (fit, color) in zip((0.17, -0.17), COLORS.items(), strict=True):
            for place, pair in enumerate(reversed(pairs)):
                rows = table[(table["pair"] == pair) & (table["fit"] == fit)]
                y = place + shift
                ax.plot(rows[column], [y] * len(rows), "o", color=color, alpha=0.35, markersize=3.5, markeredgewidth=0)
                ax.plot(rows[column].median(), y, "|", color=color, markersize=8, markeredgewidth=1.6)
                ax.plot(rows[ridge].iloc[0], y, "x", color="black", markersize=3.5, markeredgewidth=0.8)
        ax.axvline(goal, color=style.PLAIN, linestyle="--", linewidth=0.8)
        ax.set(xscale="log", xlabel=label)
        style.plain_logarithm(ax.xaxis)
        ax.grid(True, axis="x")
    panels[0].set_yticks(range(len(pairs)), reversed(pairs))
    handles = [Line2D([], [], color=color, marker="o", linestyle="", markersize=4) for color in COLORS.values()]
    handles.append(Line2D([], [], color="black", marker="x", linestyle="", markersize=4))
    handles.append(Line2D([], [], color=style.PLAIN, linestyle="--"))
    figure.legend(handles, [*FITS, "ridge, the same loss", "goal"], loc="outside upper center", ncols=4)
    sns.despine(fig=figure)
    return figure
