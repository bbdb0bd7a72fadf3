"""G4 where the angular factor and the far side are polynomials: sums over closed triangles in SIMD loops.

With p = Rⱼ·Rₖ a triangle is a function of (rⱼ, rₖ, p), where x = p/(rⱼrₖ) and s = rⱼₖ² = rⱼ² + rₖ² − 2p, so that its
derivative by Rⱼ is (∂/∂rⱼ) r̂ⱼ + (∂/∂p) Rₖ. The triangles of a centre are gathered in blocks of some hundred: the
polynomials are evaluated for a whole block at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bpstudy.symmetry.compiled import compiled
from bpstudy.symmetry.polynomials import evaluate, evaluate_slope, far_side, powers

_BLOCK, _PIECE = 512, 128  # triangles of a block, and neighbours that are tried at a time


@dataclass(frozen=True)
class Triangles:
    """The polynomials of G4 functions of one η, cutoff and pair of elements."""

    angular: np.ndarray  # (n_functions, degree + 1), powers of x
    far: np.ndarray  # powers of 2s/reach − 1
    reach: float  # Å²

    @classmethod
    def of(
        cls, eta: float, cutoff: float, zetas: Sequence[float], lams: Sequence[int], tolerance: float
    ) -> "Triangles | None":
        """None where one of the factors has no polynomial of moderate degree that meets the tolerance."""
        angular, far = powers(zetas, lams, tolerance), far_side(eta, cutoff, tolerance)
        return None if angular is None or far is None else cls(angular, *far)


@compiled
def _gather(j, x1, y1, z1, r1, x2, y2, z2, r2, begin, end, reach, cosine, place, other, count, c, u):
    """Append the neighbours begin:end that form a triangle with j: cos θ, 2s/reach − 1 < 1, and their numbers."""
    xj, yj, zj, rj = x1[j], y1[j], z1[j], r1[j]
    n = end - begin
    x, y, z, r = x2[begin:end], y2[begin:end], z2[begin:end], r2[begin:end]
    for b in range(n):
        c[b] = xj * x[b] + yj * y[b] + zj * z[b]
    a0, a1, a2 = 2 * rj * rj / reach - 1, 2 / reach, -4 * rj / reach
    for b in range(n):
        u[b] = a0 + r[b] * (a1 * r[b] + a2 * c[b])
    for b in range(n):  # no branch depends on a single pair: nothing is mispredicted
        cosine[count] = c[b]
        place[count] = u[b]
        other[count] = begin + b
        count += u[b] < 1
    return count


@compiled
def _add_moments(weight, cosine, n, moments):
    """moments[p] += Σ weight cosᵖ."""
    degree = len(moments) - 1
    for p in range(0, degree, 4):
        m0, m1, m2, m3 = 0.0, 0.0, 0.0, 0.0
        for q in range(n):
            w, x = weight[q], cosine[q]
            m0 += w
            w *= x
            m1 += w
            w *= x
            m2 += w
            w *= x
            m3 += w
            weight[q] = w * x
        moments[p] += m0
        moments[p + 1] += m1
        moments[p + 2] += m2
        moments[p + 3] += m3
    last = 0.0
    for q in range(n):
        last += weight[q]
    moments[degree] += last


@compiled
def triangle_sums(start1, x1, y1, z1, r1, f1, start2, x2, y2, z2, r2, f2, same, far, reach, degree):
    """Σ f₁ⱼ f₂ₖ [far side] xᵖ over all pairs (j < k if both are the `same` list): (n_atoms, degree + 1)."""
    out = np.zeros((len(start1) - 1, degree + 1))
    cosine, place, weight = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    other, of = np.empty(_BLOCK, np.int64), np.empty(_BLOCK)
    c, u = np.empty(_PIECE), np.empty(_PIECE)
    for i in range(len(start1) - 1):
        count = 0
        for j in range(start1[i], start1[i + 1]):
            for begin in range(j + 1 if same else start2[i], start2[i + 1], _PIECE):
                end = min(begin + _PIECE, start2[i + 1])
                before = count
                count = _gather(j, x1, y1, z1, r1, x2, y2, z2, r2, begin, end, reach, cosine, place, other, count, c, u)
                for q in range(before, count):
                    of[q] = f1[j] * f2[other[q]]
                if count >= _BLOCK - _PIECE:
                    evaluate(far, place, count, weight)
                    for q in range(count):
                        weight[q] *= of[q]
                    _add_moments(weight, cosine, count, out[i])
                    count = 0
        evaluate(far, place, count, weight)
        for q in range(count):
            weight[q] *= of[q]
        _add_moments(weight, cosine, count, out[i])
    return out


@compiled
def _pull(
    runs, ends, members, cosine, place, other, far, reach, mixed, x1, y1, z1, r1, f1, df1, x2, y2, z2, r2, f2, df2,
    lo1, lo2, pull1, pull2, value, slope, across, dacross,
):  # fmt: skip
    """Add the derivatives of a block of triangles: pull[0] along r̂, pull[1:] as vectors, of both lists."""
    count = ends[runs - 1] if runs else 0
    evaluate_slope(far, place, count, across, dacross)
    evaluate_slope(mixed, cosine, count, value, slope)
    for q in range(count):
        slope[q] *= across[q]
    for q in range(count):
        dacross[q] *= 4 / reach * value[q]
    for q in range(count):
        value[q] *= across[q]
    first = 0
    for run in range(runs):
        j = members[run]
        rj, fj, dfj, back = r1[j], f1[j], df1[j], 1 / r1[j]
        xj, yj, zj = rj * x1[j], rj * y1[j], rj * z1[j]
        along, gx, gy, gz = 0.0, 0.0, 0.0, 0.0
        for q in range(first, ends[run]):
            k = other[q]
            rk, fk = r2[k], f2[k]
            both, inverse = fj * fk, 1 / rk
            turn, stretch = slope[q] * both, dacross[q] * both
            bend = turn * back * inverse - stretch
            turned = turn * cosine[q]
            along += dfj * fk * value[q] + rj * stretch - turned * back
            gx += bend * rk * x2[k]
            gy += bend * rk * y2[k]
            gz += bend * rk * z2[k]
            b = k - lo2
            pull2[b, 0] += df2[k] * fj * value[q] + rk * stretch - turned * inverse
            pull2[b, 1] += bend * xj
            pull2[b, 2] += bend * yj
            pull2[b, 3] += bend * zj
        first = ends[run]
        pull1[j - lo1, 0] += along
        pull1[j - lo1, 1] += gx
        pull1[j - lo1, 2] += gy
        pull1[j - lo1, 3] += gz


@compiled
def _spread(lo, hi, x, y, z, pair, pull, out):
    for j in range(lo, hi):
        a = pull[j - lo]
        out[pair[j], 0] += a[0] * x[j] + a[1]
        out[pair[j], 1] += a[0] * y[j] + a[2]
        out[pair[j], 2] += a[0] * z[j] + a[3]


@compiled
def add_triangle_pulls(
    start1, x1, y1, z1, r1, f1, df1, pair1, start2, x2, y2, z2, r2, f2, df2, pair2, same, far, reach, mixed, out
):  # fmt: skip
    """out[pair of a neighbour] += the derivative of Σₚ mixed[i, p] (sum over triangles)[i, p] by its position."""
    most1, most2 = np.diff(start1).max(), np.diff(start2).max()
    pull1 = np.zeros((most1, 4))
    pull2 = pull1 if same else np.zeros((most2, 4))
    cosine, place, other = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK, np.int64)
    value, slope, across, dacross = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    ends, members = np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64)
    c, u = np.empty(_PIECE), np.empty(_PIECE)
    for i in range(len(start1) - 1):
        lo1, lo2 = start1[i], start2[i]
        pull1[:] = 0.0
        pull2[:] = 0.0
        count, runs = 0, 0
        for j in range(lo1, start1[i + 1]):
            for begin in range(j + 1 if same else lo2, start2[i + 1], _PIECE):
                end = min(begin + _PIECE, start2[i + 1])
                before = count
                count = _gather(j, x1, y1, z1, r1, x2, y2, z2, r2, begin, end, reach, cosine, place, other, count, c, u)
                if count > before:
                    members[runs] = j
                    ends[runs] = count
                    runs += 1
                if count >= _BLOCK - _PIECE:
                    _pull(runs, ends, members, cosine, place, other, far, reach, mixed[i],
                          x1, y1, z1, r1, f1, df1, x2, y2, z2, r2, f2, df2, lo1, lo2, pull1, pull2,
                          value, slope, across, dacross)  # fmt: skip
                    count, runs = 0, 0
        _pull(runs, ends, members, cosine, place, other, far, reach, mixed[i],
              x1, y1, z1, r1, f1, df1, x2, y2, z2, r2, f2, df2, lo1, lo2, pull1, pull2,
              value, slope, across, dacross)  # fmt: skip
        _spread(lo1, start1[i + 1], x1, y1, z1, pair1, pull1, out)
        if not same:
            _spread(lo2, start2[i + 1], x2, y2, z2, pair2, pull2, out)
