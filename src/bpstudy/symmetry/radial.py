"""G1, G2 and G3: one family, exp(−η (r − Rs)²) cos(κ r) fc(r), with η = 0 or κ = 0 where a type lacks the factor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers

from bpstudy.symmetry.compiled import compiled
from bpstudy.symmetry.functions import G2, G3, RadialFunction
from bpstudy.symmetry.neighbors import Neighbors
from bpstudy.symmetry.polynomials import cosine_cutoff, evaluate, evaluate_slope, exponentials

ALL = -1
_CUTOFF = cosine_cutoff()
_NEGLIGIBLE = 50.0  # exp(−50) = 2e-22, far below the rounding of a sum of terms of order one


@compiled
def _family(lo, hi, number, distance, cutoff, element, r, row):
    """The neighbours of a centre within a cutoff, of one element or all: their distances, rows and number."""
    count = 0
    for p in range(lo, hi):
        r[count], row[count] = distance[p], p
        count += distance[p] <= cutoff and (element < 0 or number[p] == element)
    return count


@compiled
def _factor(r, n, eta, rs, kappa, y, t, factor):
    """factor = exp(−η (r − Rs)²) cos(κ r)."""
    if eta > 0:
        for b in range(n):
            y[b] = -eta * (r[b] - rs) ** 2
        exponentials(y, n, t, factor)
    else:
        factor[:n] = 1.0
    if kappa > 0:
        for b in range(n):
            factor[b] *= math.cos(kappa * r[b])


@compiled
def _values(start, number, distance, eta, rs, kappa, cutoff, species, family, polynomial):
    out = np.zeros((len(start) - 1, len(eta)))
    most = np.diff(start).max()
    r, row, u, fc, y, t, factor = _work(most)
    for i in range(len(start) - 1):
        n = 0
        for f in range(len(eta)):
            if f == 0 or family[f] != family[f - 1]:
                n = _family(start[i], start[i + 1], number, distance, cutoff[f], species[f], r, row)
                scale = 2 / cutoff[f] ** 2
                for b in range(n):
                    u[b] = scale * r[b] * r[b] - 1
                evaluate(polynomial, u, n, fc)
            total = 0.0
            if eta[f] == 0 and kappa[f] == 0:
                for b in range(n):
                    total += fc[b]
            else:
                _factor(r, n, eta[f], rs[f], kappa[f], y, t, factor)
                for b in range(n):
                    total += factor[b] * fc[b]
            out[i, f] = total
    return out


@compiled
def _work(most):
    return (
        np.empty(most + 1), np.empty(most + 1, np.int64), np.empty(most), np.empty(most), np.empty(most),
        np.empty(most), np.empty(most),
    )  # fmt: skip


@compiled
def _add_pulls(start, number, distance, vector, eta, rs, kappa, cutoff, species, family, polynomial, weights, out):
    """out[p] += Σf weights[i, f] dGᵢf/drₚ r̂ₚ over all neighbours p of all centres i."""
    most = np.diff(start).max()
    r, row, u, fc, y, t, factor = _work(most)
    dfc, pull = np.empty(most), np.empty(most)
    for i in range(len(start) - 1):
        n = 0
        for f in range(len(eta)):
            if f == 0 or family[f] != family[f - 1]:
                n = _family(start[i], start[i + 1], number, distance, cutoff[f], species[f], r, row)
                scale = 2 / cutoff[f] ** 2
                for b in range(n):
                    u[b] = scale * r[b] * r[b] - 1
                evaluate_slope(polynomial, u, n, fc, dfc)
                for b in range(n):
                    dfc[b] *= 2 * scale * r[b]
                pull[:n] = 0.0
            weight = weights[i, f]
            if eta[f] == 0 and kappa[f] == 0:
                for b in range(n):
                    pull[b] += weight * dfc[b]
            else:
                _factor(r, n, eta[f], rs[f], 0.0, y, t, factor)
                double, centre, k = 2 * eta[f], rs[f], kappa[f]
                if k > 0:
                    for b in range(n):
                        slope = (dfc[b] - double * (r[b] - centre) * fc[b]) * math.cos(k * r[b])
                        pull[b] += weight * factor[b] * (slope - k * math.sin(k * r[b]) * fc[b])
                else:
                    for b in range(n):
                        pull[b] += weight * factor[b] * (dfc[b] - double * (r[b] - centre) * fc[b])
            if f == len(eta) - 1 or family[f + 1] != family[f]:
                for b in range(n):
                    p, along = row[b], pull[b] / r[b]
                    out[p, 0] += along * vector[p, 0]
                    out[p, 1] += along * vector[p, 1]
                    out[p, 2] += along * vector[p, 2]


@compiled
def _add_slopes(start, number, distance, vector, eta, rs, kappa, cutoff, species, rows, out):
    """out[rows[p], :, f] += dGᵢf/drₚ r̂ₚ over all neighbours p of all centres i."""
    for i in range(len(start) - 1):
        for p in range(start[i], start[i + 1]):
            r, last, fc, dfc = distance[p], -1.0, 0.0, 0.0
            for f in range(len(eta)):
                if r > cutoff[f] or (species[f] >= 0 and species[f] != number[p]):
                    continue
                exponent = eta[f] * (r - rs[f]) ** 2
                if exponent > _NEGLIGIBLE:
                    continue
                if cutoff[f] != last:
                    last, phase = cutoff[f], math.pi * r / cutoff[f]
                    fc, dfc = 0.5 * (math.cos(phase) + 1), -0.5 * math.pi / cutoff[f] * math.sin(phase)
                slope = dfc - 2 * eta[f] * (r - rs[f]) * fc
                if kappa[f] > 0:
                    slope = slope * math.cos(kappa[f] * r) - kappa[f] * math.sin(kappa[f] * r) * fc
                if eta[f] > 0:
                    slope *= math.exp(-exponent)
                for c in range(3):
                    out[rows[p], c, f] += slope * vector[p, c] / r


@dataclass(frozen=True)
class RadialBlock:
    """The parameters of several radial functions as columns, ready for the compiled loops."""

    eta: np.ndarray
    rs: np.ndarray
    kappa: np.ndarray
    cutoff: np.ndarray
    species: np.ndarray
    order: np.ndarray  # functions of one cutoff and element side by side
    family: np.ndarray  # the number of this cutoff and element, in that order

    @classmethod
    def of(cls, functions: Sequence[RadialFunction]) -> "RadialBlock":
        """Columns of the given functions, in their order."""
        keys = [(f.cutoff, f.species or "") for f in functions]
        known = {key: number for number, key in enumerate(sorted(set(keys)))}
        families = np.array([known[key] for key in keys])
        order = np.argsort(families, kind="stable")
        return cls(
            np.array([f.eta if isinstance(f, G2) else 0.0 for f in functions]),
            np.array([f.rs if isinstance(f, G2) else 0.0 for f in functions]),
            np.array([f.kappa if isinstance(f, G3) else 0.0 for f in functions]),
            np.array([float(f.cutoff) for f in functions]),
            np.array([ALL if f.species is None else atomic_numbers[f.species] for f in functions]),
            order,
            families[order],
        )

    def values(self, near: Neighbors) -> np.ndarray:
        """(n_atoms, n_functions)."""
        found = _values(near.start, near.number, near.distance, *self._ordered)
        out = np.empty_like(found)
        out[:, self.order] = found
        return out

    @property
    def _ordered(self) -> tuple[np.ndarray, ...]:
        return *(c[self.order] for c in self._columns), self.family, _CUTOFF

    @property
    def _columns(self) -> tuple[np.ndarray, ...]:
        return self.eta, self.rs, self.kappa, self.cutoff, self.species

    def contract(self, near: Neighbors, weights: np.ndarray, out: np.ndarray) -> None:
        """Add Σf weights[i, f] dGᵢf/drₚ of each neighbour p to `out` (n_pairs, 3)."""
        columns = (near.start, near.number, near.distance, near.vector, *self._ordered)
        _add_pulls(*columns, np.ascontiguousarray(weights[:, self.order]), out)

    def gradients(self, near: Neighbors, rows: np.ndarray, n_rows: int) -> np.ndarray:
        """Sum of dGᵢf/drₚ over the neighbours p of each row, `rows` (n_pairs,): (n_rows, 3, n_functions)."""
        out = np.zeros((n_rows, 3, len(self.eta)))
        _add_slopes(near.start, near.number, near.distance, near.vector, *self._columns, rows, out)
        return out
