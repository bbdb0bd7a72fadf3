"""The functions of a set, drawn over the distribution of distances in the data."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bpstudy.figures.style import TYPES, WIDTH_CM, figure, themed
from bpstudy.symmetry import G2, G3, G4, G5, SymmetryFunctions

Array = NDArray[np.float64]


@themed
def pair_picture(functions: SymmetryFunctions, distances: Array, atoms: int) -> Figure:
    """What the functions look at: radial ones (angular ones by their radial part) over the distances in the data.

    Args:
        distances: of all pairs within the largest cutoff, Å.
        atoms: how many atoms they belong to.
    """
    drawn = figure(WIDTH_CM, 10.0)
    top, bottom = drawn.subplots(2, 1, sharex=True)
    r = np.linspace(1e-3, functions.cutoff, 400)
    for f in functions.functions:
        fc = np.where(r < f.cutoff, 0.5 * (np.cos(np.pi * r / f.cutoff) + 1), 0.0)
        kind = type(f).__name__
        if isinstance(f, G2):
            fc = fc * np.exp(-f.eta * (r - f.rs) ** 2)
        elif isinstance(f, G3):
            fc = fc * np.cos(f.kappa * r)
        elif isinstance(f, G4 | G5):
            fc = fc * np.exp(-f.eta * r**2)
        (bottom if isinstance(f, G4 | G5) else top).plot(r, fc, color=TYPES[kind], label=kind)
    for axes, title in ((top, "radial functions"), (bottom, "radial part of angular functions")):
        behind = axes.twinx()
        behind.hist(distances, bins=np.linspace(0, functions.cutoff, 120), weights=np.full(len(distances), 1 / atoms),
                    color="#DDDDDD", zorder=0)  # fmt: skip
        behind.set_ylabel("neighbours per atom")
        axes.set_zorder(behind.get_zorder() + 1)
        axes.patch.set_visible(False)
        axes.set_ylabel(title)
        handles, labels = axes.get_legend_handles_labels()
        once = dict(zip(labels, handles, strict=True))
        axes.legend(once.values(), once.keys(), loc="upper left")
    bottom.set_xlabel("r, Å")
    return drawn
