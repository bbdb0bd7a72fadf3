"""Polynomials in one variable, fitted once and evaluated for many numbers in SIMD loops.

Powers of ((1 + λx)/2) with integer exponents are polynomials in x = cos θ, those with large exponents nearly so, and
the far side of a G4 triangle, exp(−ηs) fc(√s), is an entire function of s = rⱼₖ². One polynomial over the whole
interval needs no look-up, unlike a table, so that its loops become SIMD code.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import comb

import numpy as np
from numpy.polynomial import chebyshev

from bpstudy.symmetry.compiled import compiled

_UNROLLED = 4  # steps of Horner's scheme in one pass: degrees are multiples of it
_MOST_ANGULAR, _MOST_FAR = 32, 48  # degrees beyond which tables are faster
_LOG2_E, _ROUND = 1.4426950408889634, 6755399441055744.0
_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
_NEGLIGIBLE = 45.0  # exp(−45) = 3e-20


def _fit(function: Callable[[np.ndarray], np.ndarray], degree: int) -> tuple[np.ndarray, float]:
    """The polynomial in −1 ≤ u ≤ 1 that meets `function` in Chebyshev's nodes, and its largest error as evaluated."""
    nodes, found = chebyshev.chebpts1(degree + 1), np.zeros(degree + 1)
    series = chebyshev.chebvander(nodes, degree).T @ function(nodes) * 2 / (degree + 1)
    series[0] /= 2
    converted = chebyshev.cheb2poly(series)
    found[: len(converted)] = converted
    return found, _error(found, function)


def _error(coefficients: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> float:
    probe = np.cos(np.linspace(0, np.pi, 8 * len(coefficients)))
    return float(np.abs(np.polynomial.polynomial.polyval(probe, coefficients) - function(probe)).max())


@lru_cache(maxsize=4096)
def power(zeta: float, degree: int) -> tuple[np.ndarray, float]:
    """Coefficients of ((1 + x)/2)^ζ in powers of x up to `degree`, and the largest error."""
    if zeta == int(zeta) <= degree:
        exact = np.array([comb(int(zeta), p) / 2.0**zeta for p in range(degree + 1)])
        return exact, 0.0
    return _fit(lambda x: ((1 + x) / 2) ** zeta, degree)


def powers(zetas: Sequence[float], lams: Sequence[int], tolerance: float) -> np.ndarray | None:
    """Coefficients (n_functions, degree + 1) of ((1 + λx)/2)^ζ; None where no moderate degree meets the tolerance."""
    for degree in range(_UNROLLED, _MOST_ANGULAR + 1, _UNROLLED):
        fits = [power(zeta, degree) for zeta in zetas]
        if all(error <= tolerance for _, error in fits):
            signs = np.array(lams, float)[:, None] ** np.arange(degree + 1)
            return np.array([coefficients for coefficients, _ in fits]) * signs
    return None


@lru_cache(maxsize=256)
def far_side(eta: float, cutoff: float, tolerance: float) -> tuple[np.ndarray, float] | None:
    """exp(−ηs) fc(√s) in powers of u = 2s/reach − 1, and the reach (Å²) beyond which it is 0; None as in `powers`."""
    reach = min(cutoff**2, _NEGLIGIBLE / eta) if eta > 0 else cutoff**2

    def function(u: np.ndarray) -> np.ndarray:
        s = reach * (np.clip(u, -1, 1) + 1) / 2
        return np.exp(-eta * s) * 0.5 * (np.cos(np.pi * np.sqrt(s) / cutoff) + 1)

    for degree in range(_UNROLLED, _MOST_FAR + 1, _UNROLLED):
        coefficients, error = _fit(function, degree)
        if error <= tolerance:
            return coefficients, reach
    return None


def cosine_cutoff() -> np.ndarray:
    """fc in powers of 2(r/Rc)² − 1, to rounding."""
    return _fit(lambda u: 0.5 * (np.cos(np.pi * np.sqrt((1 + u) / 2)) + 1), 12)[0]


@compiled
def evaluate(coefficients, u, n, value):
    """value[:n] = Σₚ coefficients[p] uᵖ; the degree is a multiple of 4."""
    degree = len(coefficients) - 1
    top = coefficients[degree]
    for q in range(n):
        value[q] = top
    for p in range(degree - 4, -1, -4):
        c0, c1, c2, c3 = coefficients[p], coefficients[p + 1], coefficients[p + 2], coefficients[p + 3]
        for q in range(n):
            t = u[q]
            value[q] = c0 + t * (c1 + t * (c2 + t * (c3 + t * value[q])))


@compiled
def evaluate_slope(coefficients, u, n, value, slope):
    """As `evaluate`, with the derivative by u."""
    degree = len(coefficients) - 1
    top = coefficients[degree]
    for q in range(n):
        value[q] = top
    for q in range(n):
        slope[q] = 0.0
    for p in range(degree - 4, -1, -4):
        c0, c1, c2, c3 = coefficients[p], coefficients[p + 1], coefficients[p + 2], coefficients[p + 3]
        for q in range(n):
            t, v, d = u[q], value[q], slope[q]
            d = d * t + v
            v = v * t + c3
            d = d * t + v
            v = v * t + c2
            d = d * t + v
            v = v * t + c1
            slope[q] = d * t + v
            value[q] = v * t + c0


def _exponentials(y, n, t, value):
    """value[:n] = exp(y[:n]) for y ≤ 0, below −700 as there; to rounding. `t`: work space.

    exp(y) = 2ᵏ exp(y − k ln 2): adding 1.5·2⁵² rounds to the whole number k and leaves it in the last bits, from where
    it is shifted to those of the exponent.
    """
    bits = t.view(np.int64)
    for b in range(n):
        t[b] = max(y[b], -700.0) * _LOG2_E + _ROUND
    for b in range(n):
        k = t[b] - _ROUND
        x = (max(y[b], -700.0) - k * _LN2_HIGH) - k * _LN2_LOW
        low = 1.0 + x * (1.0 + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720))))))
        high = 1 / 5040 + x * (1 / 40320 + x * (1 / 362880 + x * (1 / 3628800 + x * (1 / 39916800))))
        x2 = x * x
        value[b] = low + x2 * x2 * x2 * x * (high + x2 * x2 * x * (1 / 479001600 + x * (1 / 6227020800)))
    for b in range(n):
        bits[b] = (bits[b] + 1023) << 52
    for b in range(n):
        value[b] *= t[b]


exponentials = compiled(_exponentials, frozenset({"contract", "nnan"}))  # sums must not be reordered here
