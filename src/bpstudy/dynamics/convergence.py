"""Are the DFT settings converged? Variants of them on the same few frames, compared with a tight reference.

Only energy differences matter for dynamics and fits. The error of a variant is therefore the standard deviation of its
energies from those of the reference, after removing their constant difference.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import Calculator

from bpstudy.config.checks import TRAJECTORY, DftConvergence

TABLE = (
    "variant",
    "against",
    "frames",
    "seconds_per_frame",
    "constant_mev_per_atom",
    "energy_std_mev_per_atom",
    "forces_rms_mev_per_angstrom",
)
NOISE = ("system", "against", "frames", "energy_std_mev_per_atom", "forces_rms_mev_per_angstrom")


class ConvergenceError(ArithmeticError):
    """A variant cannot be computed or compared; the message names the variant and the frame."""


def even_frames(available: int, count: int) -> slice:
    """`count` frames from the centres of equal parts of a trajectory; never the first, the ideal crystal.

    Raises:
        ValueError: the trajectory is too short.
    """
    if count > available:
        raise ValueError(f"{count} frames are requested, the trajectory has {available}")
    part = available // count
    first = part // 2
    return slice(first, first + (count - 1) * part + 1, part)


def evaluate(frames: Sequence[Atoms], calculator: Calculator | None = None) -> pd.DataFrame:
    """Energies and forces of the frames, one row each; each starts from the wave functions of the previous one.

    Args:
        calculator: None takes the energies and forces stored in the frames.

    Returns:
        frame, energy_ev (σ → 0), free_ev (which the forces belong to), seconds (NaN without a calculator), and
        force_<atom>_<x, y or z> in eV/Å.

    Raises:
        ConvergenceError: the calculator failed, or a number is not finite.
    """
    rows = []
    for number, frame in enumerate(frames):
        atoms = frame
        if calculator is not None:
            atoms = frame.copy()
            atoms.set_constraint()
            atoms.calc = calculator
        start = time.perf_counter()
        try:
            values = {
                "energy_ev": atoms.get_potential_energy(),
                "free_ev": atoms.get_potential_energy(force_consistent=True),
                **_force_columns(atoms.get_forces(apply_constraint=False)),
            }
        except Exception as error:  # every calculator has its own error for a cycle that does not converge
            reason = " ".join(str(error).split()) or "no reason given"
            raise ConvergenceError(f"frame {number}: {type(error).__name__}: {reason}") from error
        if not np.isfinite(list(values.values())).all():
            raise ConvergenceError(f"frame {number}: energy or forces are not finite")
        seconds = np.nan if calculator is None else time.perf_counter() - start
        rows.append({"frame": number, "seconds": seconds, **values})
    return pd.DataFrame(rows)


def _force_columns(forces: np.ndarray) -> dict[str, float]:
    return {f"force_{i}_{axis}": vector[k] for i, vector in enumerate(forces) for k, axis in enumerate("xyz")}


def forces(table: pd.DataFrame) -> np.ndarray:
    """Forces of a variant, (n_frames, n_atoms, 3), eV/Å."""
    names = [name for name in table.columns if re.fullmatch(r"force_\d+_[xyz]", name)]
    return table[names].to_numpy(float).reshape(len(table), -1, 3)


def difference(variant: pd.DataFrame, reference: pd.DataFrame) -> tuple[float, float, float]:
    """Mean and standard deviation of the energy difference (meV/atom), and RMS force difference (meV/Å).

    The standard deviation has n − 1 in its denominator, since the mean is taken from the same n frames.

    Raises:
        ConvergenceError: different frames, or fewer than three.
    """
    if not variant["frame"].equals(reference["frame"]) or len(variant) < 3:
        raise ConvergenceError(
            f"{len(variant)} frames are compared with {len(reference)}; the same frames are needed, three or more"
        )
    away = forces(variant) - forces(reference)
    per_atom = (variant["energy_ev"] - reference["energy_ev"]) * 1000 / away.shape[1]
    return float(per_atom.mean()), float(per_atom.std(ddof=1)), float(1000 * np.sqrt((away**2).mean()))


def seconds_per_frame(variant: pd.DataFrame) -> float:
    """Median without the first frame, which starts from scratch. The frames are far apart in time; steps of molecular
    dynamics are faster."""
    return float(variant["seconds"].iloc[1:].median())


def compare(variants: Mapping[str, pd.DataFrame], settings: DftConvergence) -> pd.DataFrame:
    """Each variant compared with the tight reference and with the study's settings, one row each.

    The variant `trajectory` holds the energies and forces of the dynamics themselves. Its comparison with `converged`
    is the noise floor: the settings differ only in when the self-consistent cycle stops. That error is not a function
    of the positions, so that no fit can go below it; the effect of the other settings is, and a fit learns it.
    """
    pairs = [(name, other) for other in (settings.reference, settings.study) for name in variants if name != other]
    pairs.append((TRAJECTORY, settings.converged))
    rows = []
    for name, other in pairs:
        try:
            differences = difference(variants[name], variants[other])
        except ConvergenceError as error:
            raise ConvergenceError(f"{name} against {other}: {error}") from None
        rows.append((name, other, len(variants[name]), seconds_per_frame(variants[name]), *differences))
    return pd.DataFrame(rows, columns=list(TABLE))


def noise(
    held: Mapping[str, pd.DataFrame], converged: Mapping[str, pd.DataFrame], settings: Mapping[str, DftConvergence]
) -> pd.DataFrame:
    """The noise floor of each system: its trajectory compared with the same settings, converged further.

    Args:
        held: by system, energies and forces stored in the trajectory.
        converged: by system, the variant called `converged` in its settings.
    """
    rows = []
    for system, of in settings.items():
        _, energy_std, forces_rms = difference(held[system], converged[system])
        rows.append((system, of.converged, len(held[system]), energy_std, forces_rms))
    return pd.DataFrame(rows, columns=list(NOISE))
