"""Activations with their first and second derivatives; each acts on every number alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Activation:
    """f(z), and from z and a = f(z) the derivatives f'(z) and f''(z)."""

    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]


def _sigmoid(z: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * z))


ACTIVATIONS = {
    "tanh": Activation(np.tanh, lambda z, a: 1 - a * a, lambda z, a: -2 * a * (1 - a * a)),
    "sigmoid": Activation(_sigmoid, lambda z, a: a * (1 - a), lambda z, a: a * (1 - a) * (1 - 2 * a)),
    "softplus": Activation(
        lambda z: np.logaddexp(0, z), lambda z, a: _sigmoid(z), lambda z, a: _sigmoid(z) * _sigmoid(-z)
    ),
    "linear": Activation(lambda z: z, lambda z, a: np.ones_like(z), lambda z, a: np.zeros_like(z)),
}
