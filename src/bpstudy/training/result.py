"""The record of a fit and the rules that end it, common to all optimizers."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpstudy.training.settings import TrainingSettings

STOP_REASONS = ("target", "gradient", "validation", "no progress", "maximum of iterations")
DIVERGED_FACTOR = 1e4


class TrainingDivergedError(ArithmeticError):
    """The error grew beyond all bounds or became NaN."""


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """History and end of a fit.

    `history` has a row an iteration, 0 being the start: iteration, mse_ev2 (training frames, (eV/cell)²), gradient_norm
    (of the objective, eV²), seconds (since the start of the fit), operations (floating-point, counted by `Objective`:
    the same on every machine) and, given validation frames, validation_mse_ev2.
    `stop_reason` is one of STOP_REASONS. The network keeps the weights of `best_iteration`: least validation MSE, or
    without validation frames least objective.
    """

    history: pd.DataFrame
    stop_reason: str
    best_iteration: int

    @property
    def mse_ev2(self) -> float:
        """Training MSE of the weights kept, (eV/cell)²."""
        return float(self.history["mse_ev2"].iloc[self.best_iteration])


@dataclass(frozen=True, eq=False)
class State:
    """An optimizer's iterate: weights, training MSE, objective (both eV²) and the norm of its gradient."""

    weights: NDArray[np.float64]
    mse_ev2: float
    objective_ev2: float
    gradient_norm: float


class Monitor:
    """Collects the history, keeps the best weights and decides when to stop."""

    def __init__(
        self,
        settings: TrainingSettings,
        validation_mse: Callable[[NDArray[np.float64]], float] | None,
        operations: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.validation_mse = validation_mse
        self.operations = operations
        self.best_weights: NDArray[np.float64] = np.empty(0)
        self.best_iteration = -1
        self._rows: list[dict[str, float]] = []
        self._objectives: list[float] = []
        self._best = math.inf
        self._started = time.perf_counter()

    def record(self, state: State) -> str | None:
        """Add an iteration; returns the reason to stop, if there is one.

        Raises:
            TrainingDivergedError: the objective is not finite, or 10⁴ times that of the start.
        """
        iteration = len(self._rows)
        row = {"iteration": iteration, "mse_ev2": state.mse_ev2, "gradient_norm": state.gradient_norm}
        row["seconds"] = time.perf_counter() - self._started
        row["operations"] = self.operations()
        merit = state.objective_ev2
        if self.validation_mse is not None:
            merit = row["validation_mse_ev2"] = self.validation_mse(state.weights)
        self._rows.append(row)
        self._objectives.append(state.objective_ev2)
        if not math.isfinite(state.objective_ev2) or state.objective_ev2 > DIVERGED_FACTOR * self._objectives[0]:
            raise TrainingDivergedError(
                f"the fit diverged at iteration {iteration}: objective {state.objective_ev2:.3g} eV², "
                f"{self._objectives[0]:.3g} at the start; use a smaller learning_rate or another optimizer"
            )
        if merit < self._best:
            self._best, self.best_iteration, self.best_weights = merit, iteration, state.weights.copy()
        return self._stop(iteration, state)

    def _stop(self, iteration: int, state: State) -> str | None:
        settings = self.settings
        if state.mse_ev2 <= settings.target_mse_ev2:
            return "target"
        if state.gradient_norm <= settings.gradient_tolerance_ev2:
            return "gradient"
        if self.validation_mse is not None and iteration - self.best_iteration >= settings.patience:
            return "validation"
        if iteration >= settings.patience:
            before, recent = self._objectives[: -settings.patience], self._objectives[-settings.patience :]
            if min(recent) > (1 - settings.min_progress) * min(before):
                return "no progress"
        return "maximum of iterations" if iteration >= settings.max_iterations else None

    def result(self, stop_reason: str) -> TrainingResult:
        """The finished record."""
        return TrainingResult(pd.DataFrame(self._rows).astype({"iteration": int}), stop_reason, self.best_iteration)
