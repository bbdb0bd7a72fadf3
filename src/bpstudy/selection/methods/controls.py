"""Controls: sets that look at no data beyond the distances, and sets drawn at random."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from ase.data import atomic_numbers

from bpstudy.selection.methods.base import Problem, method, subset
from bpstudy.symmetry import SymmetryFunctions, grid
from bpstudy.symmetry.functions import SymmetryFunction


@method("random", supervised=False)
def choose_random(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """Without replacement from the pool, with `seed`."""
    return subset(problem, np.random.default_rng(seed).choice(len(problem.functions), n, replace=False))


@method("grid-paper", supervised=False)
def choose_paper_grid(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """Half G2, a quarter G4 and a quarter G5, each on Fortnet's grid: the best of the paper's nine combinations."""
    return _grid(problem, n, ((2, "G2", "fortnet"), (1, "G4", "fortnet"), (1, "G5", "fortnet")))


@method("grid-fortnet", supervised=False)
def choose_fortnet_grid(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """Half G2 and half G5 on Fortnet's grid, which is its automatic choice."""
    return _grid(problem, n, ((1, "G2", "fortnet"), (1, "G5", "fortnet")))


@method("grid-behler", supervised=False)
def choose_behler_grid(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """Half G2 and half G4 after Behler 2011 (doi:10.1063/1.3553717)."""
    return _grid(problem, n, ((1, "G2", "behler2011"), (1, "G4", "behler2011")))


def _grid(problem: Problem, n: int, parts: tuple[tuple[int, str, str], ...]) -> SymmetryFunctions:
    """`n` functions in shares, within the pool's largest cutoff, spread over the elements and pairs of elements.

    Raises:
        ValueError: fewer functions than a scheme needs for each element and pair.
    """
    elements = sorted(problem.equations.elements, key=atomic_numbers.__getitem__)
    cutoff = problem.functions.cutoff
    total, taken = sum(share for share, *_ in parts), 0
    found: list[SymmetryFunction] = []
    for k, (share, kind, scheme) in enumerate(parts):
        count = n - taken if k == len(parts) - 1 else round(n * share / total)
        taken += count
        species: list = list(elements) if kind == "G2" else list(combinations_with_replacement(elements, 2))
        for place, of in enumerate(species):
            own = count // len(species) + (place < count % len(species))
            if own:
                made = grid(kind, own, cutoff, scheme) if own > 1 or kind != "G2" else grid("G1", 1, cutoff, "graded")
                found += [type(f)(**{**f.__dict__, "species": of}) for f in made]
    return SymmetryFunctions(found)
