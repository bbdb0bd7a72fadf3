"""Energy against volume."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import require_finite


@style.themed
def equation_of_state(dft: pd.DataFrame, networks: pd.DataFrame, width_cm: float = style.WIDTH_CM) -> Figure:
    """Energy an atom less that at the volume trained at, DFT and all networks; open points: unlike all training.

    Args:
        dft: volume, volume_angstrom3_per_atom, energy_ev_per_atom.
        networks: of `bpstudy.potential_runs.energies_at_volumes`.
    """
    require_finite(dft, ["volume", "volume_angstrom3_per_atom", "energy_ev_per_atom"], "energies of the DFT")
    require_finite(networks, ["volume", "energy_ev_per_atom", "seed"], "energies of the networks")
    figure = style.figure(0.6 * width_cm, 7.0)
    ax = figure.subplots()

    def change(table: pd.DataFrame) -> pd.Series:
        """meV per atom, less that at the volume nearest to the one trained at."""
        return 1000 * (table["energy_ev_per_atom"] - _trained(table, "energy_ev_per_atom"))

    shown = pd.concat([rows.assign(change=change(rows)) for _, rows in networks.groupby("seed")])
    by = shown.groupby("volume_angstrom3_per_atom")
    table = pd.DataFrame({"middle": by["change"].median(), "low": by["change"].min(), "high": by["change"].max()})
    ax.fill_between(table.index, table["low"], table["high"], color=style.NETWORK, alpha=0.25, linewidth=0)
    ax.plot(table.index, table["middle"], color=style.NETWORK, label="networks (median, range)")
    outside = by["outside"].any().to_numpy(bool)
    for unlike, face in ((False, style.NETWORK), (True, "white")):
        points = table.loc[outside == unlike, "middle"]
        label = "unlike all training" if unlike else None
        ax.plot(points.index, points, "o", color=style.NETWORK, markerfacecolor=face, markersize=4, label=label)
    ax.plot(dft["volume_angstrom3_per_atom"], change(dft), "s", color=style.DFT, markersize=3.5, label="DFT")
    trained = _trained(dft, "volume_angstrom3_per_atom")
    ax.axvline(trained, color=style.PLAIN, linestyle=":", label="volume trained at")
    ax.set(xlabel="volume (Å³ per atom)", ylabel="energy less that at the volume\ntrained at (meV per atom)")
    figure.legend(loc="outside upper center", ncols=2)
    sns.despine(fig=figure)
    return figure


def _trained(table: pd.DataFrame, column: str) -> float:
    """A column at the volume nearest to the one trained at."""
    return float(table[column].to_numpy()[(table["volume"] - 1).abs().to_numpy().argmin()])
