"""Energy and temperature along a trajectory."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bpstudy.figures import style
from bpstudy.figures.tables import require, require_finite, several_sizes, time_axis


@style.themed
def energy_over_time(thermo: pd.DataFrame, width_cm: float = style.WIDTH_CM) -> Figure:
    """Potential energy of the cell against time, counted from the first frame.

    Where the frames have momenta, the total energy is shown as well, and the temperature in a panel below. Frames of
    several sizes are points, with energies per atom.

    Args:
        thermo: step, time_fs, potential_ev, total_ev, temperature_kelvin; one row per frame. Of data sets also
            source_n_atoms.
    """
    require(thermo, ["step", "time_fs", "potential_ev", "total_ev", "temperature_kelvin"], "thermo")
    require_finite(thermo, ["potential_ev"], "thermo")
    if several_sizes(thermo, "source_n_atoms"):
        return _energies_per_atom(thermo, width_cm)
    moving = bool(thermo["temperature_kelvin"].notna().all())
    figure = style.figure(width_cm, 9.0 if moving else 6.0)
    ratios = [5, 3] if moving else [1]
    axes = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    time, label = time_axis(thermo, "step")
    origin = thermo["potential_ev"].iloc[0]

    energy = axes[0]
    sns.lineplot(
        estimator=None, x=time, y=thermo["potential_ev"] - origin, color=style.NETWORK, label="potential", ax=energy
    )
    if moving:
        sns.lineplot(
            estimator=None,
            x=time,
            y=thermo["total_ev"] - origin,
            color=style.MARKED,
            label="potential + kinetic",
            ax=energy,
        )
    energy.set_ylabel("$E - E_0$ (eV per cell)")
    energy.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2)
    energy.set_title(f"$E_0$ = ${origin:.4f}$ eV, potential energy of the first frame", loc="left")
    energy.margins(x=0.01)
    if moving:
        temperature, mean = axes[1], thermo["temperature_kelvin"].mean()
        sns.lineplot(estimator=None, x=time, y=thermo["temperature_kelvin"], color=style.PLAIN, ax=temperature)
        temperature.axhline(mean, color=style.DFT, linestyle="--")
        temperature.set_title(f"mean {mean:.0f} K", loc="right", pad=2)
        temperature.set_ylabel("temperature (K)")
    axes[-1].set_xlabel(label)
    for ax in axes:
        ax.yaxis.set_major_formatter(style.plain_numbers())
    sns.despine(fig=figure)
    return figure


def _energies_per_atom(thermo: pd.DataFrame, width_cm: float) -> Figure:
    figure = style.figure(width_cm, 6.0)
    ax = figure.subplots()
    sizes = thermo["source_n_atoms"].to_numpy()
    per_atom = thermo["potential_ev"].to_numpy() / sizes
    points = ax.scatter(thermo["step"], per_atom, c=sizes, cmap="viridis", s=6, linewidth=0)
    figure.colorbar(points, ax=ax, label="atoms of the frame", pad=0.01)
    ax.set(xlabel="frame", ylabel="$E$ (eV per atom)")
    ax.set_title(f"{len(thermo)} frames, sd {1000 * np.std(per_atom):.3g} meV per atom", loc="left")
    ax.yaxis.set_major_formatter(style.plain_numbers())
    ax.margins(x=0.01)
    sns.despine(fig=figure)
    return figure
