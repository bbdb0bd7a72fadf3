"""Learning curves of fits to energies alone and to energies and forces."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bpstudy.figures import style
from bpstudy.figures.forces import COLORS
from bpstudy.figures.tables import require_finite

PANELS = {
    "rmse_mev_per_atom": "RMSE of the energy (meV per atom)",
    "force_rmse_mev_per_angstrom": "RMSE of the forces (meV/Å)",
}


@style.themed
def force_curves(table: pd.DataFrame, goals: tuple[float, float], width_cm: float = style.WIDTH_CM) -> Figure:
    """Held-out errors of energies and forces against the number of training frames; networks and ridge, both fits.

    Args:
        table: of `bpstudy.training.learning.learning_curves`, with the column fit.
        goals: largest errors wanted, meV per atom and meV/Å, drawn as dashed lines.
    """
    require_finite(table, ["frames", *PANELS], "learning curves with forces")
    figure = style.figure(width_cm, 7.0)
    for ax, goal, (column, label) in zip(figure.subplots(1, 2), goals, PANELS.items(), strict=True):
        for fit, color in COLORS.items():
            rows = table[table["fit"] == fit]
            networks = rows[rows["model"] == "network"].groupby("frames")[column]
            x = networks.median().index
            ax.plot(x, networks.median(), marker="o", markersize=3.5, color=color)
            ax.fill_between(x, networks.min(), networks.max(), color=color, alpha=0.2, linewidth=0)
            ridge = rows[rows["model"] == "ridge"].set_index("frames")[column]
            ax.plot(ridge.index, ridge, marker="x", markersize=3.5, linestyle=":", color=color)
        ax.axhline(goal, color=style.PLAIN, linestyle="--", linewidth=0.8)
        ax.set(xscale="log", yscale="log", xlabel="training frames", ylabel=label)
        counts = sorted(table["frames"].unique())
        ax.set_xticks(counts, [str(count) for count in counts])
        ax.xaxis.minorticks_off()
        style.plain_logarithm(ax.yaxis)
        ax.grid(True, axis="y")
    handles = [Line2D([], [], color=color, marker="o", markersize=3.5) for color in COLORS.values()]
    handles.append(Line2D([], [], color="black", marker="x", markersize=3.5, linestyle=":"))
    handles.append(Line2D([], [], color=style.PLAIN, linestyle="--"))
    labels = [*(f"networks, {fit}" for fit in COLORS), "ridge", "goal"]
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    sns.despine(fig=figure)
    return figure
