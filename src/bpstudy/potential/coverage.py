"""Does a committee's uncertainty hold what it says? Calibrated on some frames, measured on others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.potential.committee import AgreementError, Calibration, Committee, coverage, half_width

ENERGY, FORCES = "energy", "forces"


@dataclass(frozen=True, eq=False)
class Measured:
    """Errors of a committee's mean, and its standard deviations: of energies (eV per cell) and forces (eV/Å)."""

    errors: dict[str, NDArray[np.float64]]
    spreads: dict[str, NDArray[np.float64]]


def measure(committee: Committee, frames: Sequence[Atoms]) -> Measured:
    """Of all frames, with the energy that the forces belong to, and all components of the forces."""
    errors: dict[str, list[NDArray[np.float64]]] = {ENERGY: [], FORCES: []}
    spreads: dict[str, list[NDArray[np.float64]]] = {ENERGY: [], FORCES: []}
    for frame in frames:
        committee.calculate(frame)
        found, known = committee.results, frame.calc.results
        errors[ENERGY].append(np.array([found["energy"] - known[_energy_of(committee)]]))
        errors[FORCES].append((found["forces"] - known["forces"]).ravel())
        spreads[ENERGY].append(np.array([found["energy_std"]]))
        spreads[FORCES].append(found["forces_std"].ravel())
    return Measured(*({name: np.concatenate(of) for name, of in both.items()} for both in (errors, spreads)))


def _energy_of(committee: Committee) -> str:
    return "free_energy" if committee.members[0].energy_kind == "free" else "energy"


def measure_coverage(
    folders: Sequence[str | Path], frames: Sequence[Atoms], confidence: float
) -> tuple[Calibration, pd.DataFrame]:
    """Calibrate a committee on the first half of the frames of a trajectory, and measure coverage on the second.

    Returns:
        The calibration, and for energy and forces a row: members, confidence, frames of each half, factor (of the
        standard deviation), coverage of mean ± factor · standard deviation, coverage of ± the normal distribution's
        factor (what one would have without a calibration), median half-width and RMS error (meV, meV/Å). Factor,
        coverage and half-width are NaN where the members agree exactly: there is no interval.

    Raises:
        ValueError: too few frames for the confidence, or fits that are no committee.
    """
    committee = Committee(folders, on_extrapolation="ignore")
    half = len(frames) // 2
    known, held_out = (measure(committee, part) for part in (frames[:half], frames[half:]))
    normal = NormalDist().inv_cdf((1 + confidence) / 2)
    factors, rows = {}, []
    for name, unit in ((ENERGY, "mev_per_cell"), (FORCES, "mev_per_angstrom")):
        try:
            factor = half_width(known.errors[name], known.spreads[name], confidence)
        except AgreementError:
            factor = math.nan
        factors[name] = factor
        errors, spreads = held_out.errors[name], held_out.spreads[name]
        rows.append(
            {
                "quantity": name,
                "unit": unit,
                "members": len(folders),
                "confidence": confidence,
                "frames_calibrated": half,
                "frames_measured": len(frames) - half,
                "factor": factor,
                "coverage": math.nan if math.isnan(factor) else coverage(errors, factor * spreads),
                "coverage_uncalibrated": coverage(errors, normal * spreads),
                "half_width_median": 1000 * float(np.median(factor * spreads)),
                "rmse": 1000 * float(np.sqrt(np.mean(errors**2))),
            }
        )
    return Calibration(confidence, factors[ENERGY], factors[FORCES], len(folders)), pd.DataFrame(rows)
