"""Levenberg-Marquardt (D. W. Marquardt, J. SIAM 11, 431 (1963), doi:10.1137/0111030) on the cell energies.

The damped Gauss-Newton step of Σρ² + c|w|², c = n_frames · weight_decay, with damping μ and D = μ + c, is η - (c/D) w
where (JᵀJ + D) η = -Jᵀ(ρ - (c/D) J w). With fewer frames than weights the same η comes from the dual equations,
η = -Jᵀ (J Jᵀ + D)⁻¹ (ρ - (c/D) J w), so the matrix to factorise is always the smaller one.
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
        n_frames, n_rows, n_weights = objective.n_frames, objective.n_rows, objective.n_weights
        self.weights = weights
        self.decay = n_frames * objective.weight_decay
        self.dual = n_rows < n_weights
        self.jacobian = np.empty((n_rows, n_weights) if self.dual else (0, n_weights))
        self.matrix = np.zeros((n_weights, n_weights)) if not self.dual else np.empty(0)
        self.residuals = np.empty(n_rows)
        self.jt_residuals = np.zeros(n_weights)
        start = 0
        for residuals, jacobian in objective.jacobian(weights):
            block = slice(start, start := start + len(residuals))
            self.residuals[block] = residuals
            self.jt_residuals += jacobian.T @ residuals
            if self.dual:
                self.jacobian[block] = jacobian
            else:
                self.matrix += jacobian.T @ jacobian
        if self.dual:
            self.matrix = self.jacobian @ self.jacobian.T
            self.j_weights = self.jacobian @ weights
        self.mean_diagonal = float(np.trace(self.matrix)) / n_weights
        mean_square = float(self.residuals @ self.residuals) / n_frames
        self.value = mean_square + objective.weight_decay * float(weights @ weights)
        gradient = 2 / n_frames * (self.jt_residuals + self.decay * weights)
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
        if self.dual:
            right = self.residuals - shrink * self.j_weights
            step = -self.jacobian.T @ cho_solve(factor, right, check_finite=False)
        else:
            right = self.jt_residuals - shrink * (self.matrix @ self.weights)
            step = -cho_solve(factor, right, check_finite=False)
        return step - shrink * self.weights
