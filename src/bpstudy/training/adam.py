"""Adam (D. P. Kingma, J. Ba, arXiv:1412.6980) on the full batch, as Keras has it."""

import keras
import numpy as np
from numpy.typing import NDArray

from bpstudy.training.objective import Objective
from bpstudy.training.result import Monitor, State
from bpstudy.training.settings import TrainingSettings


def minimize(objective: Objective, weights: NDArray[np.float64], monitor: Monitor, settings: TrainingSettings) -> str:
    """Minimise from `weights`; returns the reason of the stop. The step size falls as a half cosine to zero."""
    schedule = keras.optimizers.schedules.CosineDecay(settings.learning_rate, settings.max_iterations)
    optimizer = keras.optimizers.Adam(schedule)
    variable = keras.Variable(weights, dtype="float64", name="weights")
    while True:
        theta = keras.ops.convert_to_numpy(variable)
        mean_square, value, gradient = objective.value_and_gradient(theta)
        unit = objective.unit_ev2
        reason = monitor.record(State(theta, unit * mean_square, unit * value, unit * float(np.linalg.norm(gradient))))
        if reason:
            return reason
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
