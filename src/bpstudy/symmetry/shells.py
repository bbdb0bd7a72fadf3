"""The neighbours of an angular function: selected, weighed, and sorted by direction."""

from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers

from bpstudy.symmetry.neighbors import Neighbors


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
        """Select and weigh the neighbours of one element (None: all), those of a centre sorted by direction."""
        keep = near.distance < cutoff
        if symbol is not None:
            keep &= near.number == atomic_numbers[symbol]
        start, pair = near.select(keep)
        directions = near.vector[pair] / near.distance[pair, None]
        # Neighbours in one of 8 × 8 × 8 boxes of the unit sphere stand together (see `pairs`).
        boxes = np.minimum((4 * (directions + 1)).astype(np.int64), 7)
        order = np.argsort(
            ((near.centres()[pair] * 8 + boxes[:, 0]) * 8 + boxes[:, 1]) * 8 + boxes[:, 2], kind="stable"
        )
        pair = pair[order]
        r = near.distance[pair]
        x, y, z = np.ascontiguousarray(directions[order].T)
        gauss, phase = np.exp(-eta * r**2), np.pi * r / cutoff
        f = gauss * 0.5 * (np.cos(phase) + 1)
        df = -2 * eta * r * f - gauss * 0.5 * np.pi / cutoff * np.sin(phase)
        return cls(start, x, y, z, r, f, df, pair)
