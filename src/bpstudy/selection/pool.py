"""The candidates: some hundred symmetry functions that suit the distances in the data.

Every type and every scheme of `bpstudy.symmetry.grids` takes part, at several cutoffs, with widths in units of the
nearest-neighbour distance d, for each element of neighbours and each pair of elements:

- radial: G1; G2 of all four schemes, and shells of width s (η = 1/(2s²)) in steps of s from 0.8 d to the cutoff; the
  cosines of G3;
- angular: G4 and G5 with η d² in `angular_etas`, ζ in `zetas` and λ = ±1, and the schemes.

What sees less than a thousandth of a neighbour is dropped (`is_dead`), and of two functions with |r| >
`largest_correlation` over the atoms the later one, so that of copies the simpler (radial before angular, short before
long) stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from bpstudy.network.normalization import is_dead
from bpstudy.symmetry import G1, G2, G4, G5, SymmetryFunctions, grid
from bpstudy.symmetry.functions import TYPES, SymmetryFunction
from bpstudy.symmetry.neighbors import neighbors

SEARCH_ANGSTROM = (3.0, 4.5, 6.5, 9.0)  # radii tried in turn until most atoms have a neighbour
G2_SCHEMES = (("fortnet", 8), ("behler2011", 6), ("gastegger2018-shifted", 8), ("gastegger2018-centered", 5))


@dataclass(frozen=True)
class PoolSettings:
    """What the pool is made of.

    Attributes:
        cutoff: the largest cutoff, Å; None takes `reach` nearest-neighbour distances.
        reach: see `cutoff`. 2.3 is 5.6 Å for Ge and 6.3 Å for Mo.
        fractions: the cutoffs, as fractions of the largest.
        widths: of the shifted shells, in nearest-neighbour distances.
        angular_etas: η d² of the angular functions.
        zetas: ζ of the angular functions.
        types: of functions that take part; n2p2, for example, has no G3.
        largest_correlation: |r| of two functions above which one is dropped.
        atoms: at most that many atoms, evenly spread over the frames, decide what is dead or doubled.

    Raises:
        ValueError: a number out of range; the key, the value and what is allowed.
    """

    cutoff: float | None = None
    reach: float = 2.3
    fractions: tuple[float, ...] = (0.6, 0.8, 1.0)
    widths: tuple[float, ...] = (0.08, 0.16)
    angular_etas: tuple[float, ...] = (0.0, 0.2, 0.6)
    zetas: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    types: tuple[str, ...] = ("G1", "G2", "G3", "G4", "G5")
    largest_correlation: float = 0.9999
    atoms: int = 4000

    def __post_init__(self) -> None:
        if self.cutoff is not None and not self.cutoff > 0:
            raise ValueError(f"cutoff: {self.cutoff}; it must be a length in Å above 0")
        if not self.reach > 1:
            raise ValueError(f"reach: {self.reach}; it must be above 1 nearest-neighbour distance")
        for key in ("fractions", "widths", "zetas"):
            values = getattr(self, key)
            if not values or not all(v > 0 for v in values):
                raise ValueError(f"{key}: {values}; one or more numbers above 0 are needed")
        if max(self.fractions) > 1:
            raise ValueError(f"fractions: {self.fractions}; they must not be above 1")
        if not all(eta >= 0 for eta in self.angular_etas):
            raise ValueError(f"angular_etas: {self.angular_etas}; they must not be negative")
        if not self.types or not set(self.types) <= set(TYPES):
            raise ValueError(f"types: {self.types}; allowed are some of {', '.join(TYPES)}")
        if not 0 < self.largest_correlation <= 1:
            raise ValueError(f"largest_correlation: {self.largest_correlation}; it must be above 0 and at most 1")
        if self.atoms < 2:
            raise ValueError(f"atoms: {self.atoms}; at least 2 are needed")


@dataclass(frozen=True)
class Pool:
    """The candidates that are left, and why others are not.

    Attributes:
        functions: the candidates, in a fixed order.
        nearest_angstrom: the median distance of an atom to its nearest neighbour.
        dead: labels of the functions that see nothing.
        doubled: labels of the dropped copies, each with the label of the function that stays.
    """

    functions: SymmetryFunctions
    nearest_angstrom: float
    dead: tuple[str, ...]
    doubled: tuple[tuple[str, str], ...]


def nearest_distance(frames: Sequence[Atoms]) -> float:
    """The median over atoms of the distance to the nearest neighbour, Å.

    Raises:
        ValueError: no frames, or most atoms have no neighbour within 9 Å.
    """
    if len(frames) == 0:
        raise ValueError("no frames were given")
    for radius in SEARCH_ANGSTROM:
        nearest = np.concatenate([_nearest(frame, radius) for frame in frames])
        if np.isfinite(nearest).mean() > 0.5:
            return float(np.median(nearest))  # of all atoms: those beyond the radius are in the upper half
    raise ValueError(f"most atoms have no neighbour within {SEARCH_ANGSTROM[-1]} Å; symmetry functions see nothing")


def _nearest(frame: Atoms, radius: float) -> np.ndarray:
    near = neighbors(frame, radius)
    found = np.full(len(frame), np.inf)
    np.minimum.at(found, near.centres(), near.distance)
    return found


def proposals(elements: Iterable[str], nearest: float, settings: PoolSettings) -> tuple[SymmetryFunction, ...]:
    """All functions considered before any look at their values; short cutoffs first, radial before angular."""
    ordered = sorted(set(elements), key=atomic_numbers.__getitem__)
    largest = settings.cutoff or settings.reach * nearest
    cutoffs = sorted(round(fraction * largest, 4) for fraction in settings.fractions)
    found: list[SymmetryFunction] = []
    for cutoff in cutoffs:
        for element in ordered:
            found += [_of(f, element) for f in _radial(cutoff, nearest, settings)]
    for cutoff in cutoffs:
        for pair in combinations_with_replacement(ordered, 2):
            found += [_of(f, pair) for f in _angular(cutoff, nearest, settings)]
    return tuple(f for f in dict.fromkeys(found) if type(f).__name__ in settings.types)


def _radial(cutoff: float, nearest: float, settings: PoolSettings) -> list[SymmetryFunction]:
    found: list[SymmetryFunction] = [G1(cutoff)]
    for width in settings.widths:
        step = width * nearest
        centres = np.arange(0.8 * nearest, cutoff - step / 2, max(step, cutoff / 40))
        found += [G2(1 / (2 * step**2), float(centre), cutoff) for centre in centres]
    for name, count in G2_SCHEMES:
        if cutoff > 1.5:
            found += grid("G2", count, cutoff, name)
    return found + list(grid("G3", 6, cutoff, "harmonic"))


def _angular(cutoff: float, nearest: float, settings: PoolSettings) -> list[SymmetryFunction]:
    found: list[SymmetryFunction] = []
    for cls in (G5, G4):
        for eta in settings.angular_etas:
            found += [cls(eta / nearest**2, zeta, lam, cutoff) for zeta in settings.zetas for lam in (1, -1)]
        for name, count in (("fortnet", 12), ("behler2011", 10)):
            found += grid(cls.__name__, count, cutoff, name)
    return found


def _of(function: SymmetryFunction, species: str | tuple[str, str]) -> SymmetryFunction:
    """The function for neighbours of one element, or one pair of elements."""
    values = {**function.__dict__, "species": species}
    return type(function)(**values)


def make_pool(frames: Sequence[Atoms], settings: PoolSettings | None = None) -> Pool:
    """The pool for some frames of any size and composition. Deterministic.

    Raises:
        ValueError: no frames, frames without neighbours, or all candidates dead at the given cutoff.
    """
    settings = settings or PoolSettings()
    nearest = nearest_distance(frames)
    elements = {symbol for frame in frames for symbol in frame.get_chemical_symbols()}
    functions = SymmetryFunctions(proposals(elements, nearest, settings))
    values, numbers = sampled_values(functions, frames, settings.atoms)
    dead = _dead(values, numbers)
    if dead.all():
        raise ValueError(
            f"all {len(functions)} functions of the pool are dead at the cutoff {functions.cutoff:.3g} Å: they see less"
            f" than a thousandth of a neighbour; the nearest neighbours are {nearest:.3g} Å away, use a larger cutoff"
        )
    kept, doubled = _without_doubles(values, numbers, np.flatnonzero(~dead), settings.largest_correlation)
    names = functions.labels
    return Pool(
        SymmetryFunctions([functions.functions[k] for k in kept]),
        nearest,
        tuple(names[k] for k in np.flatnonzero(dead)),
        tuple((names[k], names[stays]) for k, stays in doubled),
    )


def sampled_values(functions: SymmetryFunctions, frames: Sequence[Atoms], atoms: int) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, n_functions) and atomic numbers (n,) of at most about `atoms` atoms: of whole frames, evenly taken."""
    total = sum(len(frame) for frame in frames)
    wanted = max(2, min(len(frames), round(atoms * len(frames) / total)))
    chosen = [frames[k] for k in np.unique(np.linspace(0, len(frames) - 1, wanted).round().astype(int))]
    values = np.concatenate([functions.compute(frame) for frame in chosen])
    return values, np.concatenate([frame.numbers for frame in chosen])


def _dead(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Dead for the atoms of every element."""
    return np.all([is_dead(values[numbers == n]) for n in np.unique(numbers)], axis=0)


def _without_doubles(
    values: np.ndarray, numbers: np.ndarray, alive: np.ndarray, largest: float
) -> tuple[list[int], list[tuple[int, int]]]:
    """What is kept of `alive`, and (dropped, the one that stays) of the rest; a double is one for every element."""
    tables = []
    for n in np.unique(numbers):
        x = values[numbers == n][:, alive]
        x = x - x.mean(axis=0)
        norm = np.sqrt((x**2).sum(axis=0))
        x = x / np.where(norm > 0, norm, 1.0)
        tables.append(np.where((norm == 0) | (norm[:, None] == 0), 1.0, np.abs(x.T @ x)))
    alike = np.min(tables, axis=0)
    kept: list[int] = []
    doubled: list[tuple[int, int]] = []
    for place in range(len(alive)):
        same = [k for k in kept if alike[place, k] > largest]
        if same:
            doubled.append((int(alive[place]), int(alive[same[0]])))
        else:
            kept.append(place)
    return [int(alive[k]) for k in kept], doubled
