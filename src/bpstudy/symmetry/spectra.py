"""Derivatives of the power spectra by the positions of the neighbours (see `harmonics`)."""

from functools import lru_cache

import numpy as np

from bpstudy.symmetry.compiled import compiled
from bpstudy.symmetry.harmonics import _multipoles

_SIZE = 128  # neighbours of a centre in one block


@lru_cache
def ladder(degree: int) -> np.ndarray:
    """dQₗₘ/dz = ladder[m, l] Qₗ,ₘ₊₁ (m from 0 to degree − 1)."""
    m, l = np.arange(degree + 1)[:, None], np.arange(degree + 1)[None, :]  # noqa: E741
    return np.sqrt(np.where(l > m, (l - m) * (l + m + 1), 0) * np.where(m == 0, 0.5, 1.0))


@compiled
def add_spectrum_gradient(start1, x1, y1, z1, r1, f1, df1, start2, x2, y2, z2, r2, f2, rows, weights, channel, degree,
                          first, second, starts, steps, out):  # fmt: skip
    """out[rows[j], :, channel[l]] += weights[i, l] dSᵢₗ/drⱼ for j of the first list, with Sᵢₗ = Σⱼₖ f₁ⱼ f₂ₖ Pₗ(cos θ).

    The second list is held. If both are the same list, double the weights.
    """
    moments = np.empty((degree + 1, degree + 1, 2))
    size = 64
    n_channels = out.shape[2]
    c, s, c0, s0, p, q = (
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
    )
    v, gx, gy, gz = (
        np.empty((n_channels, size)),
        np.empty((n_channels, size)),
        np.empty((n_channels, size)),
        np.empty((n_channels, size)),
    )
    for i in range(len(start1) - 1):
        if start1[i] == start1[i + 1] or start2[i] == start2[i + 1]:
            continue
        _multipoles(start2[i], start2[i + 1], x2, y2, z2, f2, degree, first, second, starts, moments)
        for m in range(degree + 1):
            for l in range(m, degree + 1):  # noqa: E741
                moments[m, l] *= weights[i, l]
        for begin in range(start1[i], start1[i + 1], size):
            n = min(size, start1[i + 1] - begin)
            xb, yb, zb = x1[begin : begin + n], y1[begin : begin + n], z1[begin : begin + n]
            v[:] = 0.0
            gx[:] = 0.0
            gy[:] = 0.0
            gz[:] = 0.0
            for m in range(degree + 1):
                for b in range(n):
                    if m == 0:
                        c0[b], s0[b], c[b], s[b] = 0.0, 0.0, 1.0, 0.0
                    else:
                        c0[b], s0[b] = c[b], s[b]
                        c[b] = xb[b] * c0[b] - yb[b] * s0[b]
                        s[b] = xb[b] * s0[b] + yb[b] * c0[b]
                    p[b], q[b] = 0.0, starts[m]
                for l in range(m, degree + 1):  # noqa: E741
                    if l > m:
                        a1, b1 = first[m, l], second[m, l]
                        for b in range(n):
                            new = a1 * zb[b] * q[b] - b1 * p[b]
                            p[b] = q[b]
                            q[b] = new
                    gc, gs = moments[m, l, 0], moments[m, l, 1]
                    step = steps[m - 1, l] if m > 0 else 0.0
                    hc, hs = (step * moments[m - 1, l, 0], step * moments[m - 1, l, 1]) if m > 0 else (0.0, 0.0)
                    mc, ms = m * gc, m * gs
                    k = channel[l]
                    vk, xk, yk, zk = v[k], gx[k], gy[k], gz[k]
                    for b in range(n):
                        vk[b] += (gc * c[b] + gs * s[b]) * q[b]
                        xk[b] += (mc * c0[b] + ms * s0[b]) * q[b]
                        yk[b] += (ms * c0[b] - mc * s0[b]) * q[b]
                        zk[b] += (hc * c0[b] + hs * s0[b]) * q[b]
            for k in range(n_channels):
                for b in range(n):
                    j = begin + b
                    along = gx[k, b] * x1[j] + gy[k, b] * y1[j] + gz[k, b] * z1[j]
                    radial, across = v[k, b] * df1[j] - along * f1[j] / r1[j], f1[j] / r1[j]
                    out[rows[j], 0, k] += radial * x1[j] + across * gx[k, b]
                    out[rows[j], 1, k] += radial * y1[j] + across * gy[k, b]
                    out[rows[j], 2, k] += radial * z1[j] + across * gz[k, b]


@compiled
def add_spectrum_pulls(
    start1, x1, y1, z1, r1, f1, df1, pair1, start2, x2, y2, z2, r2, f2, side, weights, degree, first, second, starts,
    steps, kept, out,
):  # fmt: skip
    """out[pair1[j]] += Σₗ weights[i, l] dSᵢₗ/drⱼ, as `add_spectrum_gradient`, in one channel.

    For each m the sums over l come first, of Qₗₘ alone: four multiplications for each (l, m) instead of twelve.
    `kept[i, side]` holds the multipoles of the second list where it has a length.
    """
    moments = np.empty((degree + 1, degree + 1, 2))
    # Columns of one array: constant distances tell the compiler that they do not overlap.
    work = np.empty(18 * _SIZE)
    c, s, c0, s0 = work[0:_SIZE], work[_SIZE : 2 * _SIZE], work[2 * _SIZE : 3 * _SIZE], work[3 * _SIZE : 4 * _SIZE]
    p, q = work[4 * _SIZE : 5 * _SIZE], work[5 * _SIZE : 6 * _SIZE]
    vc, vs, hc, hs = (
        work[6 * _SIZE : 7 * _SIZE],
        work[7 * _SIZE : 8 * _SIZE],
        work[8 * _SIZE : 9 * _SIZE],
        work[9 * _SIZE : 10 * _SIZE],
    )
    v, gx, gy, gz = (
        work[10 * _SIZE : 11 * _SIZE],
        work[11 * _SIZE : 12 * _SIZE],
        work[12 * _SIZE : 13 * _SIZE],
        work[13 * _SIZE : 14 * _SIZE],
    )
    x, y, z = work[14 * _SIZE : 15 * _SIZE], work[15 * _SIZE : 16 * _SIZE], work[16 * _SIZE : 17 * _SIZE]
    for i in range(len(start1) - 1):
        if start1[i] == start1[i + 1] or start2[i] == start2[i + 1]:
            continue
        if len(kept):
            moments[:] = kept[i, side]
        else:
            _multipoles(start2[i], start2[i + 1], x2, y2, z2, f2, degree, first, second, starts, moments)
        for m in range(degree + 1):
            for l in range(m, degree + 1):  # noqa: E741
                moments[m, l] *= weights[i, l]
        for begin in range(start1[i], start1[i + 1], _SIZE):
            n = min(_SIZE, start1[i + 1] - begin)
            for b in range(n):
                x[b] = x1[begin + b]
            for b in range(n):
                y[b] = y1[begin + b]
            for b in range(n):
                z[b] = z1[begin + b]
            work[10 * _SIZE : 14 * _SIZE] = 0.0
            for m in range(degree + 1):
                if m == 0:
                    for b in range(n):
                        c0[b], s0[b], c[b], s[b] = 0.0, 0.0, 1.0, 0.0
                else:
                    for b in range(n):
                        c0[b], s0[b] = c[b], s[b]
                        c[b] = x[b] * c0[b] - y[b] * s0[b]
                        s[b] = x[b] * s0[b] + y[b] * c0[b]
                start = starts[m]
                gc, gs = moments[m, m, 0], moments[m, m, 1]
                step = steps[m - 1, m] if m > 0 else 0.0
                kc, ks = (step * moments[m - 1, m, 0], step * moments[m - 1, m, 1]) if m > 0 else (0.0, 0.0)
                for b in range(n):
                    p[b], q[b] = 0.0, start
                    vc[b], vs[b] = gc * start, gs * start
                    hc[b], hs[b] = kc * start, ks * start
                for l in range(m + 1, degree + 1, 2):  # noqa: E741 (two degrees at a time, in place)
                    a1, b1, a2, b2 = first[m, l], second[m, l], first[m, l + 1], second[m, l + 1]
                    g1c, g1s, g2c, g2s = moments[m, l, 0], moments[m, l, 1], 0.0, 0.0
                    k1c, k1s, k2c, k2s = 0.0, 0.0, 0.0, 0.0
                    if m > 0:
                        k1c, k1s = steps[m - 1, l] * moments[m - 1, l, 0], steps[m - 1, l] * moments[m - 1, l, 1]
                    if l < degree:
                        g2c, g2s = moments[m, l + 1, 0], moments[m, l + 1, 1]
                        if m > 0:
                            k2c, k2s = (
                                steps[m - 1, l + 1] * moments[m - 1, l + 1, 0],
                                steps[m - 1, l + 1] * moments[m - 1, l + 1, 1],
                            )
                    for b in range(n):
                        one = a1 * z[b] * q[b] - b1 * p[b]
                        two = a2 * z[b] * one - b2 * q[b]
                        p[b] = one
                        q[b] = two
                        vc[b] += g1c * one + g2c * two
                        vs[b] += g1s * one + g2s * two
                        hc[b] += k1c * one + k2c * two
                        hs[b] += k1s * one + k2s * two
                for b in range(n):
                    v[b] += c[b] * vc[b] + s[b] * vs[b]
                    gx[b] += m * (c0[b] * vc[b] + s0[b] * vs[b])
                    gy[b] += m * (c0[b] * vs[b] - s0[b] * vc[b])
                    gz[b] += c0[b] * hc[b] + s0[b] * hs[b]
            for b in range(n):
                j = begin + b
                along = gx[b] * x1[j] + gy[b] * y1[j] + gz[b] * z1[j]
                across = f1[j] / r1[j]
                radial = v[b] * df1[j] - along * across
                row = out[pair1[j]]
                row[0] += radial * x1[j] + across * gx[b]
                row[1] += radial * y1[j] + across * gy[b]
                row[2] += radial * z1[j] + across * gz[b]
