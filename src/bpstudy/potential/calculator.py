"""A fitted network as a potential: an ASE calculator made from the folder of one fit.

The folder holds `model.keras` (weights, and the fixed mean and scale of each function) and `potential.json` (the
symmetry functions, which energy was fitted, and what the training atoms were like).
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers, chemical_symbols
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from bpstudy.network.description import DESCRIPTION, FORMAT, MODEL
from bpstudy.network.domain import Known
from bpstudy.network.element import element_networks
from bpstudy.network.model import load_network
from bpstudy.symmetry import NeighborList, SymmetryFunctions

Array = NDArray[np.float64]


class PotentialError(ValueError):
    """The folder does not hold a potential, or its potential was not made for this structure."""


class ExtrapolationError(ValueError):
    """A structure lies outside the training domain; the message names the atom and the function."""


class ExtrapolationWarning(UserWarning):
    """As ExtrapolationError."""


class Potential(Calculator):
    """ASE calculator of a fitted network: energy, energy of each atom (eV), forces (eV/Å) and stress (eV/Å³).

    Any cell and any number of atoms, with all periodic images inside the cutoff; elements and periodic axes must be
    those of the training. The energy is the one that was fitted, and `forces` and `stress` are its exact derivatives:
    with `energy: free` in the experiment the free energy, which the DFT's forces belong to.

    Args:
        folder: of one fit, with `model.keras` and `potential.json`.
        on_extrapolation: what happens with an atom outside the training domain: "warn" (once), "stop" or "ignore".
            `extrapolations` counts such structures.
        margin: how far outside is too far: the share of a function's training range, and of the largest Mahalanobis
            distance of a training atom.
        threads: that share the atoms of a structure; the numbers do not depend on it.

    Raises:
        PotentialError: the folder is no potential of this version, or a structure has other elements or periodic axes.
        ExtrapolationError: with "stop", names atom and function.
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]  # noqa: RUF012 (as ASE has it)

    def __init__(
        self,
        folder: str | Path,
        on_extrapolation: Literal["warn", "stop", "ignore"] = "warn",
        margin: float = 0.1,
        threads: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if on_extrapolation not in ("warn", "stop", "ignore"):
            raise PotentialError(f"on_extrapolation = {on_extrapolation!r} is not allowed; it is warn, stop or ignore")
        if not margin >= 0:
            raise PotentialError(f"margin = {margin} is not allowed; it must be 0 or more")
        if threads < 1:
            raise PotentialError(f"threads = {threads} is not allowed; it must be 1 or more")
        self.on_extrapolation, self.margin, self.extrapolations = on_extrapolation, margin, 0
        self.threads = threads
        data = _read(Path(folder))
        self.energy_kind: str = data["energy"]
        self.pbc = np.array(data["pbc"], dtype=bool)  # (n, 3), each combination of periodic axes once
        self.functions = {e: SymmetryFunctions.from_json(json.dumps(of)) for e, of in data["functions"].items()}
        self.known = {element: Known.from_dict(of) for element, of in data["known"].items()}
        self._lists = {of: NeighborList(of.cutoff) for of in self.functions.values()}
        labels = {element: of.labels for element, of in self.functions.items()}
        self.networks = element_networks(load_network(Path(folder) / MODEL, labels))

    def calculate(
        self, atoms: Atoms | None = None, properties: list[str] | None = None, system_changes: list[str] = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        atoms = atoms or self.atoms
        assert atoms is not None
        self.check(atoms)
        with_forces = bool({"forces", "stress"} & set(properties or ["forces"]))
        energies, forces, strain_derivative = np.empty(len(atoms)), np.zeros((len(atoms), 3)), np.zeros((3, 3))
        for functions, elements in self._shared({chemical_symbols[n] for n in np.unique(atoms.numbers)}):
            near = self._lists[functions].update(atoms, self.threads)
            values = functions.compute(atoms, self.threads, near)
            slopes = np.zeros_like(values)
            for element in elements:
                chosen = np.flatnonzero(atoms.numbers == atomic_numbers[element])
                self._watch(values[chosen], chosen, element)
                energies[chosen], slopes[chosen] = self.networks[element].energies(values[chosen])
            if with_forces:
                pulled, strained = functions.contract(atoms, slopes, self.threads, near)
                forces, strain_derivative = forces + pulled, strain_derivative + strained
        self.results = {"energy": float(energies.sum()), "free_energy": float(energies.sum()), "energies": energies}
        if with_forces:
            self.results["forces"] = forces
            if atoms.cell.rank == 3:
                stress = (strain_derivative + strain_derivative.T) / (2 * atoms.get_volume())
                self.results["stress"] = full_3x3_to_voigt_6_stress(stress)

    @property
    def cutoff(self) -> float:
        """The largest cutoff of the functions, Å."""
        return max(of.cutoff for of in self.functions.values())

    def _shared(self, elements: set[str]) -> list[tuple[SymmetryFunctions, list[str]]]:
        """The sets of functions needed, each with the elements whose atoms it describes."""
        found: dict[SymmetryFunctions, list[str]] = {}
        for element in sorted(elements):
            found.setdefault(self.functions[element], []).append(element)
        return list(found.items())

    def check(self, atoms: Atoms) -> None:
        """Raise PotentialError for elements or periodic axes that the training frames did not have."""
        known = np.isin(atoms.numbers, [atomic_numbers[element] for element in self.networks])
        if not known.all():
            number = int(known.argmin())
            raise PotentialError(
                f"atom {number} is {atoms.symbols[number]}; the potential was trained on {', '.join(self.networks)}"
            )
        if not (atoms.pbc == self.pbc).all(axis=1).any():
            raise PotentialError(
                f"the structure has pbc = {atoms.pbc.tolist()}, the training had {self.pbc.tolist()}; "
                "the potential knows no others"
            )

    def _watch(self, values: Array, atoms: NDArray[np.intp], element: str) -> None:
        if self.on_extrapolation == "ignore":
            return
        found = self.known[element].outside(values, self.margin)
        if found is None:
            return
        self.extrapolations += 1
        atom, function, by = found
        what = "Mahalanobis distance" if function is None else self.functions[element].labels[function]
        unit = "of the largest in training" if function is None else "of its training range"
        message = f"atom {atoms[atom]} ({element}): {what} lies outside by {by:.2g} {unit}; the energy is a guess there"
        if self.on_extrapolation == "stop":
            raise ExtrapolationError(message)
        if self.extrapolations == 1:
            warnings.warn(f"{message} (said once; `extrapolations` counts)", ExtrapolationWarning, stacklevel=2)


def _read(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise PotentialError(f"{path}: cannot be read ({error}); give the folder of a fit with its {MODEL}") from None
    if data.get("format") != FORMAT:
        raise PotentialError(
            f"{path}: has the format {data.get('format')}, this version reads {FORMAT}; train the network again"
        )
    if not (folder / MODEL).is_file():
        raise PotentialError(f"{folder / MODEL}: is missing; a potential needs it beside {DESCRIPTION}")
    return dict(data)
