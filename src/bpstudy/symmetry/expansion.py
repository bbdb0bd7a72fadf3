"""How the angular factor is expanded: a Legendre series for all pairs, and tables for the pairs where the series is not
enough.

The factor is k(x) = ((1 + λx)/2)^ζ with x = cos θ, so k ≤ 1. For integer ζ it is a polynomial and the series is exact.
Otherwise k has a branch point at x = −λ and its Legendre series converges slowly (as l^(−2ζ−1)); but a polynomial p of
modest degree meets it to 1e-12 everywhere except in a small cap around the branch point. There the remainder k − p is
tabulated, and only the few pairs of neighbours whose directions fall into the cap are summed one by one. A cap of the
whole sphere is the direct sum.

Tables use v = √(1 − |x|), which makes v^(2ζ) of the branch point, on both sides (x ≥ 0 and x < 0): piecewise quintics
in equal cells of v. Since a pair sum then needs only the moments Σ w tᵖ in each cell, its cost does not depend on the
number of functions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import legendre

ORDER = 6  # coefficients of a quintic
_CAPS = 64  # caps are whole multiples of v = 1/64
_NODES = -0.5 * np.cos(np.pi * (np.arange(ORDER) + 0.5) / ORDER)  # in a cell, -½ ≤ t ≤ ½
_PROBE = np.linspace(-0.5, 0.5, 12)


def _quintics(values: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (cells, 6) in powers of t that meet `values` (of t, for all cells), and the error in each cell."""
    coefficients = np.linalg.solve(np.vander(_NODES, ORDER, increasing=True), values(_NODES).T).T
    error = coefficients @ np.vander(_PROBE, ORDER, increasing=True).T - values(_PROBE)
    return coefficients, np.abs(error).max(axis=1)


@lru_cache(maxsize=4096)
def legendre_series(zeta: float, degree: int, cap: int) -> tuple[np.ndarray, float]:
    """Legendre coefficients of a polynomial that meets k (λ = +1) outside the cap v < cap/64, and its largest error."""
    low = -1 + (cap / _CAPS) ** 2
    if cap == _CAPS:  # nothing is left to approximate
        return np.zeros(degree + 1), 0.0

    def k(x: np.ndarray) -> np.ndarray:
        return ((1 + np.clip(x, -1, 1)) / 2) ** zeta

    middle, half = (1 + low) / 2, (1 - low) / 2
    nodes = middle + half * np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    coefficients = np.linalg.solve(legendre.legvander(nodes, degree), k(nodes))
    probe = middle + half * np.cos(np.linspace(0, np.pi, 4 * (degree + 2)))
    return coefficients, float(np.abs(legendre.legval(probe, coefficients) - k(probe)).max())


@lru_cache(maxsize=4096)
def smallest_cap(zeta: float, degree: int, tolerance: float) -> int:
    """The smallest cap (in 1/64 of v) outside which a polynomial of `degree` meets k to `tolerance`."""
    low, high = 0, _CAPS
    while low < high:
        middle = (low + high) // 2
        if legendre_series(zeta, degree, middle)[1] <= tolerance:
            high = middle
        else:
            low = middle + 1
    return low


@dataclass(frozen=True)
class Table:
    """Piecewise quintics of several remainders; `coefficients` (2 sides, cells, 6, n_functions), the sides being x ≥ 0
    and x < 0.

    Only cells below `reach` matter (of `cells` in 0 ≤ v ≤ 1). In the first `direct` cells the branch point of a
    function of the given `zeta` > 0 on `side` is left out of the table: it is to be added as ((1 − |x|)/2)^ζ pair by
    pair.
    """

    coefficients: np.ndarray
    cells: int
    reach: int
    direct: int
    zeta: np.ndarray  # 0 where nothing is to be added
    side: np.ndarray


def _remainder(x: np.ndarray, zeta: float, lam: int, series: np.ndarray, with_branch: bool) -> np.ndarray:
    power = ((1 + lam * x) / 2) ** zeta if with_branch else 0.0
    return power - legendre.legval(lam * x, series)


def _fit(
    cells: int, reach: int, side: int, zeta: float, lam: int, series: np.ndarray, with_branch: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Quintics (reach, 6) of one function on one side and the largest error in each cell."""
    sign = 1 if side == 0 else -1
    first = np.arange(reach)[:, None] + 0.5

    def values(t: np.ndarray) -> np.ndarray:
        return _remainder(sign * (1 - ((first + t) / cells) ** 2), zeta, lam, series, with_branch)

    return _quintics(values)


def table(zetas: Sequence[float], lams: Sequence[int], series: np.ndarray, cap: int, tolerance: float) -> Table:
    """Tables of k − p up to v = cap/64 to `tolerance`; `series` (n_functions, degree + 1) are those of λ = +1."""
    for cells in (64, 128, 256, 512, 1024, 2048):
        reach = cap * cells // _CAPS
        fits = [
            [_fit(cells, reach, s, z, lam, c, True) for z, lam, c in zip(zetas, lams, series, strict=True)]
            for s in (0, 1)
        ]
        side = [1 if lam == 1 else 0 for lam in lams]
        bad = [[np.flatnonzero(error > tolerance) for _, error in row] for row in fits]
        branch = [bad[near][i] for i, near in enumerate(side)]
        smooth = [bad[1 - near][i] for i, near in enumerate(side)]
        direct = max((int(b[-1]) + 1 for b in branch if b.size), default=0)
        if not any(b.size for b in smooth) and direct <= cells // 16:
            break
    else:
        raise ValueError(f"zeta = {sorted(set(zetas))} cannot be tabulated to {tolerance:g}; raise the tolerance")
    out = np.empty((2, reach, ORDER, len(zetas)))
    for s in (0, 1):
        for i, (coefficients, _) in enumerate(fits[s]):
            out[s, :, :, i] = coefficients
    added = np.array([z if b.size else 0.0 for z, b in zip(zetas, branch, strict=True)])
    for i in (j for j, zeta in enumerate(added) if zeta > 0):
        out[side[i], :direct, :, i] = _fit(cells, direct, side[i], zetas[i], lams[i], series[i], False)[0]
    return Table(out, cells, reach, direct, added, np.array(side))


@dataclass(frozen=True)
class FarSide:
    """Piecewise quintics (cells, 6) of exp(−ηs) fc(√s) in s = r² (equal cells up to `reach`, Å²); beyond it is 0."""

    coefficients: np.ndarray
    reach: float


NO_FAR_SIDE = FarSide(np.zeros((0, ORDER)), 0.0)


@lru_cache(maxsize=256)
def far_side(eta: float, cutoff: float, tolerance: float) -> FarSide:
    """The far side of a G4 triangle.

    In s = r² it is smooth everywhere, so the loop over pairs has no root, exponential or cosine.
    """
    reach = min(cutoff**2, 45 / eta) if eta > 0 else cutoff**2  # exp(−45) = 3e-20
    cells = 32
    while True:
        cells *= 2

        def values(t: np.ndarray, cells: int = cells) -> np.ndarray:
            s = (np.arange(cells)[:, None] + 0.5 + t) / cells * reach
            return np.exp(-eta * s) * 0.5 * (np.cos(np.pi * np.sqrt(s) / cutoff) + 1)

        coefficients, error = _quintics(values)
        if error.max() <= tolerance or cells == 2**12:
            return FarSide(coefficients, reach)
