"""Information content of sets of symmetry functions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import require, require_finite, require_known

COLUMNS = ["cutoff_angstrom", "functions", "dead", "effective_rank", "degeneracy"]


@style.themed
def heat_maps(table: pd.DataFrame, experiments: Sequence[str], width_cm: float = style.WIDTH_CM) -> Figure:
    """Pearson correlations between the functions of each experiment; grey where a function is constant.

    Args:
        table: experiment, element, first, second, correlation.
        experiments: those shown, one panel each (functions of the first element).
    """
    require(table, ["experiment", "element", "first", "second", "correlation"], "correlations")
    require_known(experiments, set(table["experiment"]), "correlations, experiment")
    figure = style.figure(width_cm, 0.55 * width_cm)
    panels = figure.subplots(1, len(experiments), squeeze=False)[0]
    for ax, name in zip(panels, experiments, strict=True):
        rows = table[table["experiment"] == name]
        rows = rows[rows["element"] == rows["element"].iloc[0]]
        labels = list(dict.fromkeys(rows["first"]))
        matrix = rows.pivot(index="first", columns="second", values="correlation").loc[labels, labels]
        ax.set_facecolor("#BFBFBF")
        image = ax.imshow(np.ma.masked_invalid(matrix), cmap="PuOr", vmin=-1, vmax=1)
        types = [label.split("(")[0] for label in labels]
        starts = [place for place, kind in enumerate(types) if place == 0 or kind != types[place - 1]]
        middles = [(a + b - 1) / 2 for a, b in zip(starts, [*starts[1:], len(types)], strict=True)]
        names = [types[start] for start in starts]
        ax.set_xticks(middles, names)
        ax.set_yticks(middles, names)
        ax.tick_params(length=0)
        for start in starts[1:]:
            ax.axhline(start - 0.5, color="black", linewidth=0.6)
            ax.axvline(start - 0.5, color="black", linewidth=0.6)
        ax.set_title(name)
    figure.colorbar(image, ax=list(panels), label="correlation of two functions", shrink=0.8)
    return figure


@style.themed
def against_cutoff(table: pd.DataFrame, width_cm: float = style.WIDTH_CM) -> Figure:
    """Dead functions, effective rank and degeneracy of one grid of functions against its cutoff."""
    require_finite(require(table, COLUMNS, "information"), COLUMNS, "information")
    table = table.sort_values("cutoff_angstrom")
    figure = style.figure(width_cm, 5.0)
    panels = figure.subplots(1, 3)
    shown = [
        ("dead", f"dead functions of {table['functions'].iloc[0]}"),
        ("effective_rank", "effective rank"),
        ("degeneracy", "degeneracy, rms $\\Delta E$ / $\\sqrt{2}$ sd"),
    ]
    for ax, (column, label) in zip(panels, shown, strict=True):
        ax.plot(table["cutoff_angstrom"], table[column], marker="o", markersize=3.5, color=style.MARKED)
        ax.set(xlabel="$R_c$ (Å)", ylabel=label, ylim=(0, None))
        ax.grid(True, axis="y")
    panels[2].set_ylim(0, max(1.05, 1.05 * table["degeneracy"].max()))
    panels[2].axhline(1, color=style.PLAIN, linestyle="--", linewidth=0.8)
    sns.despine(fig=figure)
    return figure
