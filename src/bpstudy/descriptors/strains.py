"""Stress of chosen frames and the derivatives of their symmetry functions along strains, for the fit and the test.

A strain ε takes positions and cell vectors r to (1 + ε) r. With ASE's sign the stress is σ = dE/dε / V, so that −V σ is
to a strain what a force is to a displacement: the virial. Along the six strains of Voigt's order (xx, yy, zz, yz, xz,
xy) it is fitted as forces are, divided by the number of atoms, so that frames of all sizes count alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import PropertyNotImplementedError
from numpy.typing import NDArray

from bpstudy.descriptors.compute import FunctionSets, by_element
from bpstudy.descriptors.features import Features
from bpstudy.descriptors.gradients import Derivatives, ForceError, Gradients
from bpstudy.symmetry import SymmetryFunctions

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""ASE's order of the six components."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StressSet(Derivatives):
    """The stress of some of the frames of a set, six components each in Voigt's order, as virials per atom.

    Attributes:
        virials_ev_per_atom: −V σ / n_atoms, (n_components,).
        volumes_angstrom3_per_atom: V / n_atoms of each component's frame, (n_components,).
    """

    virials_ev_per_atom: Array
    volumes_angstrom3_per_atom: Array
    NAME: ClassVar[str] = "stress"

    @property
    def targets(self) -> Array:
        return self.virials_ev_per_atom

    def stress_gpa(self, virials_ev_per_atom: Array) -> Array:
        """σ of virials (n_components,), GPa."""
        return -virials_ev_per_atom / self.volumes_angstrom3_per_atom / units.GPa

    def _of(self, kept: NDArray[np.bool_], frame: NDArray[np.intp], gradients: Mapping[str, Gradients]) -> Self:
        return type(self)(frame, gradients, self.virials_ev_per_atom[kept], self.volumes_angstrom3_per_atom[kept])


def stress_set(
    functions: FunctionSets,
    trajectory: Sequence[Atoms],
    features: Features,
    count: int | None = None,
    threads: int = 1,
) -> StressSet:
    """Stress and dG/dε of `count` of those frames of `features` that have a stress, taken evenly (None: all).

    Args:
        trajectory: the frames that `features.frames` count; their stress as ASE has it, eV/Å³.

    Raises:
        ForceError: no frame has a stress, or one is not finite.
    """
    known = {place: s for place, n in enumerate(features.frames) if (s := _stress(trajectory[n], n)) is not None}
    if not known:
        raise ForceError("no frame has a stress; leave `stress` out of the experiment (null), or name such frames")
    there = np.array(list(known))
    places = there[np.unique(np.linspace(0, len(there) - 1, min(count or len(there), len(there))).round().astype(int))]
    sets = by_element(functions, list(features.rows))
    first = {element: np.searchsorted(of.frame, places) for element, of in features.rows.items()}

    def look(k: int) -> tuple[float, dict[str, Gradients]]:
        atoms = trajectory[features.frames[places[k]]]
        return atoms.get_volume() / len(atoms), _gradients(sets, atoms, {e: int(of[k]) for e, of in first.items()})

    with ThreadPoolExecutor(threads) as pool:
        volumes, found = zip(*pool.map(look, range(len(places))), strict=True)
    n = len(VOIGT)
    gradients = {
        element: Gradients(
            np.concatenate([of[element].component + n * k for k, of in enumerate(found)]),
            np.concatenate([of[element].row for of in found]),
            np.concatenate([of[element].values for of in found]),
        )
        for element in features.rows
    }
    volume = np.repeat(volumes, n)
    virials = -volume * np.concatenate([known[place] for place in places])
    return StressSet(np.repeat(places, n), gradients, virials, volume)


def _gradients(sets: Mapping[str, SymmetryFunctions], atoms: Atoms, first: Mapping[str, int]) -> dict[str, Gradients]:
    """dG/dε / n_atoms of one frame; `first` is the row of the frame's first atom of each element."""
    symbols = np.array(atoms.get_chemical_symbols())
    computed: dict[SymmetryFunctions, Array] = {}
    found = {}
    for element, functions in sets.items():
        own = np.flatnonzero(symbols == element)
        if functions not in computed:
            computed[functions] = functions.strain_gradients(atoms)
        strained = computed[functions][own]
        # G turns with the crystal, so that dG/dε is symmetric but for rounding.
        values = np.concatenate([(strained[:, c, d] + strained[:, d, c]) / (2 * len(atoms)) for c, d in VOIGT])
        component = np.repeat(np.arange(len(VOIGT)), len(own))
        found[element] = Gradients(component, np.tile(first[element] + np.arange(len(own)), len(VOIGT)), values)
    return found


def _stress(frame: Atoms, number: int) -> Array | None:
    """(6,), eV/Å³; None where the frame has none."""
    try:
        stress = np.asarray(frame.get_stress(apply_constraint=False), dtype=float)
    except (RuntimeError, PropertyNotImplementedError):
        return None
    if not (np.isfinite(stress).all() and frame.cell.rank == 3):
        raise ForceError(f"frame {number}: its stress is not finite, or its cell has no volume")
    return stress
