"""Forward selection on energies and forces with exchanges, by the exact ridge loss: orthogonal matching pursuit.

The ridge loss of a set S is L(S) = bᵀb − m_Sᵀ (K_SS)⁻¹ m_S with K = AᵀA + λ diag(AᵀA) and m = Aᵀb. With the Schur
complement R = K − K_:S K_SS⁻¹ K_S: and the residual moment r = m − K_:S K_SS⁻¹ m_S, a further group g of columns lowers
it by exactly

    L(S) − L(S + g) = r_gᵀ R_gg⁻¹ r_g,

so that each step costs O(n²) and no fit (Y. C. Pati, R. Rezaiifar, P. S. Krishnaprasad, Asilomar 1993,
doi:10.1109/ACSSC.1993.342465; S. Chen, S. A. Billings, W. Luo, Int. J. Control 50, 1873 (1989),
doi:10.1080/00207178908953472). Greedy steps cannot undo an early choice, so the best exchange of one function for
another follows as long as one lowers the loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bpstudy.selection.equations import LeastSquares
from bpstudy.selection.methods.base import Problem, Selector, method, subset
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
DEPENDENT = 1e-9  # of a column's own square: what is left of it beside the chosen ones is rounding


class ForwardSelector(Selector):
    """Forward selection with exchanges.

    Args:
        n_to_select: how many functions.
        ridge: λ, relative to the diagonal of AᵀA.
        exchanges: at most so many exchanges after the last step.
        costs: of each function; the drop of the logarithm of the loss per unit of cost then decides, without exchanges.

    Attributes after fit: `selected_idx_`, and `losses_`, the loss after each step (the last one after the exchanges).
    """

    def __init__(
        self, n_to_select: int, ridge: float = 1e-8, exchanges: int = 100, costs: Sequence[float] | None = None
    ) -> None:
        self.n_to_select, self.ridge, self.exchanges, self.costs = n_to_select, ridge, exchanges, costs

    def _select(self, equations: LeastSquares) -> list[int]:
        penalised = _penalised(equations, self.ridge)
        chosen, self.losses_ = forward(equations, penalised, self.n_to_select, self.costs)
        if self.costs is None:
            for _ in range(self.exchanges):
                better = exchange(equations, penalised, chosen, self.losses_[-1])
                if better is None:
                    break
                chosen, self.losses_[-1] = better
        return chosen


def ridge_loss(equations: LeastSquares, groups: Sequence[int], ridge: float = 1e-8) -> float:
    """L(S) of some groups of columns."""
    columns = equations.columns(groups)
    moment = equations.moment[columns]
    penalised = _penalised(equations, ridge)[np.ix_(columns, columns)]
    return equations.square - float(moment @ np.linalg.solve(penalised, moment))


def forward(
    equations: LeastSquares, penalised: Array, n: int, costs: Sequence[float] | None = None
) -> tuple[list[int], list[float]]:
    """`n` groups in the order of choice, and the loss after each."""
    width = equations.width
    rest, moment, loss = penalised.copy(), equations.moment.copy(), equations.square
    chosen: list[int] = []
    losses: list[float] = []
    for _ in range(n):
        drops = _drops(_diagonal_blocks(rest, width), moment, penalised)
        drops[chosen] = -np.inf
        merit = drops
        if costs is not None:
            merit = -np.log(np.maximum(1 - drops / max(loss, 1e-300), 1e-12)) / np.asarray(costs)
        best = int(merit.argmax())
        own = slice(best * width, (best + 1) * width)
        pull = np.linalg.lstsq(rest[own, own], rest[own], rcond=DEPENDENT)[0].T
        moment, rest = moment - pull @ moment[own], rest - pull @ rest[own]
        loss -= max(float(drops[best]), 0.0)
        chosen.append(best)
        losses.append(loss)
    return chosen, losses


def exchange(
    equations: LeastSquares, penalised: Array, chosen: Sequence[int], loss: float, least: float = 1e-4
) -> tuple[list[int], float] | None:
    """The best exchange of one group, if it lowers the loss by more than the fraction `least`."""
    width = equations.width
    found: tuple[float, list[int]] | None = None
    for k in range(len(chosen)):
        kept = [*chosen[:k], *chosen[k + 1 :]]
        columns = equations.columns(kept)
        if kept:
            factor = np.linalg.cholesky(penalised[np.ix_(columns, columns)])
            rows = np.linalg.solve(factor, penalised[columns])
            inner = np.linalg.solve(factor, equations.moment[columns])
        else:
            rows, inner = np.zeros((0, len(penalised))), np.zeros(0)
        moment = equations.moment - rows.T @ inner
        side = rows.reshape(len(rows), -1, width)
        blocks = _diagonal_blocks(penalised, width) - np.einsum("kgv,kgw->gvw", side, side)
        drops = _drops(blocks, moment, penalised)
        drops[kept] = -np.inf
        best = int(drops.argmax())
        total = equations.square - float(inner @ inner) - float(drops[best])
        if total < loss * (1 - least) and (found is None or total < found[0]):
            found = (total, [*kept, best])
    return None if found is None else (found[1], found[0])


def _penalised(equations: LeastSquares, ridge: float) -> Array:
    """AᵀA + λ diag(AᵀA); a column of zeros gets a unit diagonal, so that it costs nothing and brings nothing."""
    diagonal = np.diag(equations.gram)
    return np.asarray(equations.gram + np.diag(np.where(diagonal > 0, ridge * diagonal, 1.0)))


def _diagonal_blocks(matrix: Array, width: int) -> Array:
    """(n_groups, width, width)."""
    n = len(matrix) // width
    return matrix.reshape(n, width, n, width)[np.arange(n), :, np.arange(n)]


def _drops(blocks: Array, moment: Array, penalised: Array) -> Array:
    """rᵀ R⁻¹ r of each group with its block R, in the directions that do not depend on the chosen ones."""
    n, width, _ = blocks.shape
    unit = 1 / np.sqrt(np.diag(penalised)).reshape(n, width)
    scaled = blocks * unit[:, :, None] * unit[:, None]
    values, vectors = (scaled[:, :, 0], np.ones_like(scaled)) if width == 1 else np.linalg.eigh(scaled)
    new = values > DEPENDENT
    along = np.einsum("gwk,gw->gk", vectors, unit * moment.reshape(n, width))
    return np.asarray((along**2 * new / np.where(new, values, 1.0)).sum(axis=1))


@method("forward", supervised=True)
def choose_forward(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """Ours for linear models."""
    return subset(problem, ForwardSelector(n).fit_equations(problem.least_squares()).selected_idx_)


@method("forward-per-cost", supervised=True)
def choose_forward_per_cost(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """As `forward`, by the drop of the loss per µs an atom."""
    selector = ForwardSelector(n, costs=tuple(problem.costs_us))
    return subset(problem, selector.fit_equations(problem.least_squares()).selected_idx_)
