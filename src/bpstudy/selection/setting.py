"""Training data with all that methods choose by: pool, equations, sample and costs, each from one pass.

Everything is chosen and fitted on training frames; a fit may hold some of them out for its own validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.selection.cost import Surroundings, function_costs_us, surroundings
from bpstudy.selection.equations import accumulate
from bpstudy.selection.methods import Problem
from bpstudy.selection.pool import Pool, PoolSettings, make_pool
from bpstudy.selection.sample import Drawing
from bpstudy.selection.targets import Tolerances
from bpstudy.statistics.splits import folds_in_time


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
    folds: Sequence[int] | NDArray[np.integer] | None = None,
    pool: PoolSettings | Pool | None = None,
    tolerances: Tolerances | None = None,
    forces: bool = True,
    threads: int = 1,
    seed: int = 0,
) -> Setting:
    """Pool, equations and sample of the training frames, in two passes: one for the pool, one for the rest.

    Args:
        folds: of each frame, for cross-validation; frames that belong together in one. None: five blocks in order.
        pool: how to make it, or one that is there.

    Raises:
        ValueError: data that cannot be used, or hold nothing to choose by.
    """
    if len(train) < 2:
        raise ValueError(f"{len(train)} frame(s) of training data; at least two are needed to choose functions")
    fold = folds_in_time(len(train)) if folds is None else np.asarray(folds, int)
    made = pool if isinstance(pool, Pool) else make_pool(train, pool)
    units = tolerances or Tolerances.typical(train, made.nearest_angstrom)
    drawing = Drawing(train, seed=seed, forces=forces)
    equations = accumulate(made.functions, train, fold, forces, threads=threads, drawing=drawing)
    if equations.has_forces and len(np.unique(equations.energies_ev_per_atom)) == 1:
        raise ValueError(
            f"all {len(train)} frames have the same energy an atom, {equations.energies_ev_per_atom[0]:g} eV, although"
            " there are forces; name the right energies (--energy)"
        )
    equations.least_squares(units)  # says at once where there is nothing to choose by
    around = surroundings(train, made.functions.cutoff)
    costs = function_costs_us(made.functions, around)
    problem = Problem(made.functions, equations, drawing.sample(units), costs, made.nearest_angstrom, units)
    return Setting(train, fold, made, problem, around)
