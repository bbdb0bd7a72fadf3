"""Sums over pairs of neighbours of tabulated angular factors (G4; G5 near its branch points or as a direct sum)."""

import math

import numpy as np

from bpstudy.symmetry.compiled import compiled

_BLOCK = 256


@compiled
def pair_sums(  # type: ignore[no-untyped-def]
    start1,
    x1,
    y1,
    z1,
    r1,
    f1,
    start2,
    x2,
    y2,
    z2,
    r2,
    f2,
    same,
    far,
    far_reach,
    coefficients,
    cells,
    direct,
    zeta,
    side,
):
    """(n_atoms, n_functions): Σ over pairs of f₁ⱼ f₂ₖ [far side] k(x); j < k if both are the `same` list, else all j, k."""
    n_atoms, reach, n_functions = len(start1) - 1, coefficients.shape[1], coefficients.shape[3]
    out = np.zeros((n_atoms, n_functions))
    moments = np.empty((2, reach, 6))
    cosine = np.empty(_BLOCK)
    widest = (reach / cells) ** 2 if reach < cells else 2.0
    scale = len(far) / far_reach if len(far) else 0.0
    for i in range(n_atoms):
        moments[:] = 0.0
        for j in range(start1[i], start1[i + 1]):
            xj, yj, zj, rj, fj = x1[j], y1[j], z1[j], r1[j], f1[j]
            for begin in range(j + 1 if same else start2[i], start2[i + 1], _BLOCK):
                n = min(_BLOCK, start2[i + 1] - begin)
                for b in range(n):  # this loop becomes SIMD code
                    cosine[b] = xj * x2[begin + b] + yj * y2[begin + b] + zj * z2[begin + b]
                for b in range(n):
                    x, k = cosine[b], begin + b
                    away = max(1.0 - abs(x), 0.0)
                    if away >= widest:
                        continue
                    w = fj * f2[k]
                    if scale > 0:
                        u = scale * (rj * rj + r2[k] * r2[k] - 2 * rj * r2[k] * x)
                        cell = int(u)
                        if cell >= len(far):
                            continue
                        u -= cell + 0.5
                        a = far[cell]
                        w *= a[0] + u * (a[1] + u * (a[2] + u * (a[3] + u * (a[4] + u * a[5]))))
                    t = math.sqrt(away) * cells
                    cell = min(int(t), reach - 1)
                    t -= cell + 0.5
                    s = 0 if x >= 0 else 1
                    row = moments[s, cell]
                    power = w
                    for p in range(6):
                        row[p] += power
                        power *= t
                    if cell < direct:
                        for f in range(n_functions):
                            if zeta[f] > 0 and side[f] == s:
                                out[i, f] += w * (0.5 * away) ** zeta[f]
        for s in range(2):
            for cell in range(reach):
                for p in range(6):
                    w = moments[s, cell, p]
                    for f in range(n_functions):
                        out[i, f] += w * coefficients[s, cell, p, f]
    return out
