"""Adam (D. P. Kingma, J. Ba, arXiv:1412.6980) on the full batch.

As `keras.optimizers.Adam` does it, on the flat vector of weights: at the size of our networks a call of the latter
takes longer than the arithmetic.
"""

import math

import numpy as np
from numpy.typing import NDArray

from bpstudy.training.objective import Objective
from bpstudy.training.result import Monitor, State
from bpstudy.training.settings import TrainingSettings

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


def minimize(objective: Objective, weights: NDArray[np.float64], monitor: Monitor, settings: TrainingSettings) -> str:
    """Minimise from `weights`; returns the reason of the stop. The step size falls as a half cosine to zero."""
    if settings.learning_rate is None:
        raise ValueError("learning_rate: adam needs one")
    unit = objective.unit_ev2
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    iteration = 0
    while True:
        mean_square, value, gradient = objective.value_and_gradient(weights)
        reason = monitor.record(
            State(weights, unit * mean_square, unit * value, unit * float(np.linalg.norm(gradient)))
        )
        if reason:
            return reason
        rate = settings.learning_rate * (1 + math.cos(math.pi * iteration / settings.max_iterations)) / 2
        iteration += 1
        mean += (1 - BETA_1) * (gradient - mean)
        square += (1 - BETA_2) * (gradient**2 - square)
        step = rate * math.sqrt(1 - BETA_2**iteration) / (1 - BETA_1**iteration)
        weights = weights - step * mean / (np.sqrt(square) + EPSILON)
