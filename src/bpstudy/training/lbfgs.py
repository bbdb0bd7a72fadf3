"""L-BFGS-B (D. C. Liu, J. Nocedal, Math. Program. 45, 503 (1989), doi:10.1007/BF01589116) as SciPy has it."""

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from bpstudy.training.objective import Objective
from bpstudy.training.result import Monitor, State
from bpstudy.training.settings import TrainingSettings

CORRECTIONS = 20


def minimize(objective: Objective, weights: NDArray[np.float64], monitor: Monitor, settings: TrainingSettings) -> str:
    """Minimise from `weights`; returns the reason of the stop."""
    unit = objective.unit_ev2
    reason: str | None = None
    last_weights = np.empty(0)
    last_state: State

    def evaluate(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal last_weights, last_state
        mean_square, value, gradient = objective.value_and_gradient(theta)
        last_weights = theta.copy()
        last_state = State(last_weights, unit * mean_square, unit * value, unit * float(np.linalg.norm(gradient)))
        return value, gradient

    def callback(intermediate_result: scipy.optimize.OptimizeResult) -> None:
        nonlocal reason
        if not np.array_equal(intermediate_result.x, last_weights):
            evaluate(intermediate_result.x)
        reason = monitor.record(last_state)
        if reason:
            raise StopIteration

    evaluate(weights)
    reason = monitor.record(last_state)
    if reason:
        return reason
    scipy.optimize.minimize(
        evaluate,
        weights,
        jac=True,
        method="L-BFGS-B",
        callback=callback,
        # The common rules end the fit, not SciPy's. What is left to it: no lower point along the line of search.
        options={"maxiter": settings.max_iterations + 1, "maxfun": 10**9, "maxcor": CORRECTIONS, "ftol": 0, "gtol": 0},
    )
    return reason or "no progress"
