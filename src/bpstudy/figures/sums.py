"""Energy against sums of symmetry functions."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bpstudy.figures import style
from bpstudy.figures.tables import require, require_finite, require_known, several_sizes

COLUMNS = 4
FRAMES_PER_BIN, MAX_BINS = 10, 20


@style.themed
def unit_sums(unit_functions: pd.DataFrame, scatter: pd.DataFrame, width_cm: float = style.WIDTH_CM) -> Figure:
    """E(G) for each sum of unit functions, one panel each, lowest scatter first; sums with G3 are marked by colour.

    Args:
        unit_functions: frame, energy_ev, G1 … G5 (each summed over the atoms of the cell), n_atoms; one row per frame.
            Where n_atoms differs, energies and sums are per atom.
        scatter: sum ("G1+G3"), terms, scatter (spread of E at a given G relative to sd(E)); one row per panel.
    """
    types = list(style.TYPES)
    require_finite(unit_functions, ["energy_ev", *types], "unit_functions")
    require_finite(require(scatter, ["sum", "scatter"], "scatter"), ["scatter"], "scatter")
    scatter = scatter.sort_values(["scatter", "sum"], ignore_index=True)
    names = scatter["sum"].astype(str).tolist()
    for name in names:
        require_known(name.split("+"), types, f"scatter, sum {name!r}")
    rows = -(-(len(scatter) + 1) // COLUMNS)  # one place more, for the legend
    figure = style.figure(width_cm, 0.8 + 2.65 * rows)
    axes = figure.subplots(rows, COLUMNS, sharey=True, squeeze=False).ravel()
    energy = 1000 * (unit_functions["energy_ev"] - unit_functions["energy_ev"].mean())
    for ax, name, value in zip(axes, names, scatter["scatter"], strict=False):
        terms = name.split("+")
        color = style.MARKED if "G3" in terms else style.PLAIN
        total = unit_functions[terms].sum(axis=1)
        sns.scatterplot(x=total, y=energy, color=color, s=3, linewidth=0, alpha=0.6, rasterized=True, ax=ax)
        ax.set_title(name, loc="left", pad=2)
        _write_in_free_corner(ax, f"{value:.2f}", total.to_numpy(), energy.to_numpy())
        ax.set(xlabel="", ylabel="")
        ax.xaxis.set_major_locator(MaxNLocator(2, min_n_ticks=2))
        ax.yaxis.set_major_locator(MaxNLocator(4))
        ax.xaxis.set_major_formatter(style.plain_numbers())
        ax.yaxis.set_major_formatter(style.plain_numbers())
    for ax in axes[len(scatter) :]:
        ax.set_axis_off()
    for color, text in ((style.MARKED, "with G3"), (style.PLAIN, "without G3")):
        axes[len(scatter)].scatter([], [], s=12, color=color, label=text)
    axes[len(scatter)].legend(loc="center", title="number: scatter of E\n(1: G is uninformative)", alignment="left")
    per_atom = several_sizes(unit_functions)
    whose = "per atom" if per_atom else "over the atoms of the cell"
    figure.supxlabel(f"sum of unit symmetry functions {whose} (dimensionless)")
    figure.supylabel(f"$E$ − mean (meV per {'atom' if per_atom else 'cell'})")
    sns.despine(fig=figure)
    return figure


def _write_in_free_corner(ax: Axes, text: str, x: np.ndarray, y: np.ndarray) -> None:
    """Put the text into the corner with the fewest points."""
    right, top = ((v - v.min()) / (np.ptp(v) or 1.0) for v in (x, y))

    def crowd(corner: tuple[int, int]) -> int:
        return int(((abs(right - corner[0]) < 0.3) & (abs(top - corner[1]) < 0.3)).sum())

    column, row = min(((1, 0), (0, 1), (0, 0), (1, 1)), key=crowd)
    side, height = ("left", "right")[column], ("bottom", "top")[row]
    ax.text(0.03 + 0.94 * column, 0.03 + 0.94 * row, text, transform=ax.transAxes, ha=side, va=height)


@style.themed
def energy_against_sum(sums: pd.DataFrame, atom: int | None = None, width_cm: float = style.WIDTH_CM) -> Figure:
    """E against the sum of all symmetry functions, coloured by frame, with mean and sd of E in bins of equal count.

    Args:
        sums: frame, energy_ev, sum, n_atoms; one row per frame. Where n_atoms differs, energies and sums over all atoms
            are per atom.
        atom: the atom whose functions are summed; None for all atoms.
    """
    require_finite(sums, ["frame", "energy_ev", "sum"], "sums")
    figure = style.figure(width_cm, 7.5)
    ax = figure.subplots()
    energy = sums["energy_ev"] - sums["energy_ev"].mean()
    norm = Normalize(sums["frame"].min(), sums["frame"].max())
    sns.scatterplot(
        x=sums["sum"],
        y=energy,
        hue=sums["frame"],
        hue_norm=norm,
        palette="viridis",
        s=6,
        linewidth=0,
        legend=False,
        ax=ax,
    )
    bins = min(MAX_BINS, len(sums) // FRAMES_PER_BIN)
    if bins > 1:
        parts = np.array_split(np.argsort(sums["sum"].to_numpy(), kind="stable"), bins)
        ax.errorbar(
            [sums["sum"].iloc[part].mean() for part in parts],
            [energy.iloc[part].mean() for part in parts],
            [energy.iloc[part].std() for part in parts],
            fmt="o",
            color=style.DFT,
            markersize=3,
            elinewidth=0.8,
            label=f"mean ± sd of $E$ in {bins} bins",
        )
        ax.legend(loc="best")
    per_atom = several_sizes(sums)
    whose = f"of atom {atom}" if atom is not None else "per atom" if per_atom else "of all atoms"
    ax.set_xlabel(f"sum of all symmetry functions {whose} (dimensionless)")
    ax.set_ylabel(f"$E$ − mean (eV per {'atom' if per_atom else 'cell'})")
    ax.xaxis.set_major_formatter(style.plain_numbers())
    ax.yaxis.set_major_formatter(style.plain_numbers())
    figure.colorbar(ScalarMappable(norm, "viridis"), ax=ax, label="frame", format=style.plain_numbers(), pad=0.01)
    sns.despine(fig=figure)
    return figure
