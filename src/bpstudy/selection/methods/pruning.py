"""Pruning as n2p2's `nnp-prune` does it: by the range of a function, or by the sensitivity of the energy to it.

Its sensitivities are those of a network of all functions (A. Singraber, T. Morawietz, J. Behler, C. Dellago, J. Chem.
Theory Comput. 15, 3075 (2019), doi:10.1021/acs.jctc.8b01092). A network of the whole pool is what a choice should save,
so those of ridge of the whole pool stand here, |dE/dG_f| sd(G_f) = |w_f| with w in units of 1/sd.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from bpstudy.selection.equations import LeastSquares
from bpstudy.selection.methods.base import Problem, Selector, method, subset
from bpstudy.symmetry import SymmetryFunctions


class SensitivitySelector(Selector):
    """The functions of the largest |w_f| of ridge of all, λ relative to the diagonal."""

    def __init__(self, n_to_select: int, ridge: float = 1e-4) -> None:
        self.n_to_select, self.ridge = n_to_select, ridge

    def _select(self, equations: LeastSquares) -> list[int]:
        w = ridge_weights(equations, self.ridge)
        sensitivity = np.sqrt((w.reshape(-1, equations.width) ** 2).sum(axis=1))
        return list(np.argsort(-sensitivity, kind="stable")[: self.n_to_select])


def ridge_weights(equations: LeastSquares, ridge: float) -> np.ndarray:
    """(AᵀA + λ diag(AᵀA))⁻¹ Aᵀb; 0 for a column of zeros."""
    diagonal = np.diag(equations.gram)
    penalised = equations.gram + np.diag(np.where(diagonal > 0, ridge * diagonal, 1.0))
    return np.asarray(cho_solve(cho_factor(penalised), equations.moment))


@method("range", supervised=False)
def choose_by_range(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """The largest ranges over the atoms."""
    ranges = np.ptp(problem.equations.values, axis=0)
    return subset(problem, np.argsort(-ranges, kind="stable")[:n])


@method("sensitivity", supervised=True)
def choose_by_sensitivity(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """The largest sensitivities."""
    return subset(problem, SensitivitySelector(n).fit_equations(problem.least_squares()).selected_idx_)
