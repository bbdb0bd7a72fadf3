"""Activations with their first and second derivatives; each acts on every number alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bpstudy.symmetry.compiled import compiled

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Activation:
    """f(z), and from z and a = f(z) the derivatives f'(z) and f''(z)."""

    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]


def tanh(z: Array) -> Array:
    """tanh of any array, to within 4e-16 and relatively too.

    -tanh(|z|) = (e^y - 1) / (e^y + 1) with y = -2 |z| = k ln 2 + r, |r| ≤ ln 2 / 2, and e^r by its Taylor series.
    """
    out = np.empty(z.shape)
    _tanh(np.ascontiguousarray(z).ravel(), out.ravel())
    return out


_LOG2_E, _LN2_HIGH, _LN2_LOW = 1 / math.log(2), 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROUND = 1.5 * 2.0**52  # added to a number, leaves the nearest integer in the low bits
_LARGEST = 20.0  # from where on tanh is 1
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12, _C13 = (1 / math.factorial(n) for n in range(2, 14))


def _tanh_of(z, out):
    """Without a branch, so that it is done on several numbers at a time, which NumPy's tanh does not on every CPU."""
    for i in range(z.size):
        size = math.fabs(z[i])
        y = -2 * (_LARGEST if size > _LARGEST else size)
        rounded = np.float64(y * _LOG2_E + _ROUND)
        k = rounded - _ROUND
        r = (y - k * _LN2_HIGH) - k * _LN2_LOW
        tail = _C8 + r * (_C9 + r * (_C10 + r * (_C11 + r * (_C12 + r * _C13))))
        series = r + r * r * (_C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * (_C6 + r * (_C7 + r * tail))))))  # e^r - 1
        bits = np.int64((rounded.view(np.int64) + 1023) << 52)
        power = bits.view(np.float64)  # 2^k
        less = power * series + (power - 1)  # e^y - 1
        t = -less / (less + 2)
        out[i] = t if z[i] > 0 else -t


_tanh = compiled(_tanh_of, fastmath=frozenset({"contract", "nsz", "arcp"}))  # no other order of sums: k would be lost


def _sigmoid(z: Array) -> Array:
    return 0.5 * (1 + tanh(0.5 * z))


ACTIVATIONS = {
    "tanh": Activation(tanh, lambda z, a: 1 - a * a, lambda z, a: -2 * a * (1 - a * a)),
    "sigmoid": Activation(_sigmoid, lambda z, a: a * (1 - a), lambda z, a: a * (1 - a) * (1 - 2 * a)),
    "softplus": Activation(
        lambda z: np.logaddexp(0, z), lambda z, a: _sigmoid(z), lambda z, a: _sigmoid(z) * _sigmoid(-z)
    ),
    "linear": Activation(lambda z: z, lambda z, a: np.ones_like(z), lambda z, a: np.zeros_like(z)),
}
