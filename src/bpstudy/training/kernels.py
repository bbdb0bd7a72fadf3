"""Sums over the rows of a frame or of a force component, compiled."""

import numpy as np

from bpstudy.symmetry.compiled import compiled


@compiled
def add_outer(start, left, left_rows, right, right_rows, out):
    """out[c] += Σ_e left[left_rows[e]] ⊗ right[right_rows[e]], e from start[c] to start[c + 1].

    left (·, n), right (·, m), out (n_segments, n · m). Four entries at a time: the sums then stay in registers.
    """
    n, m = left.shape[1], right.shape[1]
    for c in range(len(start) - 1):
        first, last = start[c], start[c + 1]
        whole = first + (last - first) // 4 * 4
        for e in range(first, whole, 4):
            a, b, d, f = left[left_rows[e]], left[left_rows[e + 1]], left[left_rows[e + 2]], left[left_rows[e + 3]]
            p, q, r, s = (
                right[right_rows[e]],
                right[right_rows[e + 1]],
                right[right_rows[e + 2]],
                right[right_rows[e + 3]],
            )
            for i in range(n):
                ai, bi, di, fi = a[i], b[i], d[i], f[i]
                row = out[c, i * m : (i + 1) * m]
                for j in range(m):
                    row[j] += ai * p[j] + bi * q[j] + di * r[j] + fi * s[j]
        for e in range(whole, last):
            a, p = left[left_rows[e]], right[right_rows[e]]
            for i in range(n):
                ai = a[i]
                row = out[c, i * m : (i + 1) * m]
                for j in range(m):
                    row[j] += ai * p[j]


@compiled
def add_rows(start, left, left_rows, out):
    """out[c] += Σ_e left[left_rows[e]], e from start[c] to start[c + 1]."""
    for c in range(len(start) - 1):
        for e in range(start[c], start[c + 1]):
            of = left[left_rows[e]]
            for i in range(left.shape[1]):
                out[c, i] += of[i]


@compiled
def add_back(component, row, values, upstream, out):
    """out[row] += upstream[component] · values of each entry: the transpose of `network.element.add_products`."""
    for e in range(len(component)):
        weight = upstream[component[e]]
        of = out[row[e]]
        for f in range(values.shape[1]):
            of[f] += weight * values[e, f]


def starts(segment: np.ndarray, count: int) -> np.ndarray:
    """Where each of `count` segments starts among rows whose segment numbers do not decrease, (count + 1,)."""
    return np.searchsorted(segment, np.arange(count + 1))
