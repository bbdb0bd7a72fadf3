"""Settings of a fit."""

from dataclasses import dataclass

OPTIMIZERS = ("levenberg-marquardt", "lbfgs", "adam")


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is fitted, and when it stops.

    An iteration is one accepted Levenberg-Marquardt or L-BFGS step, or one full-batch Adam step. The fit stops when
    the training MSE is at most `target_mse_ev2` ((eV/cell)²), when the norm of the objective's gradient is at most
    `gradient_tolerance_ev2`, after `max_iterations`, when the objective fell by less than the fraction `min_progress`
    within `patience` iterations, or, given validation frames, when their MSE made no new minimum for `patience`.

    `weight_decay` is dimensionless: the objective is MSE + weight_decay · var(E) · |w|², over all weights and biases,
    with var(E) the variance of the training energies. `learning_rate` is Adam's, at its start: it falls to zero as a
    half cosine over `max_iterations`. `damping` is the first one of Levenberg-Marquardt, relative to the mean diagonal
    of JᵀJ.

    Raises ValueError for values out of range.
    """

    name: str = "levenberg-marquardt"
    max_iterations: int = 200
    target_mse_ev2: float = 0.0
    gradient_tolerance_ev2: float = 0.0
    patience: int = 50
    min_progress: float = 1e-3
    weight_decay: float = 0.0
    learning_rate: float | None = None
    damping: float = 0.1

    def __post_init__(self) -> None:
        if self.name not in OPTIMIZERS:
            raise ValueError(f"name: {self.name!r}; allowed are {', '.join(OPTIMIZERS)}")
        for key in ("max_iterations", "patience"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key}: {getattr(self, key)}; at least 1 is needed")
        for key in ("target_mse_ev2", "gradient_tolerance_ev2", "min_progress", "weight_decay"):
            if not getattr(self, key) >= 0:
                raise ValueError(f"{key}: {getattr(self, key)}; it must not be negative")
        if not self.damping > 0:
            raise ValueError(f"damping: {self.damping}; it must be positive")
        if (self.learning_rate is not None) != (self.name == "adam"):
            raise ValueError(
                f"learning_rate: {self.learning_rate} with {self.name}; give it for adam, and only for adam"
            )
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise ValueError(f"learning_rate: {self.learning_rate}; it must be positive")
