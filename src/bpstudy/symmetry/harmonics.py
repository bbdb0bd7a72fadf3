"""Power spectra of the neighbours' directions, the sums Σⱼₖ fⱼ fₖ Pₗ(cos θⱼₖ) in time linear in the neighbours.

With Racah-normalised real spherical harmonics Cₗₘ (Σₘ Cₗₘ(û) Cₗₘ(v̂) = Pₗ(û·v̂)) the double sum is Σₘ (Σⱼ fⱼ
Cₗₘ(r̂ⱼ))². Cₗₘ = Qₗₘ(z) · Re or Im of (x + iy)^m, where Q carries the normalisation and follows the upward recurrence
in l.
"""

from functools import lru_cache

import numpy as np

from bpstudy.symmetry.compiled import compiled

_BLOCK = 128  # neighbours of a centre in one block: its work arrays stay in the first-level cache


@lru_cache
def recurrence(degree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients of Qₗₘ = first[m, l] z Qₗ₋₁ₘ − second[m, l] Qₗ₋₂ₘ and the starts Qₘₘ.

    They are padded by two degrees for the unrolled loop.
    """
    m, l = np.arange(degree + 1)[:, None], np.arange(degree + 3)[None, :]  # noqa: E741
    inside = l > m
    norm = np.sqrt(np.where(inside, l**2 - m**2, 1))
    first = np.where(inside, (2 * l - 1) / norm, 0.0)
    second = np.where(inside, np.sqrt(np.where(inside, (l - 1) ** 2 - m**2, 0)) / norm, 0.0)
    starts = np.ones(degree + 1)
    for k in range(2, degree + 1):
        starts[k] = starts[k - 1] * np.sqrt((2 * k - 1) / (2 * k))
    return first, second, starts


@compiled
def _multipoles(lo, hi, x, y, z, f, degree, first, second, starts, out):
    """out[m, l] = Σⱼ fⱼ Cₗₘ for the cosine (0) and sine (1) parts of one centre."""
    out[:] = 0.0
    c, s, p, q = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    for begin in range(lo, hi, _BLOCK):
        n = min(_BLOCK, hi - begin)
        xb, yb, zb = x[begin : begin + n], y[begin : begin + n], z[begin : begin + n]
        for b in range(n):
            c[b] = f[begin + b]
            s[b] = 0.0
        for m in range(degree + 1):
            start = starts[m]
            cosine, sine = 0.0, 0.0
            for b in range(n):
                if m > 0:
                    turned = xb[b] * c[b] - yb[b] * s[b]
                    s[b] = xb[b] * s[b] + yb[b] * c[b]
                    c[b] = turned
                p[b] = 0.0
                q[b] = start
                cosine += c[b]
                sine += s[b]
            out[m, m, 0] += start * cosine
            out[m, m, 1] += start * sine
            for l in range(m + 1, degree + 1, 2):  # noqa: E741 (two degrees at a time, in place)
                a1, b1, a2, b2 = first[m, l], second[m, l], first[m, l + 1], second[m, l + 1]
                c1, s1, c2, s2 = 0.0, 0.0, 0.0, 0.0
                for b in range(n):
                    p[b] = a1 * zb[b] * q[b] - b1 * p[b]
                    q[b] = a2 * zb[b] * p[b] - b2 * q[b]
                    c1 += p[b] * c[b]
                    s1 += p[b] * s[b]
                    c2 += q[b] * c[b]
                    s2 += q[b] * s[b]
                out[m, l, 0] += c1
                out[m, l, 1] += s1
                if l < degree:
                    out[m, l + 1, 0] += c2
                    out[m, l + 1, 1] += s2


@compiled
def spectrum(start1, x1, y1, z1, r1, f1, start2, x2, y2, z2, r2, f2, same, degree, first, second, starts, kept):
    """Σⱼₖ f₁ⱼ f₂ₖ Pₗ(cos θⱼₖ), (n_atoms, degree + 1).

    `kept` (n_atoms, 2, degree + 1, degree + 1, 2), or of length 0, receives the multipoles of the second list and the
    first for `add_spectrum_pulls`.
    """
    n_atoms = len(start1) - 1
    power = np.zeros((n_atoms, degree + 1))
    pair = np.empty((2, degree + 1, degree + 1, 2))
    for i in range(n_atoms):
        both = kept[i] if len(kept) else pair
        other, one = both[0], both[0 if same else 1]
        _multipoles(start1[i], start1[i + 1], x1, y1, z1, f1, degree, first, second, starts, one)
        if not same:
            _multipoles(start2[i], start2[i + 1], x2, y2, z2, f2, degree, first, second, starts, other)
        for m in range(degree + 1):
            for l in range(m, degree + 1):  # noqa: E741
                power[i, l] += one[m, l, 0] * other[m, l, 0] + one[m, l, 1] * other[m, l, 1]
    return power
