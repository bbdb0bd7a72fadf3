"""Information content of a set of symmetry functions: redundancy, and whether frames close in G are close in energy.

Functions that do not vary at all are found by `bpstudy.network.normalization.Scaler` (`dead_labels`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

ROWS_AT_ONCE = 512


def correlation_matrix(features: ArrayLike) -> NDArray[np.float64]:
    """Pearson correlations (n, n) of the columns of `features` (..., n); NaN where a column is constant."""
    x = np.asarray(features, dtype=np.float64)
    x = x.reshape(-1, x.shape[-1])
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, np.nan)
    return z.T @ z / len(z)


def effective_rank(features: ArrayLike) -> float:
    """exp(-Σ p ln p) with p the eigenvalues of the correlation matrix of the varying columns, divided by their sum.

    1 for copies of one function, n for n uncorrelated ones (O. Roy, M. Vetterli, EUSIPCO 2007, 606; on the eigenvalues,
    that is on explained variance). 0 if no column varies.
    """
    matrix = correlation_matrix(features)
    varying = np.isfinite(np.diag(matrix))
    if not varying.any():
        return 0.0
    eigenvalues = np.linalg.eigvalsh(matrix[np.ix_(varying, varying)]).clip(min=0)
    p = eigenvalues[eigenvalues > 0] / eigenvalues.sum()
    return float(np.exp(-np.sum(p * np.log(p))))


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Nearest neighbour of each frame in descriptor space: its index, distance, and difference of energy (eV)."""

    index: NDArray[np.intp]
    distance: NDArray[np.float64]
    energy_difference_ev: NDArray[np.float64]
    energy_sd_ev: float

    @property
    def degeneracy(self) -> float:
        """RMS energy difference of nearest neighbours / (√2 sd(E)): 0 if G determines E, 1 if it is uninformative."""
        return float(np.sqrt(np.mean(self.energy_difference_ev**2) / 2) / self.energy_sd_ev)


def nearest_neighbours(descriptors: ArrayLike, energies_ev: ArrayLike, exclude: int = 0) -> Neighbours:
    """Nearest neighbours of frames by Euclidean distance of `descriptors` (n_frames, n), standardised by column.

    Frames at most `exclude` apart in time do not count as neighbours: they are similar in every respect.

    Raises:
        ValueError: not one energy per frame, constant energies, or `exclude` leaves a frame without neighbours.
    """
    x, energies = np.asarray(descriptors, dtype=np.float64), np.asarray(energies_ev, dtype=np.float64)
    if x.ndim != 2 or energies.shape != x.shape[:1] or not (np.isfinite(x).all() and np.isfinite(energies).all()):
        raise ValueError(
            f"finite descriptors (n_frames, n) and one energy per frame are needed: {x.shape}, {energies.shape}"
        )
    n_frames = len(x)
    if not 0 <= exclude < n_frames // 2:
        raise ValueError(f"exclude: {exclude}; it must leave each of the {n_frames} frames a neighbour")
    if np.ptp(energies) == 0:
        raise ValueError("energies: all equal; more frames are needed")
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    frames = np.arange(n_frames)
    index, distance = np.empty(n_frames, dtype=np.intp), np.empty(n_frames)
    for start in range(0, n_frames, ROWS_AT_ONCE):
        rows = frames[start : start + ROWS_AT_ONCE]
        distances = cdist(z[rows], z)
        distances[np.abs(rows[:, None] - frames) <= exclude] = np.inf
        index[rows] = distances.argmin(axis=1)
        distance[rows] = distances.min(axis=1)
    return Neighbours(index, distance, energies[index] - energies, float(energies.std()))
