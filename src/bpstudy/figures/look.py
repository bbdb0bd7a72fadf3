"""A page about data: energies, forces, distances, compositions, copies and what is unusual."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, select_autoescape
from matplotlib.axes import Axes

from bpstudy.data.look import Look, compositions, summary
from bpstudy.figures import style
from bpstudy.files import atomic_path

BINS = 40


def _histogram(ax: Axes, values: pd.Series, label: str, log: bool = False) -> None:
    shown = values[np.isfinite(values) & ((values > 0) | (not log))]
    if shown.empty:
        ax.text(0.5, 0.5, "none", ha="center", va="center", transform=ax.transAxes)
    else:
        low, high = shown.min(), shown.max()
        edges = np.geomspace(low, high, BINS).tolist() if log and high > low else None
        ax.hist(shown, bins=edges or BINS, color=style.MARKED)
        if log and high > low:
            ax.set_xscale("log")
    ax.set(xlabel=label, ylabel="frames")


def _of_files(ax: Axes, table: pd.DataFrame, column: str, label: str) -> None:
    """Each frame by its number among all, files in colours, copies crossed out."""
    colors = cycle([style.NETWORK, style.MARKED, style.HELD_OUT, style.INDEPENDENT, *style.OTHER_SETS])
    for (file, rows), color in zip(table.groupby("file", sort=False), colors, strict=False):
        ax.plot(rows.index, rows[column], ".", markersize=3, color=color, label=file)
    copied = table[table["first_copy"] != np.arange(len(table))]
    if not copied.empty:
        ax.plot(copied.index, copied[column], "x", markersize=4, color=style.PLAIN, label="copies")
    ax.set(xlabel="frame", ylabel=label)
    if table["file"].nunique() <= 8:
        ax.legend(fontsize=6)


def plots(of: Look) -> list[tuple[str, Callable[[Axes], None]]]:
    """Title of each plot, and what draws it."""
    table = of.table
    per_atom = table["energy_ev"] / table["n_atoms"]
    reduced = compositions(of).groupby("composition")["frames"].sum().sort_values()[-15:]
    return [
        ("Energies", lambda ax: _histogram(ax, per_atom, "energy (eV/atom)")),
        ("Outliers", lambda ax: _of_files(ax, table, "residual_ev", "energy without that of the atoms (eV/atom)")),
        ("Forces", lambda ax: _histogram(ax, table["force_rms_ev_per_angstrom"], "RMS force (eV/Å)", log=True)),
        ("Forces by frame", lambda ax: _of_files(ax, table, "force_rms_ev_per_angstrom", "RMS force (eV/Å)")),
        ("Shortest distances", lambda ax: _histogram(ax, table["shortest_angstrom"], "shortest distance (Å)")),
        ("Compositions", lambda ax: _bars(ax, reduced)),
    ]


def _bars(ax: Axes, counts: pd.Series) -> None:
    ax.barh(list(counts.index), counts.to_numpy(), color=style.MARKED)
    ax.set(xlabel="frames")


def write_page(of: Look, path: Path) -> None:
    """Write a page of HTML that needs no other file."""
    pictures = []
    for title, draw in plots(of):
        stored = BytesIO()
        with style.theme():
            figure = style.figure(style.WIDTH_CM / 2, 5.5)
            draw(figure.subplots())
            figure.savefig(stored, format="png", dpi=160)
        pictures.append((title, base64.b64encode(stored.getvalue()).decode()))
    environment = Environment(loader=PackageLoader("bpstudy.figures", "."), autoescape=select_autoescape())
    page = environment.get_template("look.html.j2").render(
        frames=len(of.table),
        atoms=int(of.table["n_atoms"].sum()),
        findings=of.findings,
        pictures=pictures,
        tables=[_cells(compositions(of)), _cells(summary(of))],
        energies=of.atomic_energies_ev,
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page)


def _cells(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    rows = [[f"{v:.4g}" if isinstance(v, float) else str(v) for v in row] for row in table.itertuples(index=False)]
    return [str(column) for column in table.columns], rows
