"""One pass over the frames: all that linear models on any subset of the pool need to know of energies and forces.

The linear model of atomic energies is ε = ε₀(element) + Σ_f w_f G_f, so a frame of n atoms has

    E / n = Σ_e (n_e / n) ε₀ₑ + Σ_f w_f Σ_i G_if / n        and        F_c = −Σ_f w_f Σ_i dG_if / dR_c .

Both are linear in w. The rows of the energies (one a frame) are kept; of those of the forces (3n a frame) only the
normal equations AᵀA, Aᵀb and bᵀb, for each fold of frames, so that memory does not grow with the data and ridge can
still be cross-validated. Weights between energies and forces, and what is held out, can be changed afterwards without
another pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from bpstudy.selection.sample import Drawing, Pairs
from bpstudy.selection.targets import Tolerances, energy_per_atom, forces_of
from bpstudy.symmetry import SymmetryFunctions
from bpstudy.symmetry.compiled import compiled
from bpstudy.symmetry.neighbors import Neighbors

Array = NDArray[np.float64]
SHARED_BYTES = 1e8  # of the derivatives of all pairs of a frame: with fewer, sums and sample share them


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Σ (A w − b)² as normal equations: `gram` AᵀA (m, m), `moment` Aᵀb (m,) and `square` bᵀb.

    Consecutive columns belong together in groups of `width` (one function, a coefficient for each element). `scale`
    (m,) is the standard deviation of each column's function over the atoms: w is in units of 1 / scale.
    """

    gram: Array
    moment: Array
    square: float
    scale: Array
    width: int = 1

    def __post_init__(self) -> None:
        m = len(self.moment)
        if self.gram.shape != (m, m) or self.scale.shape != (m,) or self.width < 1 or m % self.width:
            raise ValueError(
                f"normal equations of the shapes {self.gram.shape}, {self.moment.shape}, {self.scale.shape} and"
                f" groups of {self.width} columns do not fit together"
            )
        if not (np.isfinite(self.gram).all() and np.isfinite(self.moment).all() and np.isfinite(self.square)):
            raise ValueError("normal equations hold NaN or infinity; functions, energies and forces must be finite")

    @property
    def n_groups(self) -> int:
        return len(self.moment) // self.width

    def columns(self, groups: Sequence[int]) -> NDArray[np.intp]:
        """The columns of some groups, in the order of the groups."""
        return (np.asarray(groups, dtype=np.intp)[:, None] * self.width + np.arange(self.width)).ravel()

    @classmethod
    def from_rows(cls, X: Array, y: Array) -> LeastSquares:
        """Of centred and scaled columns of X (n_rows, m) and centred y (n_rows,), divided by n_rows var(y)."""
        X, y = np.asarray(X, float), np.asarray(y, float).ravel()
        if X.ndim != 2 or len(X) != len(y) or len(y) < 2:
            raise ValueError(f"X {X.shape} and y {y.shape}: two or more rows are needed, and one target a row")
        variance = float(y.var())
        if variance <= (1e-12 * max(1.0, float(np.abs(y).max()))) ** 2:
            raise ValueError("y: all targets are equal; there is nothing to choose by")
        spread = X.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        a, b = (X - X.mean(axis=0)) / scale, y - y.mean()
        norm = len(y) * variance
        return cls(a.T @ a / norm, a.T @ b / norm, float(b @ b) / norm, scale)


@dataclass(frozen=True, eq=False)
class PoolEquations:
    """What `accumulate` found. m = n_functions × n_elements columns, those of one function side by side.

    Attributes:
        elements: symbols, in the order of the columns of one function.
        sums: Σ_i G_if / n of the atoms i of one element, (n_frames, m).
        composition: n_e / n, (n_frames, n_elements).
        energies_ev_per_atom: (n_frames,).
        folds: the fold of each frame, (n_frames,).
        force_grams: AᵀA of the forces of each fold, (n_folds, m, m), (eV/Å)² with w in eV.
        force_moments: Aᵀb, (n_folds, m).
        force_squares: bᵀb, (n_folds,), (eV/Å)².
        force_counts: components of each fold, (n_folds,).
        scale: standard deviation of each column's function over the atoms of its element, (m,); 1 where it is dead.
        values: functions of some atoms, (n, n_functions), for methods without targets.
        numbers: atomic numbers of these, (n,).
    """

    elements: tuple[str, ...]
    sums: Array
    composition: Array
    energies_ev_per_atom: Array
    folds: NDArray[np.intp]
    force_grams: Array
    force_moments: Array
    force_squares: Array
    force_counts: NDArray[np.intp]
    scale: Array
    values: Array
    numbers: NDArray[np.intp]

    @property
    def n_functions(self) -> int:
        return self.values.shape[1]

    @property
    def has_forces(self) -> bool:
        return bool(self.force_counts.sum())

    def residual_energies(self) -> Array:
        """Energies an atom less those of the atoms of each element by least squares, (n_frames,), eV."""
        atomic, *_ = np.linalg.lstsq(self.composition, self.energies_ev_per_atom, rcond=None)
        return self.energies_ev_per_atom - self.composition @ atomic

    def least_squares(
        self, tolerances: Tolerances, folds: Sequence[int] | NDArray[np.integer] | None = None
    ) -> LeastSquares:
        """The loss (1/n_E) Σ (ΔE/n)² / s_E² + (1/n_F) Σ ΔF² / s_F² of some folds (None: all), s the tolerances.

        The atoms' energies are free: compositions are projected out of energies and sums. Without forces only the first
        term is there.

        Raises:
            ValueError: fewer than two frames, or energies that hold nothing beyond the composition, and no forces.
        """
        chosen = np.unique(self.folds) if folds is None else np.asarray(folds)
        frames = np.isin(self.folds, chosen)
        if frames.sum() < 2:
            raise ValueError(f"{frames.sum()} frame(s) of training data; at least two are needed to choose functions")
        basis, singular, _ = np.linalg.svd(self.composition[frames], full_matrices=False)
        basis = basis[:, singular > 1e-10 * singular[0]]
        rows = self.sums[frames] / self.scale
        rows = rows - basis @ (basis.T @ rows)
        energies = self.energies_ev_per_atom[frames]
        energies = energies - basis @ (basis.T @ energies)
        constant = (energies**2).mean() <= (1e-10 * max(1.0, float(np.abs(self.energies_ev_per_atom).max()))) ** 2
        square = float(self.force_squares[chosen].sum())
        if constant and not square:
            raise ValueError("the energies hold nothing beyond the composition, and there are no forces to choose by")
        norm = len(energies) * tolerances.energy_ev**2
        gram, moment, total = rows.T @ rows / norm, rows.T @ energies / norm, float(energies @ energies) / norm
        if square:
            norm = self.force_counts[chosen].sum() * tolerances.force_ev_per_angstrom**2
            gram = gram + self.force_grams[chosen].sum(axis=0) / np.outer(self.scale, self.scale) / norm
            moment = moment + self.force_moments[chosen].sum(axis=0) / self.scale / norm
            total += square / norm
        return LeastSquares(gram, moment, total, self.scale, len(self.elements))

    def take(self, functions: Sequence[int]) -> PoolEquations:
        """Those of some functions of the pool."""
        width = len(self.elements)
        columns = (np.asarray(functions)[:, None] * width + np.arange(width)).ravel()
        return replace(
            self,
            sums=self.sums[:, columns],
            force_grams=self.force_grams[:, columns[:, None], columns],
            force_moments=self.force_moments[:, columns],
            scale=self.scale[columns],
            values=self.values[:, functions],
        )


def accumulate(
    functions: SymmetryFunctions,
    frames: Sequence[Atoms],
    folds: Sequence[int] | NDArray[np.integer] | None = None,
    forces: bool = True,
    atoms: int = 4000,
    threads: int = 1,
    drawing: Drawing | None = None,
) -> PoolEquations:
    """One pass over frames of any size and composition, in eV and Å; frames without forces give energies only.

    Args:
        folds: of each frame, 0 … k−1; None puts all into one.
        forces: whether to use forces where there are some.
        atoms: about how many atoms' values are kept.
        threads: frames at once; the result does not depend on it.
        drawing: gets what a `Sample` needs of the frames, from the same pass.

    Raises:
        ValueError: no frames, energies or forces that are missing or not finite, or not one fold a frame.
    """
    if len(frames) == 0:
        raise ValueError("no frames were given")
    fold = np.zeros(len(frames), int) if folds is None else np.asarray(folds, dtype=int)
    if fold.shape != (len(frames),) or fold.min() < 0:
        raise ValueError(f"folds: shape {fold.shape} for {len(frames)} frames; give one number from 0 a frame")
    elements = _elements(frames)
    m, n_folds = len(functions) * len(elements), int(fold.max()) + 1
    sums, composition = np.zeros((len(frames), m)), np.zeros((len(frames), len(elements)))
    grams, moments = np.zeros((n_folds, m, m)), np.zeros((n_folds, m))
    squares, counts = np.zeros(n_folds), np.zeros(n_folds, int)
    first, second, count = np.zeros(m), np.zeros(m), np.zeros(m)
    energies = np.array([energy_per_atom(frame, k) for k, frame in enumerate(frames)])
    every = max(1, round(sum(len(f) for f in frames) / max(atoms, 1)))
    kept, numbers = [], []

    def work(k: int) -> _Look:
        moved = None if drawing is None else drawing.moved(k)
        return _look(functions, frames[k], elements, forces, moved)

    seen = 0
    with ThreadPoolExecutor(threads) as pool:
        for k, (values, rows, known, pairs) in enumerate(_in_order(pool, work, range(len(frames)), threads)):
            if drawing is not None:
                drawing.add(k, values, pairs)
            symbols, n = np.array(frames[k].get_chemical_symbols()), len(frames[k])
            for place, element in enumerate(elements):
                own = values[symbols == element]
                columns = np.arange(place, m, len(elements))
                sums[k, columns] = own.sum(axis=0) / n
                composition[k, place] = len(own) / n
                first[columns] += own.sum(axis=0)
                second[columns] += (own**2).sum(axis=0)
                count[columns] += len(own)
            if rows is not None and known is not None:
                grams[fold[k]] += rows.T @ rows
                moments[fold[k]] += rows.T @ known
                squares[fold[k]] += known @ known
                counts[fold[k]] += len(known)
            own_rows = np.arange((-seen) % every, n, every)
            seen += n
            kept.append(values[own_rows])
            numbers.append(frames[k].numbers[own_rows])
    mean = first / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(second / np.maximum(count, 1) - mean**2, 0.0))
    scale = np.where(spread > 1e-9 * np.maximum(np.abs(mean), 1.0), spread, 1.0)
    return PoolEquations(
        elements, sums, composition, energies, fold, grams, moments, squares, counts, scale,
        np.concatenate(kept), np.concatenate(numbers),
    )  # fmt: skip


class _Look(NamedTuple):
    """A frame's functions, rows of the forces (3n, m), forces (3n,), and derivatives by the atoms of a sample."""

    values: Array
    rows: Array | None
    forces: Array | None
    pairs: Pairs | None


def _look(
    functions: SymmetryFunctions,
    frame: Atoms,
    elements: tuple[str, ...],
    forces: bool,
    moved: NDArray[np.bool_] | None,
) -> _Look:
    known, near = forces_of(frame) if forces else None, functions.neighbors(frame)
    values = functions.compute(frame, near=near)
    if known is None:
        return _Look(values, None, None, None)
    if moved is None:
        return _Look(values, force_rows(functions, frame, elements, near), known, None)
    if 24 * len(functions) * len(near.atom) > SHARED_BYTES:
        pairs = functions.pair_gradients(frame, near, moved)
        return _Look(values, force_rows(functions, frame, elements, near), known, pairs)
    centre, atom, d = functions.pair_gradients(frame, near)
    element = np.searchsorted([atomic_numbers[symbol] for symbol in elements], frame.numbers)
    rows = np.zeros((len(frame), 3, len(functions), len(elements)))
    _subtract_sums(centre, atom, element, d, rows)
    kept = moved[atom]
    return _Look(values, rows.reshape(known.size, -1), known, (centre[kept], atom[kept], d[kept]))


@compiled
def _subtract_sums(centre, atom, element, d, out):
    """out[a, c, f, element of i] −= dG_if/dR_ac of each pair."""
    for p in range(len(centre)):
        for c in range(3):
            for f in range(d.shape[2]):
                out[atom[p], c, f, element[centre[p]]] -= d[p, c, f]


def _in_order(pool: ThreadPoolExecutor, work, given: Iterable, threads: int):
    """Results in the order given, with at most two a thread in memory."""
    waiting: list = []
    for one in given:
        waiting.append(pool.submit(work, one))
        if len(waiting) >= 2 * threads:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def _elements(frames: Sequence[Atoms]) -> tuple[str, ...]:
    numbers = np.unique(np.concatenate([frame.numbers for frame in frames]))
    return tuple(chemical_symbols[n] for n in numbers)


def force_rows(
    functions: SymmetryFunctions, frame: Atoms, elements: tuple[str, ...], near: Neighbors | None = None
) -> Array:
    """−Σ_i dG_if/dR_c over the atoms i of each element, (3n, m)."""
    near, symbols = near or functions.neighbors(frame), np.array(frame.get_chemical_symbols())
    parts = [functions.summed_gradients(frame, near, symbols == element) for element in elements]
    return -np.stack(parts, axis=-1).reshape(3 * len(frame), -1)
