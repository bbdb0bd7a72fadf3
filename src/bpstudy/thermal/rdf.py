"""Radial distribution function g(r) and coordination numbers, including all periodic images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms

from bpstudy.statistics.correlation import integrated_time
from bpstudy.symmetry.neighbors import neighbors

SAME_SHELL_ANGSTROM = 1e-3


def radial_distribution(
    frames: Sequence[Atoms], cutoff_angstrom: float, bin_angstrom: float, ideal: Atoms | None = None
) -> pd.DataFrame:
    """g(r) = V/N² · ⟨Σ_i Σ_j δ(r − r_ij)⟩ / (4πr²), j over all atoms and periodic images except i itself.

    In a fixed cell an atom's own images are at fixed distances: `g_own_images` is their contribution to g, peaks due to
    the cell and not to the material.

    Args:
        ideal: the crystal at rest, for its coordination.

    Returns:
        One row per bin: distance_angstrom (its centre), g, g_own_images, and, up to the bin's outer edge, coordination
        and ideal_coordination (NaN without `ideal`) in neighbours per atom.

    Raises:
        ValueError: no frames, or a frame that is not periodic in all directions and has no density.
    """
    if not frames:
        raise ValueError("no frames: g(r) needs at least one")
    if not all(frame.pbc.all() for frame in frames):
        raise ValueError(
            "g(r) needs frames that are periodic in all three directions: otherwise the density is undefined"
        )
    edges = np.linspace(0, cutoff_angstrom, round(cutoff_angstrom / bin_angstrom) + 1)
    volumes = 4 / 3 * np.pi * np.diff(edges**3)
    g, own, counts = np.zeros((3, len(volumes)))
    for frame in frames:
        found = neighbors(frame, cutoff_angstrom)
        is_own = found.atom == found.centres()
        per_atom = np.histogram(found.distance, edges)[0] / len(frame)
        density = len(frame) / frame.get_volume()
        counts += per_atom / len(frames)
        g += per_atom / (density * volumes) / len(frames)
        own += np.histogram(found.distance[is_own], edges)[0] / len(frame) / (density * volumes) / len(frames)
    at_rest = np.full(len(g), np.nan)
    if ideal is not None:
        at_rest = np.histogram(neighbors(ideal, cutoff_angstrom).distance, edges)[0].cumsum() / len(ideal)
    return pd.DataFrame(
        {
            "distance_angstrom": (edges[1:] + edges[:-1]) / 2,
            "g": g,
            "g_own_images": own,
            "coordination": counts.cumsum(),
            "ideal_coordination": at_rest,
        }
    )


def widest_gap(ideal: Atoms, cutoff_angstrom: float) -> float:
    """Distance (Å) at the centre of the widest gap between neighbour shells of the ideal crystal.

    Raises:
        ValueError: fewer than two shells within the cutoff.
    """
    distances = np.sort(neighbors(ideal, cutoff_angstrom).distance)
    shells = distances[np.diff(distances, prepend=0) > SAME_SHELL_ANGSTROM]
    if len(shells) < 2:
        raise ValueError(
            f"{len(shells)} shells of neighbours within {cutoff_angstrom} Å, two are needed; use a larger cutoff"
        )
    widest = int(np.diff(shells).argmax())
    return float(shells[widest : widest + 2].mean())


def coordination_number(frames: Sequence[Atoms], within_angstrom: float) -> tuple[float, float]:
    """Mean number of neighbours of an atom within a distance (Å), and its standard error (NaN from one frame)."""
    numbers = np.array([len(neighbors(frame, within_angstrom).atom) / len(frame) for frame in frames])
    if len(numbers) < 2:
        return float(numbers.mean()), np.nan
    correlation = integrated_time(numbers) if np.ptp(numbers) else 1.0
    return float(numbers.mean()), float(numbers.std(ddof=1) * np.sqrt(correlation / len(numbers)))
