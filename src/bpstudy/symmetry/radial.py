"""G1, G2 and G3: one family, exp(−η (r − Rs)²) cos(κ r) fc(r), with η = 0 or κ = 0 where a type lacks the factor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers

from bpstudy.symmetry.compiled import compiled
from bpstudy.symmetry.functions import G2, G3, RadialFunction
from bpstudy.symmetry.neighbors import Neighbors

ALL = -1
_NEGLIGIBLE = 50.0  # exp(−50) = 2e-22, far below the rounding of a sum of terms of order one


@compiled
def _values(start, number, distance, eta, rs, kappa, cutoff, species):
    out = np.zeros((len(start) - 1, len(eta)))
    for i in range(len(start) - 1):
        for p in range(start[i], start[i + 1]):
            r, last, fc = distance[p], -1.0, 0.0
            for f in range(len(eta)):
                if r > cutoff[f] or (species[f] >= 0 and species[f] != number[p]):
                    continue
                exponent = eta[f] * (r - rs[f]) ** 2
                if exponent > _NEGLIGIBLE:
                    continue
                if cutoff[f] != last:
                    last, fc = cutoff[f], 0.5 * (math.cos(math.pi * r / cutoff[f]) + 1)
                term = fc
                if eta[f] > 0:
                    term *= math.exp(-exponent)
                if kappa[f] > 0:
                    term *= math.cos(kappa[f] * r)
                out[i, f] += term
    return out


@compiled
def _add_slopes(start, number, distance, vector, eta, rs, kappa, cutoff, species, rows, weights, channel, out):
    """out[rows[p], :, channel[f]] += weights[i, f] dGᵢf/drₚ r̂ₚ over all neighbours p of all centres i."""
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
                    out[rows[p], c, channel[f]] += weights[i, f] * slope * vector[p, c] / r


@dataclass(frozen=True)
class RadialBlock:
    """The parameters of several radial functions as columns, ready for the compiled loops."""

    eta: np.ndarray
    rs: np.ndarray
    kappa: np.ndarray
    cutoff: np.ndarray
    species: np.ndarray

    @classmethod
    def of(cls, functions: Sequence[RadialFunction]) -> "RadialBlock":
        """Columns of the given functions, in their order."""
        return cls(
            np.array([f.eta if isinstance(f, G2) else 0.0 for f in functions]),
            np.array([f.rs if isinstance(f, G2) else 0.0 for f in functions]),
            np.array([f.kappa if isinstance(f, G3) else 0.0 for f in functions]),
            np.array([float(f.cutoff) for f in functions]),
            np.array([ALL if f.species is None else atomic_numbers[f.species] for f in functions]),
        )

    def values(self, near: Neighbors) -> np.ndarray:
        """(n_atoms, n_functions)."""
        return _values(near.start, near.number, near.distance, *self._columns)

    @property
    def _columns(self) -> tuple[np.ndarray, ...]:
        return self.eta, self.rs, self.kappa, self.cutoff, self.species

    def contract(self, near: Neighbors, weights: np.ndarray, out: np.ndarray) -> None:
        """Add Σf weights[i, f] dGᵢf/drₚ of each neighbour p to `out` (n_pairs, 3)."""
        rows, channel = np.arange(len(near.atom)), np.zeros(len(self.eta), int)
        self._add(near, rows, weights, channel, out[:, :, None])

    def gradients(self, near: Neighbors, rows: np.ndarray, n_rows: int) -> np.ndarray:
        """Sum of dGᵢf/drₚ over the neighbours p of each row, `rows` (n_pairs,): (n_rows, 3, n_functions)."""
        n, n_functions = len(near.start) - 1, len(self.eta)
        out = np.zeros((n_rows, 3, n_functions))
        self._add(near, rows, np.ones((n, n_functions)), np.arange(n_functions), out)
        return out

    def _add(
        self, near: Neighbors, rows: np.ndarray, weights: np.ndarray, channel: np.ndarray, out: np.ndarray
    ) -> None:
        columns = (near.start, near.number, near.distance, near.vector, *self._columns)
        _add_slopes(*columns, rows, np.ascontiguousarray(weights), channel, out)
