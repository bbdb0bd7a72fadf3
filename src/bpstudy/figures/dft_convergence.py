"""Convergence of the DFT settings: errors and time of each variant."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from bpstudy.figures import style
from bpstudy.figures.tables import TableError, require_finite

PANELS = {
    "energy_std_mev_per_atom": "energy, sd (meV/atom)",
    "forces_rms_mev_per_angstrom": "forces, rms (meV/Å)",
    "seconds_per_frame": "time (s/frame)",
}


@style.themed
def dft_convergence(
    systems: Mapping[str, pd.DataFrame], study: Mapping[str, str], width_cm: float = style.WIDTH_CM
) -> Figure:
    """One row of panels per system: deviation of each variant from the tight reference and from the study's settings.

    Args:
        systems: the table of `bpstudy.dynamics.convergence.compare` of each system.
        study: name of the variant with the study's settings, of each system.
    """
    if not systems:
        raise TableError("dft_convergence: no system is named")
    heights = [len(table["variant"].unique()) for table in systems.values()]
    figure = style.figure(width_cm, 2.0 + sum(0.42 * n + 1.6 for n in heights))
    axes = figure.subplots(len(systems), len(PANELS), squeeze=False, sharey="row", height_ratios=heights)
    for row, (name, table) in zip(axes, systems.items(), strict=True):
        _system(row, name, table, study[name])
    shown = {h.get_label(): h for ax in axes.flat for h in ax.get_legend_handles_labels()[0]}
    figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=3)
    sns.despine(fig=figure)
    return figure


def _system(axes: np.ndarray, name: str, table: pd.DataFrame, study: str) -> None:
    columns = ["constant_mev_per_atom", "energy_std_mev_per_atom", "forces_rms_mev_per_angstrom"]
    require_finite(table, columns, f"dft_convergence of {name}")
    floor = table.iloc[-1]  # the trajectory against its own settings, converged further
    others = table.iloc[:-1]
    order = list(dict.fromkeys(others["variant"]))
    places = {variant: place for place, variant in enumerate(order)}
    against_study = others["against"] == study
    kinds = (
        ("from the tight reference", others[~against_study], style.NETWORK, "o"),
        ("from the study's settings", others[against_study], style.MARKED, "x"),
    )
    for ax, (column, label) in zip(axes, PANELS.items(), strict=True):
        timed = column == "seconds_per_frame"
        for kind, part, color, marker in kinds[:1] if timed else kinds:
            drawn = others.drop_duplicates("variant") if timed else part
            values = drawn[column].where(drawn[column] > 0)  # a logarithmic axis cannot show zero
            ax.scatter(
                values,
                drawn["variant"].map(places),
                color=style.PLAIN if timed else color,
                marker=marker,
                s=14,
                linewidth=1,
                label="_" if timed else kind,
            )
        if not timed and floor[column] > 0:
            ax.axvline(floor[column], color=style.DFT, linestyle="--", linewidth=0.8, label="noise floor")
        positive = others[column][others[column] > 0]
        if not positive.empty:
            ax.set_xscale("log")
            decades = np.log10([positive.min() / 1.2, positive.max() * 1.2])
            ax.set_xlim(10 ** np.floor(decades[0]), 10 ** np.ceil(decades[1]))  # whole ones: two labels or more
            ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel(label)
        ax.xaxis.grid(True)
    axes[0].set_yticks(range(len(order)), order)
    axes[0].invert_yaxis()
    axes[0].set_title(name, loc="left", fontweight="bold")
