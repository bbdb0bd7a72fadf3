"""Magnitudes of the five types of symmetry functions."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bpstudy.figures import style
from bpstudy.figures.tables import require, require_finite, require_known

LENGTH_UNITS = {"angstrom": "parameters 1 in Å", "bohr": "parameters 1 in Bohr"}
MARKERS = {"G1": "o", "G2": "s", "G3": "D", "G4": "^", "G5": "v"}


@style.themed
def hierarchy(table: pd.DataFrame, width_cm: float = style.WIDTH_CM) -> Figure:
    """Mean magnitude of each unit function, summed over the cell, against the cutoff; one panel per unit of length.

    Args:
        table: length_unit (angstrom, bohr), cutoff_angstrom, function, magnitude.
    """
    columns = ["length_unit", "cutoff_angstrom", "function", "magnitude"]
    require_finite(require(table, columns, "hierarchy"), ["cutoff_angstrom", "magnitude"], "hierarchy")
    require_known(table["function"], style.TYPES, "hierarchy, function")
    require_known(table["length_unit"], LENGTH_UNITS, "hierarchy, length_unit")
    present = [unit for unit in LENGTH_UNITS if (table["length_unit"] == unit).any()]
    figure = style.figure(width_cm, 7.5)
    axes = figure.subplots(1, len(present), sharey=True, squeeze=False)[0]
    for ax, unit in zip(axes, present, strict=True):
        sns.lineplot(
            data=table[table["length_unit"] == unit],
            x="cutoff_angstrom",
            y="magnitude",
            hue="function",
            style="function",
            hue_order=list(style.TYPES),
            style_order=list(style.TYPES),
            palette=style.TYPES,
            markers=MARKERS,
            dashes=False,
            estimator=None,
            legend=ax is axes[-1],
            ax=ax,
        )
        ax.set(yscale="log", xlabel="cutoff $R_c$ (Å)", ylabel="mean |sum over the cell| (dimensionless)")
        ax.set_title(LENGTH_UNITS[unit])
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.grid(True)
    sns.move_legend(axes[-1], "center left", bbox_to_anchor=(1.0, 0.5), title=None)
    sns.despine(fig=figure)
    return figure
