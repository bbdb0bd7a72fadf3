"""A committee of networks: the mean as potential, the spread as uncertainty, calibrated to hold what it says.

C. Schran, K. Brezina, O. Marsalek, J. Chem. Phys. 153, 104105 (2020), doi:10.1063/5.0016004; calibration by split
conformal prediction, Y. Hu et al., Mach. Learn.: Sci. Technol. 3, 045028 (2022), doi:10.1088/2632-2153/aca7b1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import ArrayLike, NDArray

from bpstudy.files import atomic_path
from bpstudy.potential.calculator import Potential, PotentialError

Array = NDArray[np.float64]


AGREE = (
    "a committee that agrees exactly has no uncertainty; train it from different seeds, with more data or iterations"
)


class UncertaintyError(ValueError):
    """The committee disagrees by more than is allowed; the message names the atom."""


class AgreementError(ValueError):
    """Members that agree exactly, such as fits none of which got better than the ridge regression they began at."""


@dataclass(frozen=True)
class Calibration:
    """Half-widths of prediction intervals, in units of the committee's standard deviation.

    The interval mean ± `energy` · σ_E holds the cell energy, and mean ± `forces` · σ_F a component of a force, with
    probability `confidence` on structures like those that it was calibrated on. NaN: the members agreed exactly there,
    so their spread tells nothing. It is that of a committee of so many `members`; None: not known.
    """

    confidence: float
    energy: float
    forces: float
    members: int | None = None

    def write(self, path: str | Path) -> None:
        """As JSON."""
        with atomic_path(path) as temporary:
            numbers = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(self).items()}
            temporary.write_text(json.dumps(numbers, indent=1) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> Calibration:
        """Inverse of `write`. Raises PotentialError where the file is no calibration, or one that tells nothing."""
        try:
            found = cls(**json.loads(Path(path).read_text()))
        except (OSError, TypeError, ValueError) as error:
            raise PotentialError(f"{path}: not a calibration ({error}); give the calibration.json of a study") from None
        if None in (found.energy, found.forces):
            raise PotentialError(f"{path}: {AGREE}")
        return found


def half_width(errors: ArrayLike, spreads: ArrayLike, confidence: float) -> float:
    """The factor q for which |error| ≤ q · spread holds with probability `confidence`, by split conformal prediction.

    q is the ⌈(n + 1) · confidence⌉-th smallest of the n ratios |error| / spread.

    Raises:
        ValueError: other shapes, or too few errors for the confidence.
        AgreementError: a spread that is not positive.
    """
    error, spread = np.abs(np.ravel(errors)), np.ravel(spreads)
    if error.shape != spread.shape:
        raise ValueError(f"errors and spreads: {error.size} and {spread.size} numbers; give one spread an error")
    rank = math.ceil((error.size + 1) * confidence)
    if rank > error.size:
        needed = math.ceil(confidence / (1 - confidence))
        raise ValueError(f"{error.size} errors cannot calibrate a confidence of {confidence:g}; at least {needed} can")
    if not (spread > 0).all():
        raise AgreementError(f"spreads: {AGREE}")
    return float(np.sort(error / spread)[rank - 1])


class Committee(Calculator):
    """ASE calculator of several fits of one experiment: their mean energy, forces and stress, and their spread.

    Beside the properties of `Potential`, `results` has `energy_std` (eV) and `forces_std` (n_atoms, 3) in eV/Å: the
    standard deviations (ddof 1) over the members, times the half-widths of `calibration` where there is one.

    Args:
        folders: of the fits, each with `model.keras` and `potential.json`.
        calibration: None leaves plain standard deviations.
        stop_at_ev_per_angstrom: the largest |forces_std| of an atom (Euclidean norm) at which a structure is refused.
        **options: of each `Potential`.

    Raises:
        PotentialError: fewer than two folders, fits of other functions, elements or energies, or the calibration of a
            committee of another size.
        UncertaintyError: the committee disagrees by more than `stop_at_ev_per_angstrom`.
    """

    implemented_properties = [*Potential.implemented_properties, "energy_std", "forces_std"]  # noqa: RUF012

    def __init__(
        self,
        folders: Sequence[str | Path],
        calibration: Calibration | None = None,
        stop_at_ev_per_angstrom: float = math.inf,
        **options,
    ) -> None:
        super().__init__()
        if len(folders) < 2:
            raise PotentialError(f"{len(folders)} fits: a committee needs two or more")
        if calibration is not None and calibration.members not in (None, len(folders)):
            raise PotentialError(
                f"calibration: is of a committee of {calibration.members} fits, not of {len(folders)}, whose spread is "
                "another; give all of them, or leave it out"
            )
        if not stop_at_ev_per_angstrom > 0:
            raise PotentialError(f"stop_at_ev_per_angstrom = {stop_at_ev_per_angstrom}: it must be above 0")
        weights = [Path(folder) / "model.keras" for folder in folders]
        for place, (folder, of) in enumerate(zip(folders, weights, strict=True)):
            if of.exists() and of.read_bytes() in [other.read_bytes() for other in weights[:place] if other.exists()]:
                raise PotentialError(f"{folder}: is the same fit as one before it; a committee needs different fits")
        self.members = [Potential(folder, **options) for folder in folders]
        self.calibration = calibration or Calibration(math.nan, 1.0, 1.0)
        self.stop_at_ev_per_angstrom = stop_at_ev_per_angstrom
        first = self.members[0]
        for folder, member in zip(folders, self.members, strict=True):
            for what in ("functions", "energy_kind", "pbc"):
                if _comparable(getattr(member, what)) != _comparable(getattr(first, what)):
                    raise PotentialError(f"{folder}: has other {what} than {folders[0]}; give fits of one experiment")

    @property
    def extrapolations(self) -> int:
        """Structures outside the training domain so far, of the member that saw most."""
        return max(member.extrapolations for member in self.members)

    def calculate(
        self, atoms: Atoms | None = None, properties: list[str] | None = None, system_changes: list[str] = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        atoms = atoms or self.atoms
        assert atoms is not None
        found = []
        for member in self.members:
            member.calculate(atoms, ["energy", "forces", "stress"], system_changes)
            found.append(member.results)
        self.results = {name: np.mean([of[name] for of in found], axis=0) for name in found[0]}
        self.results["energy"] = self.results["free_energy"] = float(self.results["energy"])
        spread = {name: np.std([of[name] for of in found], axis=0, ddof=1) for name in ("energy", "forces")}
        self.results["energy_std"] = self.calibration.energy * float(spread["energy"])
        self.results["forces_std"] = self.calibration.forces * spread["forces"]
        of_atoms = force_uncertainty(self.results["forces_std"])
        if of_atoms.max() > self.stop_at_ev_per_angstrom:
            raise UncertaintyError(
                f"atom {of_atoms.argmax()}: the committee is uncertain of its force by {of_atoms.max():.3g} eV/Å, more "
                f"than {self.stop_at_ev_per_angstrom:g}; compute such structures with DFT and train on them"
            )


def force_uncertainty(forces_std: Array) -> Array:
    """Euclidean norm of the uncertainty of each atom's force (n_atoms,), eV/Å."""
    return np.linalg.norm(forces_std, axis=-1)


def _comparable(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _comparable(of) for key, of in value.items()}
    return value.to_json() if hasattr(value, "to_json") else value


def coverage(errors: ArrayLike, half_widths: ArrayLike) -> float:
    """Share of errors within ± their half-width."""
    return float((np.abs(np.ravel(errors)) <= np.ravel(half_widths)).mean())


def most_uncertain(frames: Iterable[tuple[float, Atoms]], count: int) -> list[Atoms]:
    """The `count` frames of the largest uncertainty, in their own order: candidates for the next DFT."""
    numbered = list(enumerate(frames))
    chosen = sorted(numbered, key=lambda item: -item[1][0])[:count]
    return [atoms for _, (_, atoms) in sorted(chosen, key=lambda item: item[0])]
