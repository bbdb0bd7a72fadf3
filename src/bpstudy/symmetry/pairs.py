"""Sums over pairs of neighbours of tabulated angular factors (G4; G5 near its branch points or as a direct sum)."""

import math

import numpy as np

from bpstudy.symmetry.compiled import compiled

_BLOCK, _CHUNK = 256, 32


@compiled
def _choose(xj, yj, zj, rj, x, y, z, r, widest, scale, n_far, cosine, apart, kept):
    """Which of these neighbours make a pair that counts: fills `cosine`, `apart` (rⱼₖ² in cells of the far side),
    `kept`; their number.

    No branch depends on a single pair, so the loops become SIMD code and nothing is mispredicted.
    """
    n, count = len(x), 0
    for b in range(n):
        cosine[b] = xj * x[b] + yj * y[b] + zj * z[b]
    if scale > 0:
        for b in range(n):
            apart[b] = scale * (rj * rj + r[b] * r[b] - 2 * rj * r[b] * cosine[b])
        for b in range(n):
            kept[count] = b
            count += apart[b] < n_far
    elif widest > 1:
        for b in range(n):
            kept[b] = b
        count = n
    else:  # few pairs are in the caps, and neighbours are sorted by direction: most chunks hold none
        inner = 1 - widest
        for chunk in range(0, n, _CHUNK):
            part = cosine[chunk : min(chunk + _CHUNK, n)]
            inside = 0.0
            for b in range(len(part)):  # a sum of 2 max(|x| − inner, 0): unlike a maximum, it becomes SIMD code
                beyond = abs(part[b]) - inner
                inside += beyond + abs(beyond)
            if inside > 0:
                for b in range(len(part)):
                    kept[count] = chunk + b
                    count += abs(part[b]) > inner
    return count


@compiled
def pair_sums(
    start1, x1, y1, z1, r1, f1, start2, x2, y2, z2, r2, f2, same, far, far_reach,
    coefficients, cells, direct, zeta, side,
):  # fmt: skip
    """Sums of f₁ⱼ f₂ₖ [far side] k(x) over all pairs (j < k if both are the `same` list): (n_atoms, n_functions)."""
    n_atoms, reach, n_functions = len(start1) - 1, coefficients.shape[1], coefficients.shape[3]
    out = np.zeros((n_atoms, n_functions))
    moments = np.empty((2 * reach, 6))
    cosine, apart, kept = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK, np.int64)
    weight, angle, place = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    widest = (reach / cells) ** 2 if reach < cells else 2.0
    n_far = len(far)
    scale = n_far / far_reach if n_far else 0.0
    for i in range(n_atoms):
        moments[:] = 0.0
        for j in range(start1[i], start1[i + 1]):
            for begin in range(j + 1 if same else start2[i], start2[i + 1], _BLOCK):
                end = min(begin + _BLOCK, start2[i + 1])
                count = _choose(
                    x1[j], y1[j], z1[j], r1[j], x2[begin:end], y2[begin:end], z2[begin:end], r2[begin:end],
                    widest, scale, n_far, cosine, apart, kept,
                )  # fmt: skip
                # Short loops one after another: the processor overlaps their pairs, or they are SIMD code.
                for q in range(count):
                    weight[q] = f1[j] * f2[begin + kept[q]]
                    angle[q] = cosine[kept[q]]
                if scale > 0:
                    for q in range(count):
                        u = max(apart[kept[q]], 0.0)
                        a = far[int(u)]
                        u -= int(u) + 0.5
                        weight[q] *= a[0] + u * (a[1] + u * (a[2] + u * (a[3] + u * (a[4] + u * a[5]))))
                for q in range(count):
                    place[q] = cells * math.sqrt(max(1.0 - abs(angle[q]), 0.0))
                for q in range(count):
                    t, w = place[q], weight[q]
                    cell = min(int(t), reach - 1)
                    t -= cell + 0.5
                    row = moments[cell if angle[q] >= 0 else cell + reach]
                    t2 = t * t
                    row[0] += w
                    row[1] += w * t
                    row[2] += w * t2
                    row[3] += w * t2 * t
                    row[4] += w * t2 * t2
                    row[5] += w * t2 * t2 * t
                    if cell < direct:
                        for f in range(n_functions):
                            if zeta[f] > 0 and side[f] == (0 if angle[q] >= 0 else 1):
                                out[i, f] += w * (0.5 * max(1.0 - abs(angle[q]), 0.0)) ** zeta[f]
        for s in range(2):
            for cell in range(reach):
                for p in range(6):
                    w = moments[s * reach + cell, p]
                    for f in range(n_functions):
                        out[i, f] += w * coefficients[s, cell, p, f]
    return out


@compiled
def add_pair_gradient(
    start1, x1, y1, z1, r1, f1, df1, start2, x2, y2, z2, r2, f2, df2, same, far, far_reach,
    coefficients, cells, direct, zeta, side, mixing, rows1, rows2, out,
):  # fmt: skip
    """out[row of a neighbour, :, channel] += the derivative of the pair sums with respect to its position.

    `coefficients` (1 or n_atoms, 2, reach, 6, n_channels): one table for all centres, or one each (a table mixed with
    weights). `mixing` (1 or n_atoms, len(zeta), n_channels) does the same for the terms that are added directly.
    """
    n_atoms, reach, n_channels = len(start1) - 1, coefficients.shape[2], coefficients.shape[4]
    cosine, apart, kept = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK, np.int64)
    value, slope, mine = np.empty(n_channels), np.empty(n_channels), np.empty((3, n_channels))
    own, other, turn1, turn2 = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    widest = (reach / cells) ** 2 if reach < cells else 2.0
    n_far = len(far)
    scale = n_far / far_reach if n_far else 0.0
    for i in range(n_atoms):
        chosen, mixed = min(i, len(coefficients) - 1), min(i, len(mixing) - 1)
        for j in range(start1[i], start1[i + 1]):
            xj, yj, zj, rj, fj = x1[j], y1[j], z1[j], r1[j], f1[j]
            mine[:] = 0.0
            for begin in range(j + 1 if same else start2[i], start2[i + 1], _BLOCK):
                end = min(begin + _BLOCK, start2[i + 1])
                count = _choose(
                    xj, yj, zj, rj, x2[begin:end], y2[begin:end], z2[begin:end], r2[begin:end],
                    widest, scale, n_far, cosine, apart, kept,
                )  # fmt: skip
                for q in range(count):
                    b = kept[q]
                    x, k = cosine[b], begin + b
                    away = max(1.0 - abs(x), 0.0)
                    across, dacross = 1.0, 0.0
                    if scale > 0:
                        u = max(apart[b], 0.0)
                        cell = int(u)
                        u -= cell + 0.5
                        a = far[cell]
                        across = a[0] + u * (a[1] + u * (a[2] + u * (a[3] + u * (a[4] + u * a[5]))))
                        dacross = scale * (a[1] + u * (2 * a[2] + u * (3 * a[3] + u * (4 * a[4] + u * 5 * a[5]))))
                    root = math.sqrt(away)
                    t = root * cells
                    cell = min(int(t), reach - 1)
                    t -= cell + 0.5
                    s, sign = (0, 1.0) if x >= 0 else (1, -1.0)
                    # dv/dx = −sign/(2v); the derivative of the angle vanishes with v, so its floor is never seen.
                    inward = -sign * cells / (2 * max(root, 1e-10))
                    row = coefficients[chosen, s, cell]
                    # One array is written in each loop, so that they become SIMD code.
                    for f in range(n_channels):
                        high = row[3, f] + t * (row[4, f] + t * row[5, f])
                        value[f] = row[0, f] + t * (row[1, f] + t * (row[2, f] + t * high))
                    for f in range(n_channels):
                        high = 3 * row[3, f] + t * (4 * row[4, f] + t * 5 * row[5, f])
                        slope[f] = inward * (row[1, f] + t * (2 * row[2, f] + t * high))
                    if cell < direct and away > 0:
                        for d in range(len(zeta)):
                            if zeta[d] > 0 and side[d] == s:
                                branch = (0.5 * away) ** (zeta[d] - 1)
                                for f in range(n_channels):
                                    value[f] += mixing[mixed, d, f] * 0.5 * away * branch
                                    slope[f] -= mixing[mixed, d, f] * sign * 0.5 * zeta[d] * branch
                    w, fk, rk = fj * f2[k] * across, f2[k], r2[k]
                    stretch = 2 * fj * fk * dacross
                    # Derivatives of the weight (own, other) and, times the slope, of the angle (turn) for j and for k.
                    radial1, radial2 = df1[j] * fk * across, df2[k] * fj * across
                    for c in range(3):
                        uj = xj if c == 0 else (yj if c == 1 else zj)
                        uk = x2[k] if c == 0 else (y2[k] if c == 1 else z2[k])
                        between = stretch * (rj * uj - rk * uk)
                        own[c] = radial1 * uj + between
                        other[c] = radial2 * uk - between
                        turn1[c] = w / rj * (uk - x * uj)
                        turn2[c] = w / rk * (uj - x * uk)
                    second = out[rows2[k]]
                    for c in range(3):
                        a1, b1, a2, b2 = own[c], turn1[c], other[c], turn2[c]
                        for f in range(n_channels):
                            mine[c, f] += value[f] * a1 + slope[f] * b1
                        for f in range(n_channels):
                            second[c, f] += value[f] * a2 + slope[f] * b2
            first = out[rows1[j]]
            for c in range(3):
                for f in range(n_channels):
                    first[c, f] += mine[c, f]
