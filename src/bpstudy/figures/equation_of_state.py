"""Energy against volume, and elastic constants."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import require_finite


@style.themed
def equation_of_state(
    dft: pd.DataFrame,
    networks: pd.DataFrame,
    elastic_dft: pd.DataFrame,
    elastic_networks: pd.DataFrame,
    width_cm: float = style.WIDTH_CM,
) -> Figure:
    """Energy per atom relative to that at the training volume, DFT and all networks, and the elastic constants. Open
    points are outside the training domain.

    Args:
        dft: volume, volume_angstrom3_per_atom, energy_ev_per_atom.
        networks: of `bpstudy.potential.runs.energies_at_volumes`.
        elastic_dft: of `bpstudy.potential.equation_of_state.elastic_constants`.
        elastic_networks: of `bpstudy.potential.runs.constants_of_networks`.
    """
    require_finite(dft, ["volume", "volume_angstrom3_per_atom", "energy_ev_per_atom"], "DFT energies")
    require_finite(networks, ["volume", "energy_ev_per_atom", "seed"], "energies of the networks")
    for table, what in ((elastic_dft, "DFT elastic constants"), (elastic_networks, "those of the networks")):
        require_finite(table, ["gpa"], what)
    figure = style.figure(width_cm, 7.0)
    ax, constants = figure.subplots(1, 2, width_ratios=(3, 2))

    def change(table: pd.DataFrame) -> pd.Series:
        """meV per atom, relative to the volume nearest to the training volume."""
        return 1000 * (table["energy_ev_per_atom"] - _trained(table, "energy_ev_per_atom"))

    shown = pd.concat([rows.assign(change=change(rows)) for _, rows in networks.groupby("seed")])
    by = shown.groupby("volume_angstrom3_per_atom")
    table = pd.DataFrame({"middle": by["change"].median(), "low": by["change"].min(), "high": by["change"].max()})
    ax.fill_between(table.index, table["low"], table["high"], color=style.NETWORK, alpha=0.25, linewidth=0)
    ax.plot(table.index, table["middle"], color=style.NETWORK, label="networks (median, range)")
    outside = by["outside"].any().to_numpy(bool)
    for unlike, face in ((False, style.NETWORK), (True, "white")):
        points = table.loc[outside == unlike, "middle"]
        label = "outside the training domain" if unlike else None
        ax.plot(points.index, points, "o", color=style.NETWORK, markerfacecolor=face, markersize=4, label=label)
    ax.plot(dft["volume_angstrom3_per_atom"], change(dft), "s", color=style.DFT, markersize=3.5, label="DFT")
    trained = _trained(dft, "volume_angstrom3_per_atom")
    ax.axvline(trained, color=style.PLAIN, linestyle=":", label="volume trained at")
    ax.set(xlabel="volume (Å³ per atom)", ylabel="energy relative to the\ntraining volume (meV per atom)")
    names = list(elastic_dft["constant"])
    places = elastic_networks["constant"].map(names.index)
    constants.plot(places, elastic_networks["gpa"], "o", color=style.NETWORK, alpha=0.35, markeredgewidth=0)
    constants.plot(range(len(names)), elastic_dft["gpa"], "s", color=style.DFT, markersize=3.5)
    constants.set_xticks(range(len(names)), names)
    constants.set(xlim=(-0.5, len(names) - 0.5), ylabel="elastic constant (GPa)")
    constants.set_yscale("symlog", linthresh=10)  # networks trained at a single volume do not determine C11 and C12
    constants.margins(y=0.1)
    constants.yaxis.set_major_formatter(style.plain_numbers())
    constants.axhline(0, color=style.PLAIN, linewidth=0.8)
    constants.grid(True, axis="y")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    sns.despine(fig=figure)
    return figure


def _trained(table: pd.DataFrame, column: str) -> float:
    """A column at the volume nearest to the training volume."""
    return float(table[column].to_numpy()[(table["volume"] - 1).abs().to_numpy().argmin()])
