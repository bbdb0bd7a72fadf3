"""Levenberg-Marquardt (D. W. Marquardt, J. SIAM 11, 431 (1963), doi:10.1137/0111030) with geodesic acceleration
(M. K. Transtrum, B. B. Machta, J. P. Sethna, Phys. Rev. E 83, 036701 (2011), doi:10.1103/PhysRevE.83.036701).

The damped Gauss-Newton step of Σρ² + c|w|², c = n_frames · weight_decay, with damping μ and D = μ + c, is
v = η - (c/D) w where (JᵀJ + D) η = -Jᵀ(ρ - (c/D) J w). The residuals bend along it: with their second derivative ρ'' in
the direction v, a solves (JᵀJ + D) a = -Jᵀρ'', and the step is v + a/2; or v alone where a is not small beside it, so
that the second order says nothing. With fewer frames than weights the same comes from the dual equations,
-Jᵀ(J Jᵀ + D)⁻¹ in the place of -(JᵀJ + D)⁻¹Jᵀ, so the matrix to factorise is always the smaller one.
"""

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
DIFFERENCE = 0.1  # of the step, for its second derivative


def minimize(objective: Objective, weights: Array, monitor: Monitor, settings: TrainingSettings) -> str:
    """Minimise from `weights`; returns the reason of the stop."""
    damping = settings.damping
    while True:
        equations = NormalEquations(objective, weights)
        reason = monitor.record(equations.state)
        if reason:
            return reason
        while True:
            step = equations.step(damping)
            if step is not None:
                trial = weights + step
                value = objective.mean_square(trial) + objective.weight_decay * float(trial @ trial)
                if value < equations.value:
                    break
            damping *= RAISE
            if damping > DAMPING_RANGE[1]:
                return "no progress"
        weights = trial
        damping = max(damping * LOWER, DAMPING_RANGE[0])


class NormalEquations:
    """The normal equations at some weights, primal or dual whichever is smaller; damped steps of any damping."""

    def __init__(self, objective: Objective, weights: Array) -> None:
        self.objective, self.weights = objective, weights
        n_frames, n_weights = objective.n_frames, objective.n_weights
        self.decay = n_frames * objective.weight_decay
        self.dual = objective.n_rows < n_weights
        residuals, self.jacobian = zip(*objective.jacobian(weights), strict=True)  # of blocks of rows
        self.residuals = np.concatenate(residuals)
        if self.dual:
            self.jacobian = (np.concatenate(self.jacobian),)
            self.matrix = self.jacobian[0] @ self.jacobian[0].T
        else:
            self.matrix = np.zeros((n_weights, n_weights))
            for block in self.jacobian:
                self.matrix += block.T @ block
        self.along_weights = self._along(weights)
        self.mean_diagonal = float(np.trace(self.matrix)) / n_weights
        mean_square = float(self.residuals @ self.residuals) / n_frames
        self.value = mean_square + objective.weight_decay * float(weights @ weights)
        gradient = 2 / n_frames * (self._transposed(self.residuals) + self.decay * weights)
        unit = objective.unit_ev2
        self.state = State(weights, unit * mean_square, unit * self.value, unit * float(np.linalg.norm(gradient)))

    def step(self, damping: float) -> Array | None:
        """The change of the weights, or None where rounding leaves the matrix without a Cholesky factor."""
        shift = damping * self.mean_diagonal + self.decay
        shrink = self.decay / shift
        matrix = self.matrix + shift * np.eye(len(self.matrix))
        try:
            factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            return None

        def solve(rows: Array) -> Array:
            if self.dual:
                return -self._transposed(cho_solve(factor, rows, check_finite=False))
            return -cho_solve(factor, self._transposed(rows), check_finite=False)

        velocity = solve(self.residuals - shrink * self.along_weights) - shrink * self.weights
        there = self.objective.residuals(self.weights + DIFFERENCE * velocity)
        bend = 2 / DIFFERENCE * ((there - self.residuals) / DIFFERENCE - self._along(velocity))
        acceleration = solve(bend)
        small = 2 * np.linalg.norm(acceleration) <= LARGEST_ACCELERATION * np.linalg.norm(velocity)
        return velocity + acceleration / 2 if small else velocity

    def _along(self, direction: Array) -> Array:
        """J times a change of the weights."""
        return np.concatenate([block @ direction for block in self.jacobian])

    def _transposed(self, rows: Array) -> Array:
        """Jᵀ times rows."""
        ends = np.cumsum([len(block) for block in self.jacobian])[:-1]
        return sum(block.T @ part for block, part in zip(self.jacobian, np.split(rows, ends), strict=True))
