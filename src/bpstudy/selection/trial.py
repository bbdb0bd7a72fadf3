"""Trial networks: what a set of functions is worth to a network, in seconds.

For each element ε(x) = c + u·x + v·tanh(W₂ tanh(W₁ x + b₁) + b₂) of standardised functions x: two hidden layers, and a
direct linear layer beside them. It starts at the ridge solution u with v = 0, so that its validation loss can only
fall below that of the linear potential, and the iterate with the least validation loss is kept: a robust one, since a
frame unlike all others would else end the fit long before the errors of the others stop falling. Levenberg-Marquardt on
energies and forces (D. W. Marquardt, J. SIAM 11, 431 (1963), doi:10.1137/0111030); Jacobians in single precision,
normal equations in double.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from bpstudy.selection.jacobian import Frame, Parameters, atomic, frame_rows, predict
from bpstudy.selection.targets import FrameErrors, Tolerances, energy_per_atom, forces_of
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
LOWER, RAISE, LARGEST_DAMPING = 1 / 5, 4.0, 1e6
ROWS_AT_ONCE = 3000


@dataclass(frozen=True)
class TrialSettings:
    """How trial networks are fitted.

    Attributes:
        hidden: neurons of the two layers.
        iterations: at most, of Levenberg-Marquardt.
        patience: iterations without a lower validation loss that end the fit.
        decay: of W₁, W₂ and v, added to the loss as decay · |w|²; biases and u get a tenth.
        components: of the forces of each frame, drawn anew for each seed; the rest of a large frame is left out.
    """

    hidden: tuple[int, int] = (12, 12)
    iterations: int = 60
    patience: int = 20
    decay: float = 1e-3
    components: int = 96

    def __post_init__(self) -> None:
        if min(*self.hidden, self.iterations, self.patience, self.components) < 1 or self.decay < 0:
            raise ValueError(f"{self}: numbers must be 1 or more, and the decay 0 or more")


@dataclass(frozen=True, eq=False)
class TrialNetwork:
    """A fitted network of all elements. Errors of frames by `errors`."""

    functions: SymmetryFunctions
    elements: tuple[str, ...]
    mean: Array  # (n_elements, n_functions)
    scale: Array
    atomic: Array  # (n_elements,), eV
    parameters: Parameters
    weights: Array

    def _element(self, atoms: Atoms, number: int) -> NDArray[np.intp]:
        """The place of each atom's element among `elements`."""
        symbols = np.array(atoms.get_chemical_symbols())
        if not np.isin(symbols, self.elements).all():
            raise ValueError(f"frame {number} has elements that training has not: {sorted(set(symbols))}")
        return np.array([self.elements.index(s) for s in symbols])

    def frame(self, atoms: Atoms, number: int, components: int | None, rng: np.random.Generator) -> Frame:
        """A frame as the network takes it. Raises ValueError for an element that is not known."""
        element, known = self._element(atoms, number), forces_of(atoms)
        near = self.functions.neighbors(atoms)
        x = (self.functions.compute(atoms, near=near) - self.mean[element]) / self.scale[element]
        energy = energy_per_atom(atoms, number) - self.atomic[element].mean()
        if known is None:
            return Frame(x, element, np.zeros((len(atoms), 0, x.shape[1]), np.float32), energy, np.zeros(0))
        n = len(atoms)
        columns = np.arange(3 * n)
        if components is not None and components < 3 * n:
            columns = np.sort(rng.choice(3 * n, components, replace=False))
        place, moved = np.full((n, 3), -1), np.zeros(n, bool)
        place.ravel()[columns], moved[columns // 3] = np.arange(len(columns)), True
        slopes = np.zeros((n, len(columns), x.shape[1]), np.float32)
        centre, atom, d = self.functions.pair_gradients(atoms, near, moved)
        pair, axis = np.nonzero(place[atom] >= 0)
        of = centre[pair]
        slopes[of, place[atom[pair], axis]] = -d[pair, axis] / self.scale[element[of]]
        return Frame(x, element, slopes, energy, known[columns])

    def errors(self, frames: Sequence[Atoms]) -> FrameErrors:
        """Errors of frames. Raises ValueError for an element that is not known."""
        return FrameErrors.of(*self.residuals(frames))

    def residuals(self, frames: Sequence[Atoms]) -> tuple[list[float], list[Array]]:
        """Predicted less known: the energy per atom of each frame (eV), and the force components of each that has
        forces (eV/Å). Raises ValueError for an element that is not known."""
        energies, forces = list[float](), list[Array]()
        for number, atoms in enumerate(frames):
            element, near = self._element(atoms, number), self.functions.neighbors(atoms)
            x = (self.functions.compute(atoms, near=near) - self.mean[element]) / self.scale[element]
            energy, slopes = self.atomic[element], np.empty_like(x)
            for e in np.unique(element):
                own = element == e
                of_atoms, slopes[own] = atomic(self.parameters, self.weights, int(e), x[own])
                energy[own] += of_atoms
            energies.append(float(energy.mean()) - energy_per_atom(atoms, number))
            if (known := forces_of(atoms)) is not None:
                pull = self.functions.contract(atoms, slopes / self.scale[element], near=near)[0]
                forces.append(pull.ravel() - known)
        return energies, forces


@dataclass(frozen=True, eq=False)
class _Data:
    """Frames with the weights of their rows: the loss is the sum of squares of the weighted rows."""

    frames: list[Frame]
    tolerances: Tolerances

    @property
    def energy_weight(self) -> float:
        return 1 / (self.tolerances.energy_ev * len(self.frames) ** 0.5)

    @cached_property
    def force_weight(self) -> float:
        count = max(sum(len(f.forces) for f in self.frames), 1)
        return 1 / (self.tolerances.force_ev_per_angstrom * count**0.5)

    def loss(self, parameters: Parameters, weights: Array) -> float:
        total = 0.0
        for frame in self.frames:
            energy, force = predict(parameters, weights, frame)
            total += (self.energy_weight * (energy - frame.energy)) ** 2
            total += self.force_weight**2 * float(((force - frame.forces) ** 2).sum())
        return float(total)

    def robust_loss(self, parameters: Parameters, weights: Array) -> float:
        """Means over the energies and over the forces of 2(√(1 + r²) − 1), r = error / tolerance: r² where errors are
        small, linear where they are large, so that no single frame unlike all others decides."""
        energies, forces = zip(*(predict(parameters, weights, frame) for frame in self.frames), strict=True)
        errors = (
            (np.array(energies) - [f.energy for f in self.frames]) / self.tolerances.energy_ev,
            (np.concatenate(forces) - np.concatenate([f.forces for f in self.frames]))
            / self.tolerances.force_ev_per_angstrom,
        )
        return sum(float(2 * (np.sqrt(1 + r**2) - 1).mean()) for r in errors if len(r))

    def normal_equations(self, parameters: Parameters, weights: Array) -> tuple[Array, Array]:
        """JᵀJ and Jᵀρ."""
        matrix, gradient = np.zeros((parameters.size,) * 2), np.zeros(parameters.size)
        rows: list[NDArray[np.float32]] = []
        residuals: list[Array] = []
        waiting = 0
        for number, frame in enumerate(self.frames):
            jacobian, residual = frame_rows(parameters, weights, frame, self.energy_weight, self.force_weight)
            rows.append(jacobian)
            residuals.append(residual)
            waiting += len(jacobian)
            if waiting > ROWS_AT_ONCE or number == len(self.frames) - 1:
                # in double: rounded products would hide the small eigenvalues of functions that are much alike
                j, r = np.concatenate(rows).astype(np.float64), np.concatenate(residuals)
                matrix += j.T @ j
                gradient += j.T @ r
                rows, residuals, waiting = [], [], 0
        return matrix, gradient


def fit_trial(
    functions: SymmetryFunctions,
    train: Sequence[Atoms],
    folds: Sequence[int] | NDArray[np.integer],
    tolerances: Tolerances,
    seed: int,
    settings: TrialSettings | None = None,
) -> TrialNetwork:
    """Fit to all folds but one, which stops the fit: fold `seed` modulo their number. Repeats to the bit.

    Raises:
        ValueError: fewer than two folds, or frames that cannot be used.
    """
    settings, fold = settings or TrialSettings(), np.asarray(folds)
    every = np.unique(fold)
    if len(every) < 2:
        raise ValueError("folds: a network needs one for its validation beside those it is fitted to; give two or more")
    held = fold == every[seed % len(every)]
    rng = np.random.default_rng(seed)
    with threadpool_limits(1):
        network = _start(functions, [f for f, out in zip(train, held, strict=True) if not out], settings, rng)
        frames = [network.frame(f, k, settings.components, rng) for k, f in enumerate(train)]
        fitted = _Data([f for f, out in zip(frames, held, strict=True) if not out], tolerances)
        validation = _Data([f for f, out in zip(frames, held, strict=True) if out], tolerances)
        _minimise(network, fitted, validation, settings)
    return network


def trial_fit(settings: TrialSettings | None = None, members: int = 1) -> Callable[..., FrameErrors]:
    """A `bpstudy.selection.run.Fit` of trial networks, or of committees of several `members`.

    A committee predicts the mean of its members. Each leaves out another fold, so that together they have seen all
    training frames.
    """

    def fit(functions, train, folds, test, tolerances, seed):
        seeds = range(members * seed, members * (seed + 1))
        fitted = [fit_trial(functions, train, folds, tolerances, s, settings).residuals(test) for s in seeds]
        return committee_errors(fitted)

    return fit


def committee_errors(members: Sequence[tuple[list[float], list[Array]]]) -> FrameErrors:
    """Errors of the mean of networks, from the residuals of each."""
    energies, forces = zip(*members, strict=True)
    return FrameErrors.of(np.mean(energies, axis=0), [np.mean(of, axis=0) for of in zip(*forces, strict=True)])


def _start(
    functions: SymmetryFunctions, train: Sequence[Atoms], settings: TrialSettings, rng: np.random.Generator
) -> TrialNetwork:
    """Standardised on the training frames, random hidden layers, and nothing at the output."""
    values = np.concatenate([functions.compute(f) for f in train])
    symbols = np.concatenate([f.get_chemical_symbols() for f in train])
    elements = tuple(sorted(set(symbols)))
    mean = np.array([values[symbols == e].mean(axis=0) for e in elements])
    spread = np.array([values[symbols == e].std(axis=0) for e in elements])
    composition = np.array([[(np.array(f.get_chemical_symbols()) == e).mean() for e in elements] for f in train])
    energies = np.array([energy_per_atom(f, k) for k, f in enumerate(train)])
    atomic, *_ = np.linalg.lstsq(composition, energies, rcond=None)
    parameters = Parameters(len(functions), settings.hidden, len(elements))
    scale = np.where(spread > 1e-9 * np.maximum(np.abs(mean), 1.0), spread, 1.0)
    return TrialNetwork(functions, elements, mean, scale, atomic, parameters, parameters.draw(rng))


def _minimise(network: TrialNetwork, fitted: _Data, validation: _Data, settings: TrialSettings) -> None:
    """Change the network's weights in place to those of the least validation loss."""
    parameters, weights, damping = network.parameters, network.weights.copy(), 1e-2
    decay = settings.decay * parameters.penalties()
    linear = parameters.linear_columns()
    matrix, gradient = fitted.normal_equations(parameters, weights)
    inner = matrix[np.ix_(linear, linear)]
    inner += np.diag(decay[linear] + 1e-8 * np.diag(inner) + 1e-12 * np.trace(inner) / len(inner))
    weights[linear] -= np.linalg.solve(inner, gradient[linear])
    best, best_loss, waited = weights.copy(), validation.robust_loss(parameters, weights), 0
    current = fitted.loss(parameters, weights) + float(decay @ weights**2)
    for _ in range(settings.iterations):
        matrix, gradient = fitted.normal_equations(parameters, weights)
        gradient = gradient + decay * weights
        diagonal = np.diag(matrix) + decay
        step = None
        while damping < LARGEST_DAMPING:
            shift = decay + 5e-3 * damping * (diagonal + diagonal.mean())
            try:
                step = -cho_solve(cho_factor(matrix + np.diag(shift)), gradient)
            except LinAlgError:
                damping *= RAISE
                continue
            value = fitted.loss(parameters, weights + step) + float(decay @ (weights + step) ** 2)
            if value < current:
                break
            damping *= RAISE
        if step is None or damping >= LARGEST_DAMPING:
            break
        weights, current, damping = weights + step, value, max(damping * LOWER, 1e-9)
        loss = validation.robust_loss(parameters, weights)
        waited += 1
        if loss < best_loss:
            best, best_loss, waited = weights.copy(), loss, 0
        if waited >= settings.patience:
            break
    network.weights[:] = best
