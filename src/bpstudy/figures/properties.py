"""Energy against volume, and properties of the crystal, of networks and DFT."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import require_finite


@style.themed
def properties(
    dft: pd.DataFrame,
    curve: pd.DataFrame,
    dft_table: pd.DataFrame,
    networks: pd.DataFrame,
    goal: float,
    width_cm: float = style.WIDTH_CM,
) -> Figure:
    """Left, the energy per atom relative to that at the crystal's own volume; open points lie outside the training
    domain of a network. Right, each property of each network relative to the DFT's; ± `goal` is shaded.

    Args:
        dft, curve: of `bpstudy.dynamics.properties.energy_curve`; that of the networks with `seed` and `outside`.
        dft_table, networks: property, value; that of the networks with `seed`.
    """
    require_finite(dft, ["volume", "volume_angstrom3_per_atom", "energy_ev_per_atom"], "DFT energies")
    require_finite(curve, ["volume", "energy_ev_per_atom", "seed"], "energies of the networks")
    for table, what in ((dft_table, "DFT properties"), (networks, "those of the networks")):
        require_finite(table, ["value"], what)
    figure = style.figure(width_cm, 8.0)
    energies, ratios = figure.subplots(1, 2, width_ratios=(1, 1))

    def change(table: pd.DataFrame) -> pd.Series:
        """meV per atom, relative to the volume nearest to the crystal's own."""
        own = table["energy_ev_per_atom"].to_numpy()[(table["volume"] - 1).abs().to_numpy().argmin()]
        return 1000 * (table["energy_ev_per_atom"] - own)

    shown = pd.concat([rows.assign(change=change(rows)) for _, rows in curve.groupby("seed")])
    by = shown.groupby("volume_angstrom3_per_atom")
    table = pd.DataFrame({"middle": by["change"].median(), "low": by["change"].min(), "high": by["change"].max()})
    energies.fill_between(table.index, table["low"], table["high"], color=style.NETWORK, alpha=0.25, linewidth=0)
    energies.plot(table.index, table["middle"], color=style.NETWORK, label="networks (median, range)")
    outside = by["outside"].any().to_numpy(bool)
    for unlike, face in ((False, style.NETWORK), (True, "white")):
        points = table.loc[outside == unlike, "middle"]
        label = "outside the training domain" if unlike and len(points) else None
        energies.plot(points.index, points, "o", color=style.NETWORK, markerfacecolor=face, markersize=4, label=label)
    energies.plot(dft["volume_angstrom3_per_atom"], change(dft), "s", color=style.DFT, markersize=3, label="DFT")
    energies.set(xlabel="volume (Å³ per atom)", ylabel="energy (meV per atom)")
    energies.legend()

    names = list(dft_table["property"])
    of_dft = dft_table.set_index("property")
    places = networks["property"].map(names.index)
    relative = 100 * (networks["value"] / networks["property"].map(of_dft["value"]) - 1)
    ratios.axvspan(-100 * goal, 100 * goal, color=style.PLAIN, alpha=0.12, linewidth=0)
    ratios.axvline(0, color=style.DFT, linewidth=1)
    ratios.plot(relative, places, "o", color=style.NETWORK, alpha=0.4, markersize=4, markeredgewidth=0)
    labels = [f"{name}: {of_dft.loc[name, 'value']:.3g} {of_dft.loc[name, 'unit']}" for name in names]
    ratios.set_yticks(range(len(names)), labels)
    ratios.set(xlabel="networks relative to DFT (%)", ylim=(len(names) - 0.5, -0.5))
    ratios.grid(True, axis="y")
    sns.despine(fig=figure)
    return figure
