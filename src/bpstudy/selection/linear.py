"""The linear potential: ridge on energies and forces, ε = ε₀(element) + Σ_f w_f G_f.

It stands beside every network. On some data it comes close, and then it is the better potential: one fit, no seeds, and
it extrapolates as the functions do. Its strength is chosen by the loss of held-out folds of the training frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.selection.equations import PoolEquations, accumulate, force_rows
from bpstudy.selection.methods.pruning import ridge_weights
from bpstudy.selection.targets import FrameErrors, Tolerances, energy_per_atom, forces_of
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
STRENGTHS = tuple(10.0**k for k in range(-10, 1))


@dataclass(frozen=True, eq=False)
class LinearPotential:
    """ε of an atom of element e is atomic[e] + Σ_f weights[f, e] G_f, eV.

    Attributes:
        functions: n of them.
        elements: symbols, in the order of the columns of `weights`.
        weights: (n, n_elements), eV.
        atomic: (n_elements,), eV.
        strength: of the ridge, relative to the diagonal.
    """

    functions: SymmetryFunctions
    elements: tuple[str, ...]
    weights: Array
    atomic: Array
    strength: float

    def errors(self, frames: Sequence[Atoms]) -> FrameErrors:
        """Errors of frames.

        Raises:
            ValueError: an element that was not in training, or a frame without energy.
        """
        energies, forces = [], []
        for k, frame in enumerate(frames):
            symbols = np.array(frame.get_chemical_symbols())
            unknown = set(symbols) - set(self.elements)
            if unknown:
                raise ValueError(f"frame {k} has {', '.join(sorted(unknown))}, which training has not")
            values = self.functions.compute(frame)
            predicted = 0.0
            for e, element in enumerate(self.elements):
                own = symbols == element
                predicted += self.atomic[e] * own.sum() + float((values[own] @ self.weights[:, e]).sum())
            energies.append(predicted / len(frame) - energy_per_atom(frame, k))
            known = forces_of(frame)
            if known is not None:
                rows = force_rows(self.functions, frame, self.elements)
                forces.append(rows @ self.weights.ravel() - known)
        return FrameErrors.of(energies, forces)


def fit_linear(functions: SymmetryFunctions, equations: PoolEquations, tolerances: Tolerances) -> LinearPotential:
    """Ridge on the training frames, of the strength with the least loss on held-out folds (or 1e-8 with one fold).

    Args:
        equations: of just these functions (`PoolEquations.take`, or `accumulate`).

    Raises:
        ValueError: other functions, or data that hold nothing to learn.
    """
    if len(functions) != equations.n_functions:
        raise ValueError(f"{len(functions)} functions, but equations of {equations.n_functions}")
    folds, strength = np.unique(equations.folds), 1e-8
    if len(folds) > 1:
        losses = np.zeros(len(STRENGTHS))
        for held in folds:
            train = equations.least_squares(tolerances, [f for f in folds if f != held])
            for k, one in enumerate(STRENGTHS):
                losses[k] += _held_out(equations, tolerances, int(held), ridge_weights(train, one) / equations.scale)
        strength = STRENGTHS[int(losses.argmin())]
    weights = ridge_weights(equations.least_squares(tolerances), strength) / equations.scale
    atomic = _atomic(equations, weights, np.ones(len(equations.folds), bool))
    shape = (len(functions), len(equations.elements))
    return LinearPotential(functions, equations.elements, weights.reshape(shape), atomic, strength)


def linear_errors(
    functions: SymmetryFunctions,
    train: Sequence[Atoms],
    folds: Sequence[int] | NDArray[np.integer],
    test: Sequence[Atoms],
    tolerances: Tolerances,
) -> FrameErrors:
    """`LinearPotential.errors` on `test` of the fit to `train`, for functions that are not in the pool."""
    return fit_linear(functions, accumulate(functions, train, folds), tolerances).errors(test)


def _atomic(equations: PoolEquations, weights: Array, frames: NDArray[np.bool_]) -> Array:
    """Energies of the atoms by least squares, given the weights."""
    left = equations.energies_ev_per_atom[frames] - equations.sums[frames] @ weights
    return np.asarray(np.linalg.lstsq(equations.composition[frames], left, rcond=None)[0], dtype=np.float64)


def _held_out(equations: PoolEquations, tolerances: Tolerances, held: int, weights: Array) -> float:
    """The loss of a fold with the weights, and the energies of the atoms, of the others."""
    own = equations.folds == held
    predicted = equations.sums[own] @ weights + equations.composition[own] @ _atomic(equations, weights, ~own)
    loss = float(((predicted - equations.energies_ev_per_atom[own]) ** 2).mean()) / tolerances.energy_ev**2
    if equations.force_counts[held]:
        square = weights @ equations.force_grams[held] @ weights - 2 * weights @ equations.force_moments[held]
        square += equations.force_squares[held]
        loss += float(square) / (equations.force_counts[held] * tolerances.force_ev_per_angstrom**2)
    return loss
