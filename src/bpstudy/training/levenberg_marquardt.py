"""Levenberg-Marquardt (D. W. Marquardt, J. SIAM 11, 431 (1963), doi:10.1137/0111030) with geodesic acceleration
(M. K. Transtrum, B. B. Machta, J. P. Sethna, Phys. Rev. E 83, 036701 (2011), doi:10.1103/PhysRevE.83.036701).

The damped Gauss-Newton step of Σρ² + Σ c w², c = n_frames · weight_decay, with damping μ and D = μ + c, is
v = η - (c/D) w where (JᵀJ + D) η = -Jᵀ(ρ - J (c/D) w). The residuals bend along it: with their second derivative ρ'' in
the direction v, a solves (JᵀJ + D) a = -Jᵀρ'', and the step is v + a/2; or v alone where a is not small beside it, so
that the second order says nothing.

With more rows than weights the matrix is JᵀJ. Where J is large it is not kept: JᵀJ is gathered from blocks of rows, and
Jᵀ times a vector is a backward pass. With fewer rows, and one c for all weights, the same step comes from the dual
equations, -Jᵀ(J Jᵀ + D)⁻¹ in the place of -(JᵀJ + D)⁻¹Jᵀ, so the matrix to factorise is the smaller one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from bpstudy.training.objective import Objective
from bpstudy.training.result import Monitor, State
from bpstudy.training.settings import TrainingSettings

Array = NDArray[np.float64]

LOWER, RAISE = 1 / 5, 4.0
DAMPING_RANGE = (1e-14, 1e8)
LARGEST_ACCELERATION = 0.75  # of 2|a|/|v|
LARGEST_JACOBIAN = 16_000_000  # numbers, 128 MB; beyond them only JᵀJ is kept
DIFFERENCE = 0.1  # of the step, for its second derivative


def minimize(objective: Objective, weights: Array, monitor: Monitor, settings: TrainingSettings) -> str:
    """Minimise from `weights`; returns the reason of the stop."""
    damping = settings.damping
    while True:
        equations = normal_equations(objective, weights)
        reason = monitor.record(equations.state)
        if reason:
            return reason
        while True:
            step = equations.step(damping)
            if step is not None:
                trial = weights + step
                if objective.mean_square(trial) + objective.penalty(trial) < equations.value:
                    break
            damping *= RAISE
            if damping > DAMPING_RANGE[1]:
                return "no progress"
        weights = trial
        damping = max(damping * LOWER, DAMPING_RANGE[0])


def normal_equations(objective: Objective, weights: Array) -> NormalEquations:
    """Those of the smaller matrix."""
    uniform = bool((objective.weight_decay == objective.weight_decay[0]).all())
    return (DualEquations if uniform and objective.n_rows < objective.n_weights else PrimalEquations)(
        objective, weights
    )


class NormalEquations(ABC):
    """The normal equations at some weights; damped steps of any damping."""

    matrix: Array  # JᵀJ or J Jᵀ
    residuals: Array

    def __init__(self, objective: Objective, weights: Array) -> None:
        self.objective, self.weights = objective, weights
        n_frames = objective.n_frames
        self.decay = n_frames * objective.weight_decay
        self._gather()
        self.mean_diagonal = float(np.trace(self.matrix)) / objective.n_weights
        mean_square = float(self.residuals @ self.residuals) / n_frames
        self.value = mean_square + objective.penalty(weights)
        gradient = 2 / n_frames * (self._transposed(self.residuals) + self.decay * weights)
        unit = objective.unit_ev2
        self.state = State(weights, unit * mean_square, unit * self.value, unit * float(np.linalg.norm(gradient)))

    def step(self, damping: float) -> Array | None:
        """The change of the weights, or None where rounding leaves the matrix without a Cholesky factor."""
        shift = damping * self.mean_diagonal + self.decay
        shrink = self.decay / shift * self.weights
        self.objective.operations += len(self.matrix) ** 3 / 3
        try:
            solve = self._factorise(shift)
        except LinAlgError:
            return None
        velocity = solve(self.residuals, shrink) - shrink
        there = self.objective.residuals(self.weights + DIFFERENCE * velocity)
        acceleration = 2 / DIFFERENCE * solve((there - self.residuals) / DIFFERENCE, velocity)
        small = 2 * np.linalg.norm(acceleration) <= LARGEST_ACCELERATION * np.linalg.norm(velocity)
        return velocity + acceleration / 2 if small else velocity

    @abstractmethod
    def _gather(self) -> None:
        """Residuals, matrix and what else comes of the Jacobian."""

    def _jacobian(self) -> tuple[Array, Array]:
        """Residuals and Jacobian, all rows."""
        residuals, blocks = zip(*self.objective.jacobian(self.weights), strict=True)
        return np.concatenate(residuals), np.concatenate(blocks)

    @abstractmethod
    def _transposed(self, rows: Array) -> Array:
        """Jᵀ times rows."""

    @abstractmethod
    def _factorise(self, shift: Array) -> Callable[[Array, Array], Array]:
        """(rows, along) ↦ -(JᵀJ + D)⁻¹ Jᵀ(rows - J along)."""


class PrimalEquations(NormalEquations):
    """(JᵀJ + D) x = -Jᵀ rows."""

    def _gather(self) -> None:
        self.objective.operations += self.objective.n_rows * self.objective.n_weights**2
        if self.objective.n_rows * self.objective.n_weights <= LARGEST_JACOBIAN:
            self.residuals, jacobian = self._jacobian()
            self._pull = lambda rows: jacobian.T @ rows
            self.matrix = jacobian.T @ jacobian  # NumPy calls BLAS' symmetric rank-k update
            return
        self.residuals, self._pull = self.objective.linearise(self.weights)
        self.matrix = np.zeros((self.objective.n_weights,) * 2)
        for _, block in self.objective.jacobian(self.weights):
            self.matrix += block.T @ block

    def _transposed(self, rows: Array) -> Array:
        return self._pull(rows)

    def _factorise(self, shift: Array) -> Callable[[Array, Array], Array]:
        matrix = self.matrix.copy()
        matrix[np.diag_indices_from(matrix)] += shift
        factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        return lambda rows, along: cho_solve(factor, self.matrix @ along - self._transposed(rows), check_finite=False)


class DualEquations(NormalEquations):
    """x = -Jᵀ y, (J Jᵀ + D) y = rows."""

    def _gather(self) -> None:
        self.objective.operations += self.objective.n_rows**2 * self.objective.n_weights
        self.residuals, self.jacobian = self._jacobian()
        self.matrix = self.jacobian @ self.jacobian.T

    def _transposed(self, rows: Array) -> Array:
        return self.jacobian.T @ rows

    def _factorise(self, shift: Array) -> Callable[[Array, Array], Array]:
        matrix = self.matrix.copy()
        matrix[np.diag_indices_from(matrix)] += shift[0]
        factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        return lambda rows, along: (
            -self._transposed(cho_solve(factor, rows - self.jacobian @ along, check_finite=False))
        )
