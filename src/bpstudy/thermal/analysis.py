"""Validation of the dynamics: temperature, equilibration, fluctuations and drift compared with theory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from ase import Atoms
from scipy import stats

from bpstudy.config.checks import Thermal
from bpstudy.config.systems import Langevin
from bpstudy.thermal.blocking import (
    LEAST_BLOCKS,
    Correlated,
    Estimate,
    TooShortError,
    block_means,
    correlation_frames,
)
from bpstudy.thermal.canonical import equilibrated_block, harmonic_energy_distribution, temperature_distribution
from bpstudy.thermal.rdf import coordination_number, widest_gap
from bpstudy.thermal.settling import settling_interval

BINS = 30
STRETCH = 5  # memories of the bath in each stretch of the bootstrap
DISTRIBUTION = ("quantity", "value", "density", "expected")


@dataclass(frozen=True)
class Run:
    """Thermodynamic data of a trajectory and the settings of its analysis.

    `thermo` is the table of `bpstudy.data.trajectory.thermodynamics`; `bath` is None if unknown.
    """

    thermo: pd.DataFrame
    n_atoms: int
    settings: Thermal
    bath: Langevin | None = None

    @property
    def frame_fs(self) -> float:
        """Time between frames, NaN if unknown."""
        return float(self.thermo["time_fs"].diff().iloc[1]) if len(self.thermo) > 1 else np.nan

    @property
    def block_frames(self) -> int:
        """Frames per block; without times a single block, so that no error is estimated."""
        if np.isnan(self.frame_fs):
            return len(self.thermo)
        return max(1, round(self.settings.block_fs / self.frame_fs))

    def at_bath(self, relaxations: float = 0.0) -> int:
        """First frame from which the temperature stays at the bath's, after at least this many relaxation times 1/γ.

        Raises:
            TooShortError: the bath is unknown, or there is no such frame.
        """
        if self.bath is None:
            raise TooShortError("no bath is known")
        means = block_means(self.thermo["temperature_kelvin"].to_numpy(), self.block_frames)
        block_fs = self.block_frames * self.frame_fs
        earliest = int(np.ceil(relaxations / (self.bath.friction_per_fs * block_fs)))
        sigmas = self.settings.equilibration_sigmas
        return equilibrated_block(means, block_fs, self.bath, self.n_atoms, sigmas, earliest) * self.block_frames

    def first_frame(self) -> int:
        """The first frame of the statistics: in equilibrium with the bath, or frame 0 without a bath.

        Raises:
            TooShortError: the run does not reach equilibrium.
        """
        return 0 if self.bath is None else self.at_bath(self.settings.left_out_relaxation_times)

    @property
    def memory_frames(self) -> float:
        """Correlation time 1/γ of the bath, in frames: temperature and energy have no shorter one."""
        return 1 / (self.bath.friction_per_fs * self.frame_fs) if self.bath else 1.0

    def series(self, column: str) -> Correlated:
        """A column over the equilibrated frames: temperature_kelvin, or potential_ev in meV/atom.

        Raises:
            TooShortError: the run is not equilibrated, or the frames lack the quantity.
        """
        try:
            values = self.thermo[column].to_numpy(float)[self.first_frame() :]
        except TooShortError as reason:
            raise TooShortError(f"not equilibrated: {reason}") from None
        if np.isnan(values).any():
            raise TooShortError(f"the frames have no {column}")
        if column == "potential_ev":
            values = values * 1000 / self.n_atoms
        return Correlated(values, self.block_frames, self.memory_frames)

    @property
    def temperature_kelvin(self) -> float:
        """Temperature of the bath, or the mean temperature without one."""
        return self.bath.temperature_kelvin if self.bath else float(self.thermo["temperature_kelvin"].mean())


def summary(run: Run) -> pd.DataFrame:
    """One row per quantity: quantity, unit, value, error, expected by theory, and the reason for a missing value."""
    bath_kelvin = run.bath.temperature_kelvin if run.bath else np.nan
    temperature = run.temperature_kelvin
    t_sd = temperature_distribution(temperature, run.n_atoms).std()
    e_sd = harmonic_energy_distribution(temperature, run.n_atoms).std() * 1000 / run.n_atoms
    memory_fs = run.memory_frames * run.frame_fs if run.bath else np.nan
    rows = [
        row("frames", "", lambda: Estimate(len(run.thermo))),
        row("temperature_at_bath_from", "fs", lambda: Estimate(run.at_bath() * run.frame_fs)),
        row("statistics_from", "fs", lambda: Estimate(run.first_frame() * run.frame_fs)),
        row("temperature_mean", "K", lambda: run.series("temperature_kelvin").mean(), bath_kelvin),
        row("temperature_ks_p", "", lambda: kolmogorov_smirnov(run)),
    ]
    for name, column, unit, sd in (
        ("temperature", "temperature_kelvin", "K", t_sd),
        ("potential", "potential_ev", "meV/atom", e_sd),
    ):
        rows += [
            row(f"{name}_sd", unit, partial(_spread, run, column), sd),
            row(f"{name}_drift", f"{unit}/ps", partial(_drift_per_ps, run, column), 0.0),
            row(f"{name}_correlation", "fs", partial(_correlation_fs, run, column), memory_fs),
            row(f"{name}_independent", "frames", partial(_independent, run, column)),
        ]
    return pd.DataFrame([*rows, *_settling(run)])


def _settling(run: Run) -> list[dict[str, object]]:
    """Rows of the time from which the running mean of the temperature stays near the bath's, with its interval."""
    names = ("temperature_settled_from", "temperature_settled_from_low", "temperature_settled_from_high")
    try:
        if run.bath is None:
            raise TooShortError("no bath is known")
        size = run.block_frames
        blocks = settling_interval(
            block_means(run.thermo["temperature_kelvin"].to_numpy(), size),
            run.first_frame() // size,
            int(np.ceil(STRETCH * run.memory_frames / size)),
            run.bath.temperature_kelvin,
            run.settings.settled_within,
            np.random.default_rng(0),
        )
    except TooShortError as error:
        reason = error
        return [row(name, "fs", lambda: Estimate(reason=str(reason))) for name in names]
    times_fs = [value * size * run.frame_fs for value in blocks]
    return [row(name, "fs", partial(Estimate, time)) for name, time in zip(names, times_fs, strict=True)]


def _spread(run: Run, column: str) -> Estimate:
    return run.series(column).spread()


def _drift_per_ps(run: Run, column: str) -> Estimate:
    slope = run.series(column).drift()
    return Estimate(slope.value * 1000 / run.frame_fs, slope.error * 1000 / run.frame_fs)


def _correlation_fs(run: Run, column: str) -> Estimate:
    """Estimated from the frames alone, disregarding the bath's correlation time."""
    return Estimate(correlation_frames(run.series(column).series, run.block_frames) * run.frame_fs)


def _independent(run: Run, column: str) -> Estimate:
    data = run.series(column)
    return Estimate(len(data.series) / data.correlation_frames())


def row(quantity: str, unit: str, estimate: Callable[[], Estimate], expected: float = np.nan) -> dict[str, object]:
    """A row of the summary; a value that cannot be determined is empty, with the reason."""
    try:
        found = estimate()
    except TooShortError as reason:
        found = Estimate(reason=str(reason))
    return {
        "quantity": quantity,
        "unit": unit,
        "value": found.value,
        "error": found.error,
        "expected": expected,
        "reason": found.reason,
    }


def kolmogorov_smirnov(run: Run) -> Estimate:
    """p value of the Kolmogorov-Smirnov test of T against theory, on frames one correlation time apart.

    Raises:
        TooShortError: no bath, or too few independent frames.
    """
    if run.bath is None:
        raise TooShortError(
            "no bath is known, and estimating its temperature from the frames would invalidate the test"
        )
    data = run.series("temperature_kelvin")
    thinned = data.series[:: int(np.ceil(data.correlation_frames()))]
    if len(thinned) < LEAST_BLOCKS:
        raise TooShortError(f"{len(thinned)} independent frames, {LEAST_BLOCKS} are needed")
    expected = temperature_distribution(run.bath.temperature_kelvin, run.n_atoms)
    return Estimate(float(stats.kstest(thinned, expected.cdf).pvalue))


def blocks(run: Run) -> pd.DataFrame:
    """One row per block: central time, mean, minimum and maximum temperature, mean potential energy of the cell."""
    size = run.block_frames
    table = run.thermo.iloc[: len(run.thermo) // size * size]
    grouped = table.groupby(np.arange(len(table)) // size)
    return pd.DataFrame(
        {
            "time_fs": grouped["time_fs"].mean(),
            "temperature_kelvin": grouped["temperature_kelvin"].mean(),
            "temperature_min_kelvin": grouped["temperature_kelvin"].min(),
            "temperature_max_kelvin": grouped["temperature_kelvin"].max(),
            "potential_ev": grouped["potential_ev"].mean(),
        }
    )


def distributions(run: Run) -> pd.DataFrame:
    """Histograms in equilibrium: quantity (temperature in K, potential in meV/atom about its mean), bin centre,
    density and expected density; no rows if the run is not equilibrated."""
    temperature = temperature_distribution(run.temperature_kelvin, run.n_atoms)
    harmonic = harmonic_energy_distribution(run.temperature_kelvin, run.n_atoms)
    unit = 1000 / run.n_atoms  # of the cell's eV
    tables = []
    for quantity, column in (("temperature", "temperature_kelvin"), ("potential", "potential_ev")):
        try:
            series = run.series(column).series
        except TooShortError:
            continue
        if quantity == "potential":
            series = series - series.mean()
        density, edges = np.histogram(series, BINS, density=True)
        middle = (edges[1:] + edges[:-1]) / 2
        if quantity == "temperature":
            expected = temperature.pdf(middle)
        else:
            expected = harmonic.pdf(middle / unit + harmonic.mean()) / unit
        tables.append(pd.DataFrame({"quantity": quantity, "value": middle, "density": density, "expected": expected}))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(DISTRIBUTION))


def structure_frames(run: Run) -> slice:
    """Frames over which g(r) is averaged: evenly spaced among the equilibrated ones, or among all if there are none."""
    try:
        first = run.first_frame()
    except TooShortError:
        first = 0
    return slice(first, None, max(1, (len(run.thermo) - first) // run.settings.rdf_frames))


def coordination(frames: Sequence[Atoms], ideal: Atoms, cutoff_angstrom: float) -> dict[str, object]:
    """Row of the summary: coordination number up to the widest gap between shells of the ideal crystal."""
    within = widest_gap(ideal, cutoff_angstrom)
    expected = coordination_number([ideal], within)[0]
    unit = f"atoms within {within:.3f} Å"
    return row("coordination_number", unit, lambda: Estimate(*coordination_number(frames, within)), expected)
