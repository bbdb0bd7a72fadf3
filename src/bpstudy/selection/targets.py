"""Energies and forces of frames, and the units in which their errors count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

Array = NDArray[np.float64]

FORCE_SHARE, DISPLACEMENT_SHARE = 0.15, 0.028


@dataclass(frozen=True)
class Tolerances:
    """The units of errors in the loss: of the energy an atom (eV) and of a force component (eV/Å).

    Raises:
        ValueError: one that is not positive.
    """

    energy_ev: float
    force_ev_per_angstrom: float

    def __post_init__(self) -> None:
        if not (self.energy_ev > 0 and self.force_ev_per_angstrom > 0):
            raise ValueError(
                f"tolerances: {self.energy_ev} eV, {self.force_ev_per_angstrom} eV/Å; they must be positive"
            )

    @classmethod
    def typical(cls, frames: Sequence[Atoms], nearest_angstrom: float) -> Tolerances:
        """Forces: 15 % of their root mean square; energies: the work of such a force along 2.8 % of the distance.

        For the germanium of Zuo et al. 2020 these are 0.1 eV/Å and 7 meV an atom. With energies and forces weighed by
        their variances instead, energies hardly count where cells are strained.

        Without forces, 3 % of the standard deviation of the energies an atom.
        """
        known = [f for f in (forces_of(frame) for frame in frames) if f is not None]
        rms = float(np.sqrt((np.concatenate(known) ** 2).mean())) if known else 0.0
        if rms > 0:
            return cls(DISPLACEMENT_SHARE * nearest_angstrom * FORCE_SHARE * rms, FORCE_SHARE * rms)
        energies = np.array([energy_per_atom(frame, k) for k, frame in enumerate(frames)])
        return cls(max(0.03 * float(energies.std()), 1e-6), 1.0)


class FrameErrors(NamedTuple):
    """Of the energy an atom (predicted less true), eV, and of each frame's forces the root mean square and the mean
    absolute error over the components, eV/Å; each (n_frames,). None without forces."""

    energy: Array
    force_rms: Array | None
    force_mae: Array | None

    @classmethod
    def of(cls, energies: Sequence[float], forces: Sequence[Array]) -> FrameErrors:
        """From the errors of all components, an array a frame; forces that some frames lack do not count."""
        if len(forces) < len(energies):
            return cls(np.array(energies), None, None)
        rms = [float(np.sqrt((error**2).mean())) for error in forces]
        return cls(np.array(energies), np.array(rms), np.array([float(np.abs(error).mean()) for error in forces]))


def energy_per_atom(frame: Atoms, number: int) -> float:
    """eV. Raises ValueError where frame `number` has none."""
    try:
        energy = float(frame.get_potential_energy())
    except RuntimeError:
        raise ValueError(f"frame {number} has no energy; functions are chosen by energies and forces") from None
    if not np.isfinite(energy):
        raise ValueError(f"frame {number}: the energy is {energy}; it must be finite")
    return energy / len(frame)


def forces_of(frame: Atoms) -> Array | None:
    """(3n,) in eV/Å, or None where there are none. Raises ValueError where they are not finite."""
    if frame.calc is None or "forces" not in getattr(frame.calc, "results", {}):
        return None
    forces = frame.get_forces(apply_constraint=False).ravel()
    if not np.isfinite(forces).all():
        raise ValueError("forces are not finite; leave the frame out")
    return forces
