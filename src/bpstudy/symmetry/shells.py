"""The neighbours of an angular function: selected, weighed, and sorted by direction."""

import math
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers

from bpstudy.symmetry.compiled import compiled
from bpstudy.symmetry.neighbors import Neighbors

_BOXES = 512


@compiled
def _select(start, number, distance, vector, cutoff, element):
    """Neighbours within the cutoff (of one element, or all for −1): start, directions, distance, fc, dfc/dr, row.

    Neighbours in one of 8 × 8 × 8 boxes of the unit sphere stand together (see `pairs`).
    """
    n_atoms, size = len(start) - 1, 0
    kept = np.zeros(n_atoms + 1, np.int64)
    for i in range(n_atoms):
        for p in range(start[i], start[i + 1]):
            size += distance[p] < cutoff and (element < 0 or number[p] == element)
        kept[i + 1] = size
    x, y, z, r = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    fc, dfc, row = np.empty(size), np.empty(size), np.empty(size, np.int64)
    box, place = np.empty(len(distance), np.int64), np.empty(_BOXES, np.int64)
    for i in range(n_atoms):
        place[:] = 0
        for p in range(start[i], start[i + 1]):
            if distance[p] < cutoff and (element < 0 or number[p] == element):
                a, b, c = vector[p, 0] / distance[p], vector[p, 1] / distance[p], vector[p, 2] / distance[p]
                box[p] = (min(int(4 * (a + 1)), 7) * 8 + min(int(4 * (b + 1)), 7)) * 8 + min(int(4 * (c + 1)), 7)
                place[box[p]] += 1
        total = kept[i]
        for b in range(_BOXES):
            total, place[b] = total + place[b], total
        for p in range(start[i], start[i + 1]):
            if distance[p] < cutoff and (element < 0 or number[p] == element):
                q = place[box[p]]
                place[box[p]] += 1
                r[q], row[q] = distance[p], p
                x[q], y[q], z[q] = vector[p, 0] / r[q], vector[p, 1] / r[q], vector[p, 2] / r[q]
                phase = math.pi * r[q] / cutoff
                fc[q], dfc[q] = 0.5 * (math.cos(phase) + 1), -0.5 * math.pi / cutoff * math.sin(phase)
    return kept, x, y, z, r, fc, dfc, row


@compiled
def _weigh(r, fc, dfc, eta):
    """f = exp(−η r²) fc(r) and df/dr."""
    f, df = np.empty(len(r)), np.empty(len(r))
    for q in range(len(r)):
        gauss = math.exp(-eta * r[q] * r[q])
        f[q] = gauss * fc[q]
        df[q] = gauss * (dfc[q] - 2 * eta * r[q] * fc[q])
    return f, df


@compiled
def add_square_pulls(start, x, y, z, r, f, df, pair, weights, out):
    """out[pair of j] += weights[i] times the derivative of fⱼ²."""
    for i in range(len(start) - 1):
        for q in range(start[i], start[i + 1]):
            pull, row = 2 * weights[i] * f[q] * df[q], pair[q]
            out[row, 0] += pull * x[q]
            out[row, 1] += pull * y[q]
            out[row, 2] += pull * z[q]


@dataclass(frozen=True)
class Shell:
    """The neighbours of one element (or all) within a cutoff, with weights fⱼ = exp(−η rⱼ²) fc(rⱼ)."""

    start: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    r: np.ndarray
    f: np.ndarray
    df: np.ndarray  # dfⱼ/drⱼ
    pair: np.ndarray  # the row in the neighbour list

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.start, self.x, self.y, self.z, self.r, self.f

    @property
    def columns(self) -> tuple[np.ndarray, ...]:
        return *self.arrays, self.df, self.pair

    @property
    def squares(self) -> np.ndarray:
        """Σⱼ fⱼ² of each centre."""
        centre = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        return np.bincount(centre, weights=self.f**2, minlength=len(self.start) - 1)

    @property
    def square_slopes(self) -> np.ndarray:
        """The derivative of fⱼ² with respect to the neighbour's position, (n, 3)."""
        return (2 * self.f * self.df)[:, None] * np.stack([self.x, self.y, self.z], axis=1)

    @classmethod
    def of(cls, near: Neighbors, eta: float, cutoff: float, symbol: str | None) -> "Shell":
        """Select and weigh the neighbours of one element (None: all), those of a centre sorted by direction.

        Values and forces need the same shells, functions of one cutoff the same directions: they are kept with the
        neighbours.
        """
        place, shell = ("directions", cutoff, symbol), ("shell", eta, cutoff, symbol)
        if place not in near.kept:
            element = -1 if symbol is None else atomic_numbers[symbol]
            near.kept[place] = _select(near.start, near.number, near.distance, near.vector, float(cutoff), element)
        if shell not in near.kept:
            start, x, y, z, r, fc, dfc, pair = near.kept[place]
            f, df = _weigh(r, fc, dfc, float(eta))
            near.kept[shell] = cls(start, x, y, z, r, f, df, pair)
        return near.kept[shell]
