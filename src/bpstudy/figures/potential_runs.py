"""Molecular dynamics with a network compared with DFT."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import require, require_finite

SOURCES = {"DFT": (style.DFT, "-"), "network": (style.NETWORK, "--")}
RUNS = {"NVE": style.NETWORK, "NVE, supercell": style.MARKED}


@style.themed
def potential_runs(
    energies: pd.DataFrame, rdf: pd.DataFrame, motion: pd.DataFrame, width_cm: float = style.WIDTH_CM
) -> Figure:
    """Total energy in NVE, and g(r), velocity autocorrelation and mean square displacement in NVT. A cross ends a run
    that broke.

    Args:
        energies, rdf, motion: of `bpstudy.potential.runs.all_runs`.
    """
    require_finite(energies, ["time_fs", "total_ev", "atoms"], "energies of the runs")
    require(rdf, ["distance_angstrom", "g", "source"], "g(r) of the runs")
    columns = ["lag_fs", "velocity_autocorrelation", "mean_square_displacement_angstrom2"]
    require_finite(motion, columns, "motion in the runs")
    figure = style.figure(width_cm, 11.0)
    (energy, shells), (velocity, displacement) = figure.subplots(2, 2)
    for name, color in RUNS.items():
        table = energies[energies["run"] == name]
        if table.empty:
            continue
        change = 1000 * (table["total_ev"] - table["total_ev"].iloc[0]) / table["atoms"]
        label = f"{table['atoms'].iloc[0]:.0f} atoms"
        if table["broke"].any():
            label += " (broke)"
            energy.plot(table["time_fs"].iloc[-1] / 1000, change.iloc[-1], "x", color=color)
        energy.plot(table["time_fs"] / 1000, change, color=color, label=label, linewidth=0.7)
    energy.set(xlabel="time (ps)", ylabel="change of the total energy\n(meV per atom)")
    energy.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)  # the curves fill the panel
    for name, (color, line) in SOURCES.items():
        look = {"color": color, "linestyle": line, "label": name}
        shell, moved = rdf[rdf["source"] == name], motion[motion["source"] == name]
        shells.plot(shell["distance_angstrom"], shell["g"] - shell["g_own_images"], **look)
        velocity.plot(moved["lag_fs"], moved["velocity_autocorrelation"], **look)
        displacement.plot(moved["lag_fs"], moved["mean_square_displacement_angstrom2"], **look)
    shells.set(xlabel="distance (Å)", ylabel="g(r) without own images", ylim=(0, None))
    velocity.set(xlabel="lag (fs)", ylabel="velocity autocorrelation")
    velocity.axhline(0, color=style.PLAIN, linewidth=0.5)
    displacement.set(xlabel="lag (fs)", ylabel="mean square\ndisplacement (Å²)", ylim=(0, None))
    for ax in (shells, velocity, displacement):
        ax.legend()
    sns.despine(fig=figure)
    return figure
