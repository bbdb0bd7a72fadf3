"""Adaptive group lasso (J. Sandberg, T. Voigtmann, E. Devijver, N. Jakse, arXiv:2312.15979 (2023)) of energies and
forces.

It minimises ½|b − A w|² + λ Σ_g |w_g| / |w̃_g| over groups g of columns, with w̃ of ridge, so that what ridge finds
small is punished more (H. Zou, J. Am. Stat. Assoc. 101, 1418 (2006), doi:10.1198/016214506000000735). Sandberg et al.
put the groups on the first layer of a network of all functions; here they are the coefficients of the linear model, a
convex problem with one answer. λ falls until enough functions are in; they come in the order in which they enter.
"""

from __future__ import annotations

import numpy as np

from bpstudy.selection.equations import LeastSquares
from bpstudy.selection.methods.base import Problem, Selector, method, subset
from bpstudy.selection.methods.pruning import ridge_weights
from bpstudy.symmetry import SymmetryFunctions
from bpstudy.symmetry.compiled import compiled


@compiled
def _descend(gram, moment, penalty, step, width, w, tolerance, sweeps):
    """Proximal block coordinate descent to the minimum for `penalty` (n_groups,); w is changed in place."""
    residual = moment - gram @ w
    for _ in range(sweeps):
        largest = 0.0
        for g in range(len(penalty)):
            start = g * width
            norm = 0.0
            new = np.empty(width)
            for k in range(width):
                new[k] = w[start + k] + residual[start + k] / step[g]
                norm += new[k] ** 2
            norm = np.sqrt(norm)
            shrink = max(0.0, 1.0 - penalty[g] / step[g] / norm) if norm > 0 else 0.0
            for k in range(width):
                change = shrink * new[k] - w[start + k]
                if change != 0.0:
                    w[start + k] += change
                    for m in range(len(residual)):
                        residual[m] -= gram[m, start + k] * change
                    largest = max(largest, abs(change) * np.sqrt(step[g]))
        if largest < tolerance:
            break


class AdaptiveGroupLasso(Selector):
    """The first `n_to_select` groups to enter along the path of λ.

    Args:
        n_to_select: how many functions.
        ridge: of the weights w̃, relative to the diagonal.
        steps: of λ, each a factor of 0.9.
    """

    def __init__(self, n_to_select: int, ridge: float = 1e-4, steps: int = 160) -> None:
        self.n_to_select, self.ridge, self.steps = n_to_select, ridge, steps

    def _select(self, equations: LeastSquares) -> list[int]:
        width, n = equations.width, equations.n_groups
        first = np.linalg.norm(ridge_weights(equations, self.ridge).reshape(n, width), axis=1)
        inverse = 1 / np.maximum(first, 1e-12 * max(float(first.max()), 1e-300))
        blocks = equations.gram.reshape(n, width, n, width)[np.arange(n), :, np.arange(n)]
        step = np.maximum(np.linalg.eigvalsh(blocks)[:, -1], 1e-300)
        strength = float((np.linalg.norm(equations.moment.reshape(n, width), axis=1) / inverse).max())
        w, order = np.zeros(n * width), []
        for _ in range(self.steps):
            strength *= 0.9
            _descend(equations.gram, equations.moment, strength * inverse, step, width, w, 1e-7, 500)
            size = np.linalg.norm(w.reshape(n, width), axis=1) * np.sqrt(step)
            order += sorted((g for g in np.flatnonzero(size) if g not in order), key=lambda g: (-size[g], g))
            if len(order) >= self.n_to_select:
                break
        order += [g for g in np.argsort(-first, kind="stable") if g not in order]
        return [int(g) for g in order[: self.n_to_select]]


@method("group-lasso", supervised=True)
def choose_by_group_lasso(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """Adaptive group lasso on energies and forces."""
    return subset(problem, AdaptiveGroupLasso(n).fit_equations(problem.least_squares()).selected_idx_)
