"""Methods at equal budget on the same frames: choose, fit, test.

Everything is chosen and fitted on training frames; a fit may hold some of them out for its own validation. The frames
that decide are given to the fits for their errors alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.selection.cost import Surroundings, function_costs_us, model_us, surroundings
from bpstudy.selection.equations import accumulate
from bpstudy.selection.linear import linear_errors
from bpstudy.selection.methods import Problem, choose
from bpstudy.selection.pool import Pool, PoolSettings, make_pool
from bpstudy.selection.recommendation import Candidate
from bpstudy.selection.sample import draw_sample
from bpstudy.selection.targets import Tolerances
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
Errors = tuple[Array, Array | None]
Fit = Callable[[SymmetryFunctions, Sequence[Atoms], Sequence[int], Sequence[Atoms], Tolerances, int], Errors]
"""(functions, training frames, their folds, test frames, tolerances, seed) to errors of `Candidate`, of one seed."""

RANDOM_DRAWS = 10


@dataclass(frozen=True, eq=False)
class Setting:
    """Training data, the pool and all that methods choose by. Make one with `prepare`."""

    train: Sequence[Atoms]
    folds: NDArray[np.intp]
    pool: Pool
    problem: Problem
    around: Surroundings


def prepare(
    train: Sequence[Atoms],
    folds: Sequence[int] | None = None,
    pool: PoolSettings | None = None,
    tolerances: Tolerances | None = None,
    forces: bool = True,
    threads: int = 1,
    seed: int = 0,
) -> Setting:
    """Pool, equations and sample of the training frames, each in one pass.

    Args:
        folds: of each frame, for cross-validation; frames that belong together in one. None: five blocks in order.

    Raises:
        ValueError: data that cannot be used, or hold nothing to choose by.
    """
    if len(train) < 2:
        raise ValueError(f"{len(train)} frame(s) of training data; at least two are needed to choose functions")
    fold = np.arange(len(train)) * min(5, len(train)) // len(train) if folds is None else np.asarray(folds, int)
    made = make_pool(train, pool)
    units = tolerances or Tolerances.typical(train, made.nearest_angstrom)
    equations = accumulate(made.functions, train, fold, forces, threads=threads)
    equations.least_squares(units)  # says at once where there is nothing to choose by
    sample = draw_sample(made.functions, train, units, seed=seed, forces=forces)
    around = surroundings(train, made.functions.cutoff)
    costs = function_costs_us(made.functions, around)
    problem = Problem(made.functions, equations, sample, costs, made.nearest_angstrom, units)
    return Setting(train, fold, made, problem, around)


def chosen_sets(
    setting: Setting, methods: Sequence[str], budgets: Sequence[int], seed: int = 0
) -> Iterator[tuple[str, int, int, SymmetryFunctions]]:
    """(method, budget, draw, set) of each method at each budget; ten draws of random sets, and one of each other.

    Raises:
        ValueError: a method that is not known, or a budget above the pool.
    """
    for budget in budgets:
        for name in methods:
            for draw in range(RANDOM_DRAWS if name == "random" else 1):
                yield name, budget, draw, choose(name, setting.problem, budget, seed + draw)


def linear_candidate(
    setting: Setting, name: str, budget: int, functions: SymmetryFunctions, test: Sequence[Atoms]
) -> Candidate:
    """The linear potential on a set, tested."""
    energy, force = linear_errors(functions, setting.train, setting.folds, test, setting.problem.tolerances)
    return _candidate(setting, name, budget, "linear", functions, [(energy, force)])


def network_candidate(
    setting: Setting,
    name: str,
    budget: int,
    functions: SymmetryFunctions,
    test: Sequence[Atoms],
    fit: Fit,
    seeds: Sequence[int],
) -> Candidate:
    """A network on a set, fitted with each seed and tested."""
    errors = [fit(functions, setting.train, setting.folds, test, setting.problem.tolerances, seed) for seed in seeds]
    return _candidate(setting, name, budget, "network", functions, errors)


def _candidate(
    setting: Setting, name: str, budget: int, model: str, functions: SymmetryFunctions, errors: Sequence[Errors]
) -> Candidate:
    forces = [force for _, force in errors if force is not None]
    return Candidate(
        name,
        budget,
        model,
        functions,
        model_us(functions.functions, setting.around),
        np.array([energy for energy, _ in errors]),
        np.array(forces) if len(forces) == len(errors) else None,
    )
