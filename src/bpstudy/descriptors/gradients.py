"""Forces of chosen frames and the derivatives of their symmetry functions, for the fit and for the test.

dG/dR is kept for the pairs of atoms that see each other only: one row for a force component and an atom whose functions
change with it. So memory grows with the number of neighbours, not with the square of the number of atoms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from numpy.typing import NDArray

from bpstudy.descriptors.compute import FunctionSets, by_element
from bpstudy.descriptors.features import Features, segment_sums
from bpstudy.symmetry import SymmetryFunctions


class ForceError(ValueError):
    """Forces cannot be used; the message names the frame and what is wrong."""


@dataclass(frozen=True, eq=False)
class Gradients:
    """dG/dR of the atoms of one element, one row for each force component and atom that change together.

    Attributes:
        component: position of the component among the forces, non-decreasing, (n_entries,).
        row: of the atom in the element's `AtomRows`, (n_entries,).
        values: 1/Å, (n_entries, n_functions).
    """

    component: NDArray[np.intp]
    row: NDArray[np.intp]
    values: NDArray[np.float64]

    def sums(self, n_components: int) -> NDArray[np.float64]:
        """dG/dR summed over the atoms, (n_components, n_functions)."""
        return segment_sums(self.values, self.component, n_components)


@dataclass(frozen=True, eq=False)
class Derivatives(ABC):
    """Minus derivatives of the energies of some of the frames of a set, and those of their symmetry functions.

    Attributes:
        frame: position in the set of each component's frame, non-decreasing, (n_components,).
        gradients: {element: `Gradients`}, of the same derivatives, with a plus sign.
    """

    frame: NDArray[np.intp]
    gradients: Mapping[str, Gradients]
    NAME: ClassVar[str]

    @property
    @abstractmethod
    def targets(self) -> NDArray[np.float64]:
        """What the model is fitted to, (n_components,)."""

    @abstractmethod
    def _of(self, kept: NDArray[np.bool_], frame: NDArray[np.intp], gradients: Mapping[str, Gradients]) -> Self:
        """The components that are kept."""

    @property
    def places(self) -> NDArray[np.intp]:
        """Positions of the frames that have components here."""
        return np.unique(self.frame)

    def sums(self) -> NDArray[np.float64]:
        """dG/dR summed over each element's atoms, elements side by side: (n_components, n)."""
        return np.hstack([d.sums(len(self.frame)) for d in self.gradients.values()])

    def take(self, places: NDArray[np.intp], features: Features) -> Self:
        """Those of some frames of the set, strictly increasing; `features` are those of the set."""
        kept = np.isin(self.frame, places)
        new_component = np.cumsum(kept) - 1
        gradients = {}
        for element, d in self.gradients.items():
            chosen = kept[d.component]
            new_row = np.cumsum(np.isin(features.rows[element].frame, places)) - 1
            gradients[element] = Gradients(new_component[d.component[chosen]], new_row[d.row[chosen]], d.values[chosen])
        return self._of(kept, np.searchsorted(places, self.frame[kept]), gradients)


@dataclass(frozen=True, eq=False)
class ForceSet(Derivatives):
    """Chosen components of the forces, F = −dE/dR.

    Attributes:
        forces_ev_per_angstrom: (n_components,).
    """

    forces_ev_per_angstrom: NDArray[np.float64]
    NAME: ClassVar[str] = "forces"

    @property
    def targets(self) -> NDArray[np.float64]:
        return self.forces_ev_per_angstrom

    def _of(self, kept: NDArray[np.bool_], frame: NDArray[np.intp], gradients: Mapping[str, Gradients]) -> Self:
        return type(self)(frame, gradients, self.forces_ev_per_angstrom[kept])


def read_functions(blocks: Sequence[str | Path]) -> SymmetryFunctions:
    """The functions of blocks side by side, from the descriptions beside the blocks.

    Raises:
        ForceError: the blocks were made with different tolerances.
    """
    sets = [SymmetryFunctions.from_json(Path(path).with_suffix(".json").read_text()) for path in blocks]
    if len({functions.tolerance for functions in sets}) > 1:
        raise ForceError(f"{blocks[0]} and others: made with different tolerances; remove them to compute them again")
    return SymmetryFunctions([f for functions in sets for f in functions.functions], sets[0].tolerance)


def force_set(
    functions: FunctionSets,
    trajectory: Sequence[Atoms],
    features: Features,
    count: int | None = None,
    components: int | None = None,
    seed: int = 0,
    threads: int = 1,
) -> ForceSet:
    """Forces and dG/dR of `count` of the frames of `features`, taken evenly (all where there are fewer, or None).

    Args:
        trajectory: the frames that `features.frames` count.
        components: how many of the 3N of each frame, drawn at random with `seed`; None takes all.

    Raises:
        ForceError: a frame has no forces, or these are not finite.
    """
    n_frames = features.n_frames
    places = np.unique(np.linspace(0, n_frames - 1, min(count or n_frames, n_frames)).round().astype(int))
    rng = np.random.default_rng(seed)
    sizes = 3 * features.n_atoms[places]
    chosen = [np.sort(rng.choice(n, min(components or n, n), replace=False)) for n in sizes]
    sets = by_element(functions, list(features.rows))
    rows = {element: np.searchsorted(of.frame, places) for element, of in features.rows.items()}
    numbers = features.frames[places]

    def look(k: int) -> tuple[NDArray[np.float64], dict[str, Gradients]]:
        atoms = trajectory[numbers[k]]
        first = {element: int(start[k]) for element, start in rows.items()}
        return _forces(atoms, numbers[k])[chosen[k]], _gradients(sets, atoms, chosen[k], first)

    with ThreadPoolExecutor(threads) as pool:
        forces, found = zip(*pool.map(look, range(len(places))), strict=True)
    before = np.cumsum([0, *map(len, chosen[:-1])])
    gradients = {
        element: Gradients(
            np.concatenate([of[element].component + n for of, n in zip(found, before, strict=True)]),
            np.concatenate([of[element].row for of in found]),
            np.concatenate([of[element].values for of in found]),
        )
        for element in features.rows
    }
    return ForceSet(np.repeat(places, [len(c) for c in chosen]), gradients, np.concatenate(forces))


def _gradients(
    sets: Mapping[str, SymmetryFunctions], atoms: Atoms, components: NDArray[np.intp], first: Mapping[str, int]
) -> dict[str, Gradients]:
    """Of some components of one frame; `first` is the row of the frame's first atom of each element."""
    symbols = np.array(atoms.get_chemical_symbols())
    alike, asked = len(set(sets.values())) == 1, np.zeros(len(atoms), bool)
    asked[components // 3] = True
    found, pairs = {}, None
    for element, functions in sets.items():
        own = symbols == element
        if not alike or pairs is None:
            near = functions.neighbors(atoms)
            pairs = functions.pair_gradients(atoms, near if alike else near.around(own), asked)
        centre, moved, d = pairs
        mine = np.flatnonzero(own[centre])
        mine = mine[np.argsort(moved[mine], kind="stable")]  # by the atom that moves, then by centre
        start = np.searchsorted(moved[mine], np.arange(len(atoms) + 1))
        atom, axis = np.divmod(components, 3)
        counts = start[atom + 1] - start[atom]
        component = np.repeat(np.arange(len(components)), counts)
        within = np.arange(len(component)) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = mine[np.repeat(start[atom], counts) + within]
        number = np.cumsum(own) - 1  # of each atom among those of its element
        found[element] = Gradients(component, first[element] + number[centre[chosen]], d[chosen, axis[component]])
    return found


def _forces(frame: Atoms, number: int) -> NDArray[np.float64]:
    try:
        forces = frame.get_forces(apply_constraint=False).ravel()
    except (RuntimeError, PropertyNotImplementedError):
        raise ForceError(f"frame {number} has no forces; leave `forces` out of the experiment (null)") from None
    if not np.isfinite(forces).all():
        raise ForceError(f"frame {number}: forces are not finite")
    return forces
