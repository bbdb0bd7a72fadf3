"""What statistical mechanics predicts for a crystal in a heat bath, and when a run has equilibrated."""

from __future__ import annotations

import numpy as np
from ase import units
from numpy.typing import NDArray
from scipy import stats

from bpstudy.config.systems import Langevin
from bpstudy.data.trajectory import degrees_of_freedom
from bpstudy.thermal.blocking import LEAST_BLOCKS, TooShortError


def temperature_distribution(temperature_kelvin: float, n_atoms: int):
    """Kinetic temperature in the canonical ensemble: a gamma distribution, (T/f)·χ²_f with f = 3N − 3."""
    f = degrees_of_freedom(n_atoms)
    return stats.gamma(f / 2, scale=2 * temperature_kelvin / f)


def harmonic_energy_distribution(temperature_kelvin: float, n_atoms: int):
    """Potential energy (eV) of harmonic vibrations above the minimum: gamma, mean f/2·k_B·T, sd √(f/2)·k_B·T."""
    return stats.gamma(degrees_of_freedom(n_atoms) / 2, scale=units.kB * temperature_kelvin)


def expected_error_kelvin(duration_fs: NDArray, bath: Langevin, n_atoms: int) -> NDArray[np.float64]:
    """Standard error of the mean temperature over a time, for harmonic vibrations under weak friction.

    The vibrational energy decorrelates as exp(−γt). Half of the variance of the kinetic energy follows it, half
    oscillates at twice the vibrational frequencies and averages out, so that var = var(T)·(x − 1 + e^(−x))/x², x = γt;
    for long times the autocorrelation time is 1/γ (M. Ceriotti, G. Bussi, M. Parrinello, doi:10.1021/ct900563s).
    """
    x = bath.friction_per_fs * np.asarray(duration_fs, float)
    variance = temperature_distribution(bath.temperature_kelvin, n_atoms).var()
    return np.sqrt(variance * (x - 1 + np.exp(-x)) / x**2)


def equilibrated_block(
    means: NDArray, block_fs: float, bath: Langevin, n_atoms: int, sigmas: float, earliest: int = 0
) -> int:
    """The first block from which the running mean of the temperature stays within `sigmas` standard errors of the
    bath's temperature. It must lie in the first half of the run: the last blocks alone would be consistent with any
    temperature.

    Args:
        means: mean temperature of each block, K.
        earliest: no block before this one is considered.

    Raises:
        TooShortError: there is none, or fewer than five blocks would remain.
    """
    if len(means) < earliest + LEAST_BLOCKS:
        raise TooShortError(f"{len(means)} blocks of {block_fs:g} fs, {earliest + LEAST_BLOCKS} are needed")
    for first in range(earliest, min(len(means) // 2, len(means) - LEAST_BLOCKS) + 1):
        lengths = np.arange(1, len(means) - first + 1)
        away = np.abs(np.cumsum(means[first:]) / lengths - bath.temperature_kelvin)
        if (away <= sigmas * expected_error_kelvin(lengths * block_fs, bath, n_atoms)).all():
            return first
    raise TooShortError(f"within {len(means)} blocks of {block_fs:g} fs the temperature does not settle at the bath's")
