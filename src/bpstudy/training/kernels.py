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
def add_products_of_pairs(start, row, moved, deltas, values, bends, out):
    """out[c] += Σ_e moved[e] ⊗ deltas[row[e]] + values[row[e]] ⊗ bends[e], e from start[c] to start[c + 1].

    moved (n_entries, n), values (n_rows, n), deltas (n_rows, m), bends (n_entries, m), out (n_segments, n · m). One
    matrix product for each segment.
    """
    n, m = moved.shape[1], bends.shape[1]
    longest = 0
    for c in range(len(start) - 1):
        longest = max(longest, start[c + 1] - start[c])
    left, right, product = np.empty((2 * longest, n)), np.empty((2 * longest, m)), np.empty((n, m))
    for c in range(len(start) - 1):
        first, k = start[c], start[c + 1] - start[c]
        for e in range(k):
            r = row[first + e]
            for i in range(n):
                left[e, i], left[k + e, i] = moved[first + e, i], values[r, i]
            for j in range(m):
                right[e, j], right[k + e, j] = deltas[r, j], bends[first + e, j]
        np.dot(left[: 2 * k].T, right[: 2 * k], product)
        of = out[c]
        for i in range(n):
            for j in range(m):
                of[i * m + j] += product[i, j]


@compiled
def times_rows(values, table, rows):
    """values[e] · table[rows[e]], (n, m)."""
    out = np.empty_like(values)
    for e in range(len(rows)):
        of = table[rows[e]]
        for j in range(values.shape[1]):
            out[e, j] = values[e, j] * of[j]
    return out


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
