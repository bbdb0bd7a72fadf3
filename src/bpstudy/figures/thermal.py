"""Validation of the dynamics: temperature, energy and structure of each system compared with theory."""

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bpstudy.figures import style
from bpstudy.figures.tables import TableError, require, require_finite, time_axis

BLOCKS = ["time_fs", "temperature_kelvin", "temperature_min_kelvin", "temperature_max_kelvin"]


@dataclass(frozen=True)
class Tables:
    """The tables of one system: results/thermal/<system>/*.csv."""

    summary: pd.DataFrame
    blocks: pd.DataFrame
    distributions: pd.DataFrame
    rdf: pd.DataFrame

    def entry(self, quantity: str) -> dict:
        """The row of a quantity in the summary."""
        return self.summary.set_index("quantity").to_dict("index")[quantity]


@style.themed
def thermal(systems: Mapping[str, Tables], width_cm: float = style.WIDTH_CM) -> Figure:
    """One column per system: block averages of T against time, distributions of T and E_pot with theory, and g(r)."""
    if not systems:
        raise TableError("thermal: no systems given")
    for name, tables in systems.items():
        require(tables.summary, ["quantity", "value", "error", "expected", "reason"], f"thermal summary of {name}")
        require_finite(tables.rdf, ["distance_angstrom", "g", "g_own_images"], f"thermal rdf of {name}")
    figure = style.figure(width_cm, 15.5)
    axes = figure.subplots(4, len(systems), squeeze=False)
    for column, (name, tables) in zip(axes.T, systems.items(), strict=True):
        column[0].set_title(name, loc="left", fontweight="bold")
        _temperature(column[0], tables)
        _distribution(column[1], tables, "temperature", "temperature (K)", "K")
        _distribution(column[2], tables, "potential", r"$E - \langle E \rangle$ (meV/atom)", "meV/atom")
        _structure(column[3], tables.rdf)
    for ax, label in zip(axes[:, 0], ("temperature (K)", "density (1/K)", "density (atom/meV)", "$g(r)$"), strict=True):
        ax.set_ylabel(label)
    shown = {label: handle for ax in axes.flat for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=4)
    sns.despine(fig=figure)
    return figure


def _temperature(ax: Axes, tables: Tables) -> None:
    """Block means and ranges, the bath, the start of the statistics, and from where the running mean is settled."""
    if tables.blocks.empty:
        return _absent(ax, tables, "temperature_at_bath_from", "time")
    require(tables.blocks, BLOCKS, "thermal blocks")
    time, label = time_axis(tables.blocks, "time_fs")
    scale = 1000 if label == "time (ps)" else 1
    ax.fill_between(
        time,
        tables.blocks["temperature_min_kelvin"],
        tables.blocks["temperature_max_kelvin"],
        color=style.PLAIN,
        alpha=0.3,
        linewidth=0,
        label="range of $T$ in a block",
    )
    ax.plot(time, tables.blocks["temperature_kelvin"], color=style.NETWORK, label="mean of a block")
    bath = tables.entry("temperature_mean")["expected"]
    if pd.notna(bath):
        ax.axhline(bath, color=style.DFT, linestyle="--", linewidth=0.8, label="bath")
    start = tables.entry("statistics_from")["value"]
    if pd.notna(start):
        ax.axvline(start / scale, color=style.MARKED, linestyle=":", label="statistics from")
    settled = tables.entry("temperature_settled_from")["value"]
    if np.isfinite(settled):
        ax.axvline(settled / scale, color=style.HELD_OUT, linestyle="-.", label="mean settled from")
    ax.set_xlabel(label)
    ax.margins(x=0.01)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    return None


def _distribution(ax: Axes, tables: Tables, quantity: str, label: str, unit: str) -> None:
    """Histogram with the expected density and both standard deviations."""
    table = tables.distributions[tables.distributions["quantity"] == quantity]
    if table.empty:
        return _absent(ax, tables, f"{quantity}_sd", label)
    ax.fill_between(
        table["value"], table["density"], step="mid", color=style.NETWORK, alpha=0.5, linewidth=0, label="simulated"
    )
    ax.plot(table["value"], table["expected"], color=style.DFT, label="expected")
    sd = tables.entry(f"{quantity}_sd")
    error = f" ± {sd['error']:.2g}" if pd.notna(sd["error"]) else ""
    ax.set_title(f"sd {sd['value']:.3g}{error}\nexpected {sd['expected']:.3g} {unit}", loc="right", pad=2)
    ax.set_xlabel(label)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    return None


def _structure(ax: Axes, rdf: pd.DataFrame) -> None:
    """g(r) without own images; the distances of own images, peaks due to the cell, are marked."""
    others = rdf["g"] - rdf["g_own_images"]
    ax.plot(rdf["distance_angstrom"], others, color=style.NETWORK)
    ax.axhline(1, color=style.DFT, linestyle="--", linewidth=0.6)
    own = rdf.loc[rdf["g_own_images"] > 0, "distance_angstrom"]
    for number, distance in enumerate(own):
        label = "atom's own images" if number == 0 else None
        ax.axvline(distance, ymax=0.12, color=style.MARKED, linewidth=1.2, label=label)
    ax.set_xlabel("$r$ (Å)")
    ax.set(xlim=(0, rdf["distance_angstrom"].max()), ylim=(0, None))


def _absent(ax: Axes, tables: Tables, quantity: str, label: str) -> None:
    """Say why a panel is empty."""
    reason = fill(str(tables.entry(quantity)["reason"]), 22)
    ax.text(0.5, 0.5, reason, transform=ax.transAxes, ha="center", va="center", color=style.DFT)
    ax.set(xlabel=label, xticks=[], yticks=[])
