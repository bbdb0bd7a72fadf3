"""What a set of functions costs: µs of one core for energy and forces of one atom; measured, and modelled.

The model is there so that a verdict does not depend on the load of a machine. It is

    t = t₀ + t_r (N_r + ½ N_e) Σ_radial + Σ_(groups of G4, G5 with one η, Rc and pair) [shell + pairs or harmonics],

with the numbers of neighbours N in the data at each cutoff; its constants are estimates for the kernels
of `bpstudy.symmetry`, of the right order. It is meant to order sets, not to predict a run: `measure` does that.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.symmetry import G4, G5, SymmetryFunctions
from bpstudy.symmetry.functions import AngularFunction, SymmetryFunction
from bpstudy.symmetry.neighbors import neighbors

Array = NDArray[np.float64]

# µs: an atom; a neighbour of the list; a radial function of a neighbour; a neighbour of an angular group; a pair of
# neighbours of a G4 group; an angular function of a G4 group's pair; a neighbour of a G5 group and (degree + 1)².
ATOM, NEIGHBOUR, RADIAL, SHELL, PAIR, HARMONIC = 1.0, 0.06, 0.02, 0.10, 0.030, 0.0009
EXPONENTIAL = 1e-3  # a Gaussian below this contributes no time worth counting


@dataclass(frozen=True)
class Surroundings:
    """How many neighbours of each element an atom of the data has within some radii, Å, on average and squared."""

    elements: tuple[str, ...]
    radii: Array  # (n_radii,), rising
    counts: Array  # (n_radii, n_elements), mean number within
    pairs: Array  # (n_radii, n_elements, n_elements), mean number of ordered pairs of neighbours within

    def neighbours(self, cutoff: float, species: str | None = None) -> float:
        """Mean number of neighbours within `cutoff`."""
        column = slice(None) if species is None else [self.elements.index(species)]
        return float(np.interp(cutoff, self.radii, self.counts[:, column].sum(axis=1)))

    def pair_count(self, cutoff: float, species: tuple[str, str] | None = None) -> float:
        """Mean number of unordered pairs of neighbours within `cutoff`."""
        if species is None:
            total = self.pairs.sum(axis=(1, 2)) / 2
        else:
            a, b = (self.elements.index(s) for s in species)
            total = self.pairs[:, a, b] / (2 if a == b else 1)
        return float(np.interp(cutoff, self.radii, total))


def surroundings(frames: Sequence[Atoms], cutoff: float, n_frames: int = 20) -> Surroundings:
    """Of at most `n_frames` frames, evenly taken.

    Raises:
        ValueError: no frames.
    """
    if len(frames) == 0:
        raise ValueError("no frames were given")
    places = np.linspace(0, len(frames) - 1, min(n_frames, len(frames))).round().astype(int)
    chosen = [frames[k] for k in np.unique(places)]
    elements = tuple(sorted({s for frame in frames for s in frame.get_chemical_symbols()}))
    radii = np.linspace(0, cutoff, 41)
    found = []
    for frame in chosen:
        near, n = neighbors(frame, cutoff), len(frame)
        symbols = np.array(frame.get_chemical_symbols())[near.atom]
        bins = np.searchsorted(radii, near.distance)
        table = np.zeros((n, len(radii), len(elements)))
        for e, element in enumerate(elements):
            own = symbols == element
            np.add.at(table[:, :, e], (near.centres()[own], bins[own]), 1.0)
        found.append(np.cumsum(table, axis=1))
    every = np.concatenate(found)
    pairs = np.einsum("ira,irb->rab", every, every) / len(every)
    counts = every.mean(axis=0)
    for e in range(len(elements)):
        pairs[:, e, e] -= counts[:, e]  # no neighbour pairs with itself
    return Surroundings(elements, radii, counts, pairs)


def model_us(functions: Sequence[SymmetryFunction], around: Surroundings) -> float:
    """The modelled cost of a set, µs an atom for energy and forces. Deterministic."""
    angular: dict[tuple, list[AngularFunction]] = {}
    total = ATOM + NEIGHBOUR * around.neighbours(max(f.cutoff for f in functions))
    for f in functions:
        if isinstance(f, G4 | G5):
            angular.setdefault((type(f), f.eta, f.cutoff, f.species), []).append(f)
        else:
            total += RADIAL * around.neighbours(f.cutoff, f.species)
    for (kind, _, cutoff, species), group in angular.items():
        near = sum(around.neighbours(cutoff, s) for s in set(species or (None,)))
        pairs = around.pair_count(cutoff, species)
        total += SHELL * near
        whole = all(float(f.zeta).is_integer() for f in group)
        degree = max(f.zeta for f in group)
        if kind is G5 and whole and HARMONIC * near * (degree + 1) ** 2 < PAIR * pairs:
            total += HARMONIC * near * (degree + 1) ** 2
        else:
            total += PAIR * pairs
    return float(total)


def function_costs_us(functions: SymmetryFunctions, around: Surroundings) -> Array:
    """The modelled cost of each function alone, without what every set shares, (n_functions,)."""
    shared = ATOM + NEIGHBOUR * around.neighbours(functions.cutoff)
    alone = [model_us([f], around) for f in functions.functions]
    longest = [NEIGHBOUR * around.neighbours(f.cutoff) + ATOM for f in functions.functions]
    return np.array(alone) - np.array(longest) + 0.1 * shared


def measure_us(
    sets: Sequence[SymmetryFunctions], frames: Sequence[Atoms], repeats: int = 7, seconds: float = 0.05
) -> Array:
    """Measured µs an atom (n_sets,) for values and forces (`compute` and `contract`) with one neighbour list.

    Processor time of this thread, sets in turn within each repeat so that a slow phase of the machine meets all of
    them, and the least of `repeats`: what disturbs only ever adds.

    Raises:
        ValueError: no frames, or no sets.
    """
    if len(frames) == 0 or len(sets) == 0:
        raise ValueError("one set or more and one frame or more are needed")
    atoms = sum(len(frame) for frame in frames)
    weights = [[np.ones((len(frame), len(functions))) for frame in frames] for functions in sets]

    def once(k: int) -> float:
        start = time.thread_time()
        for frame, w in zip(frames, weights[k], strict=True):
            near = sets[k].neighbors(frame)
            sets[k].compute(frame, near=near)
            sets[k].contract(frame, w, near=near)
        return time.thread_time() - start

    loops = [max(1, int(seconds / max(once(k), 1e-6))) for k in range(len(sets)) if once(k) >= 0]  # compiles first
    found = np.full((repeats, len(sets)), np.inf)
    for row in found:
        for k, n in enumerate(loops):
            row[k] = sum(once(k) for _ in range(n)) / n
    return found.min(axis=0) / atoms * 1e6
