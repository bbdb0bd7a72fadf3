"""A sample of the data that sees products of functions: what a network can do with a set, not only a linear model.

Products G_f G_g of the functions of one atom are linear features too. The pool's 400 functions have 80 000 of them, so
they are never kept: of some frames all values stay, of some atoms a in each the derivatives dG_if/dR_a of the pairs
that see each other, and `products` makes from them the rows of energies and forces of G_s with every other function
when it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray

from bpstudy.selection.targets import Tolerances, energy_per_atom, forces_of
from bpstudy.symmetry import SymmetryFunctions
from bpstudy.symmetry.compiled import compiled

Array = NDArray[np.float64]
MOST_ATOMS = 100_000


@compiled
def _energy_rows(values, frame, element, share, s, out):
    """out[frame, element, j] += share · x_s x_j of each atom."""
    for i in range(values.shape[0]):
        factor = share[i] * values[i, s]
        for j in range(values.shape[1]):
            out[frame[i], element[i], j] += factor * values[i, j]


@compiled
def _force_rows(values, centre, place, element, slopes, s, out):
    """out[place, c, element, j] −= x_s dx_j/dR_c + x_j dx_s/dR_c of each pair."""
    for p in range(slopes.shape[0]):
        i = centre[p]
        e = element[i]
        x = values[i, s]
        for c in range(3):
            d = slopes[p, c, s]
            for j in range(slopes.shape[2]):
                out[place[p], c, e, j] -= x * slopes[p, c, j] + values[i, j] * d


@compiled
def _linear_rows(centre, place, element, slopes, out):
    """out[place, c, element, j] −= dx_j/dR_c of each pair."""
    for p in range(slopes.shape[0]):
        e = element[centre[p]]
        for c in range(3):
            for j in range(slopes.shape[2]):
                out[place[p], c, e, j] -= slopes[p, c, j]


@compiled
def _square_rows(values, centre, place, element, slopes, out):
    """out[place, c, element, j] −= 2 x_j dx_j/dR_c of each pair."""
    for p in range(slopes.shape[0]):
        i = centre[p]
        for c in range(3):
            for j in range(slopes.shape[2]):
                out[place[p], c, element[i], j] -= 2 * values[i, j] * slopes[p, c, j]


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of energies and forces for functions and their products, x = (G − mean) / sd of each element's atoms.

    Attributes:
        elements: symbols; each has coefficients of its own.
        values: x of all atoms of the frames, float32 (n_atoms, n_functions).
        frame, element: of each atom, (n_atoms,).
        composition: n_e / n of each frame, (n_frames, n_elements).
        energies_ev_per_atom: (n_frames,).
        centre, place: of each kept pair the central atom (a row of `values`) and the atom that moves, 0 … n_moved − 1.
        slopes: dx/dR of the pairs, 1/Å, float32 (n_pairs, 3, n_functions).
        forces: of the atoms that move, eV/Å, (n_moved, 3).
        energy_weight, force_weight: what multiplies the rows, so that the sum of squares is the loss.
    """

    elements: tuple[str, ...]
    values: NDArray[np.float32]
    frame: NDArray[np.intp]
    element: NDArray[np.intp]
    composition: Array
    energies_ev_per_atom: Array
    centre: NDArray[np.intp]
    place: NDArray[np.intp]
    slopes: NDArray[np.float32]
    forces: Array
    energy_weight: float
    force_weight: float

    @property
    def n_functions(self) -> int:
        return self.values.shape[1]

    @property
    def n_rows(self) -> int:
        return len(self.energies_ev_per_atom) + self.forces.size

    def targets(self) -> Array:
        """Energies without those of the atoms, then forces, weighted, (n_rows,)."""
        energies = self._centred(self.energies_ev_per_atom[:, None])[:, 0]
        return np.concatenate([self.energy_weight * energies, self.force_weight * self.forces.ravel()])

    def linear(self) -> Array:
        """Rows of the functions themselves, (n_rows, n_functions, n_elements)."""
        sums, forces = self._empty()
        np.add.at(sums, (self.frame, self.element), self.values * self._share()[:, None])
        _linear_rows(self.centre, self.place, self.element, self.slopes, forces)
        return self._rows(sums, forces)

    def squares(self) -> Array:
        """Rows of x_j², (n_rows, n_functions, n_elements)."""
        sums, forces = self._empty()
        np.add.at(sums, (self.frame, self.element), self.values**2 * self._share()[:, None])
        _square_rows(self.values, self.centre, self.place, self.element, self.slopes, forces)
        return self._rows(sums, forces)

    def products(self, s: int) -> Array:
        """Rows of x_s x_j for every j, (n_rows, n_functions, n_elements)."""
        sums, forces = self._empty()
        _energy_rows(self.values, self.frame, self.element, self._share(), s, sums)
        _force_rows(self.values, self.centre, self.place, self.element, self.slopes, s, forces)
        return self._rows(sums, forces)

    def _empty(self) -> tuple[Array, Array]:
        n_elements, m = len(self.elements), self.n_functions
        return np.zeros((len(self.composition), n_elements, m)), np.zeros((len(self.forces), 3, n_elements, m))

    def _share(self) -> Array:
        return 1.0 / np.bincount(self.frame)[self.frame]

    def _centred(self, rows: Array) -> Array:
        """What the energies of the atoms cannot explain."""
        basis, singular, _ = np.linalg.svd(self.composition, full_matrices=False)
        basis = basis[:, singular > 1e-10 * singular[0]]
        return np.asarray(rows - basis @ (basis.T @ rows))

    def _rows(self, sums: Array, forces: Array) -> Array:
        n_elements, m = len(self.elements), self.n_functions
        above = self.energy_weight * self._centred(sums.reshape(len(sums), -1))
        rows = np.concatenate([above, self.force_weight * forces.reshape(-1, n_elements * m)])
        return rows.reshape(-1, n_elements, m).swapaxes(1, 2)


Pairs = tuple[NDArray[np.intp], NDArray[np.intp], Array]
"""Centres, atoms that move, and dG/dR of the pairs, (n_pairs, 3, n_functions)."""


class Drawing:
    """Which frames and atoms a `Sample` is of, and what is known of them so far.

    Frames are taken evenly: at most `n_frames`, and fewer where these would have far more than `MOST_ATOMS` atoms. In
    each with forces `atoms_per_frame` atoms move, drawn with `seed`.
    """

    def __init__(
        self, frames: Sequence[Atoms], atoms_per_frame: int = 4, n_frames: int = 400, seed: int = 0, forces: bool = True
    ) -> None:
        if len(frames) == 0:
            raise ValueError("no frames were given")
        atoms = sum(len(frame) for frame in frames)
        count = min(n_frames, len(frames), max(2, MOST_ATOMS * len(frames) // atoms))
        self.frames, rng = frames, np.random.default_rng(seed)
        self._moved: dict[int, NDArray[np.bool_] | None] = {}
        for k in np.unique(np.linspace(0, len(frames) - 1, count).round().astype(int)).tolist():
            self._moved[k] = None
            if forces and forces_of(frames[k]) is not None:
                moved = np.zeros(len(frames[k]), bool)
                moved[rng.choice(len(moved), min(atoms_per_frame, len(moved)), replace=False)] = True
                self._moved[k] = moved
        self._values: dict[int, Array] = {}
        self._pairs: dict[int, tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]] = {}

    @property
    def chosen(self) -> list[int]:
        """Numbers of the frames."""
        return list(self._moved)

    def moved(self, k: int) -> NDArray[np.bool_] | None:
        """Which atoms of frame `k` move; None where none do."""
        return self._moved.get(k)

    def add(self, k: int, values: Array, pairs: Pairs | None) -> None:
        """What was computed of frame `k`, if it is one of these."""
        if k not in self._moved:
            return
        self._values[k] = values
        moved = self._moved[k]
        if moved is not None and pairs is not None:
            centre, atom, d = pairs
            self._pairs[k] = centre, (np.cumsum(moved) - 1)[atom], d.astype(np.float32)

    def sample(self, tolerances: Tolerances) -> Sample:
        """All that was added, once every chosen frame was."""
        chosen = [self.frames[k] for k in self._moved]
        numbers = np.concatenate([frame.numbers for frame in chosen])
        present = np.unique(numbers)
        values = np.concatenate([self._values[k] for k in self._moved])
        element = np.searchsorted(present, numbers)
        mean, scale = np.zeros((len(present), values.shape[1])), np.ones((len(present), values.shape[1]))
        for e in range(len(present)):
            own = values[element == e]
            mean[e], spread = own.mean(axis=0), own.std(axis=0)
            scale[e] = np.where(spread > 1e-9 * np.maximum(np.abs(mean[e]), 1.0), spread, 1.0)
        none = (np.zeros(0, int), np.zeros(0, int), np.zeros((0, 3, values.shape[1]), np.float32))
        parts, moved = [none], [np.zeros((0, 3))]
        first, count = 0, 0
        for k, which in self._moved.items():
            if which is not None:
                centre, place, slopes = self._pairs[k]
                parts.append((first + centre, count + place, slopes))
                moved.append(self.frames[k].get_forces(apply_constraint=False)[which])
                count += int(which.sum())
            first += len(self.frames[k])
        centre, place, slopes = (np.concatenate([part[k] for part in parts]) for k in range(3))
        slopes /= scale.astype(np.float32)[element[centre]][:, None]
        return Sample(
            tuple(chemical_symbols[n] for n in present),
            ((values - mean[element]) / scale[element]).astype(np.float32),
            np.repeat(np.arange(len(chosen)), [len(frame) for frame in chosen]),
            element,
            np.array([[(frame.numbers == n).mean() for n in present] for frame in chosen]),
            np.array([energy_per_atom(self.frames[k], k) for k in self._moved]),
            centre,
            place,
            slopes,
            np.concatenate(moved),
            1 / (tolerances.energy_ev * len(chosen) ** 0.5),
            1 / (tolerances.force_ev_per_angstrom * (3 * max(count, 1)) ** 0.5),
        )


def draw_sample(functions: SymmetryFunctions, frames: Sequence[Atoms], tolerances: Tolerances, **options) -> Sample:
    """All values of some frames, and derivatives by some atoms of each; options are those of `Drawing`.

    The loss is that of `PoolEquations.least_squares`, from which `accumulate` draws a sample in the same pass.

    Raises:
        ValueError: no frames, or energies or forces that cannot be used.
    """
    drawing = Drawing(frames, **options)
    for k in drawing.chosen:
        moved, near = drawing.moved(k), functions.neighbors(frames[k])
        pairs = None if moved is None else functions.pair_gradients(frames[k], near, moved)
        drawing.add(k, functions.compute(frames[k], near=near), pairs)
    return drawing.sample(tolerances)
