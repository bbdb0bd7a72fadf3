"""What a method gets, and what it returns: the names by which methods are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from threadpoolctl import threadpool_limits

from bpstudy.selection.equations import LeastSquares, PoolEquations
from bpstudy.selection.sample import Sample
from bpstudy.selection.targets import Tolerances
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problem:
    """All that methods choose by; training frames only.

    Attributes:
        functions: the pool.
        equations: energies and forces of the linear model.
        sample: rows of products of functions; None where nothing asks for them.
        costs_us: µs an atom of each function alone, energy and forces, for the methods that weigh it.
        nearest_angstrom: the nearest-neighbour distance.
        tolerances: units of the errors in the loss.
    """

    functions: SymmetryFunctions
    equations: PoolEquations
    sample: Sample | None
    costs_us: Array
    nearest_angstrom: float
    tolerances: Tolerances

    def least_squares(self) -> LeastSquares:
        """Of all training frames."""
        return self.equations.least_squares(self.tolerances)


Method = Callable[[Problem, int, int], SymmetryFunctions]
METHODS: dict[str, Method] = {}
SUPERVISED: set[str] = set()
"""Those that look at energies or forces."""


def method(name: str, supervised: bool) -> Callable[[Method], Method]:
    """Register a function of (problem, n, seed) that returns n functions."""

    def register(choose: Method) -> Method:
        METHODS[name] = choose
        if supervised:
            SUPERVISED.add(name)
        return choose

    return register


def choose(name: str, problem: Problem, n: int, seed: int = 0) -> SymmetryFunctions:
    """`n` functions by the method `name`; the same for the same arguments, to the bit.

    Raises:
        ValueError: an unknown method, or n below 1 or above the size of the pool.
    """
    if name not in METHODS:
        raise ValueError(f"method: {name!r}; allowed are {', '.join(sorted(METHODS))}")
    if not 1 <= n <= len(problem.functions):
        raise ValueError(f"budget: {n} functions; allowed are 1 to the pool's {len(problem.functions)}")
    with threadpool_limits(1):  # the order of sums, and so a close choice, depends on the number of threads
        return METHODS[name](problem, n, seed)


def subset(problem: Problem, indices: object) -> SymmetryFunctions:
    """Functions of the pool, in the order given."""
    return SymmetryFunctions([problem.functions.functions[int(k)] for k in np.asarray(indices).ravel()])


class Selector(SelectorMixin, BaseEstimator):
    """scikit-matter's interface: `fit(X, y)`, `selected_idx_` in the order of choice, `transform`, `get_support`.

    Subclasses set `n_to_select` and give `_select`, from normal equations: of rows X (n_samples, n_features) and
    targets y (centred and scaled columns) through `fit`, or of energies and forces through `fit_equations`.
    """

    n_to_select: int

    def fit(self, X, y):
        """Choose by the rows X and targets y. Raises ValueError for constant targets or too few features."""
        return self.fit_equations(LeastSquares.from_rows(X, y))

    def fit_equations(self, equations: LeastSquares):
        """Choose by normal equations; a group of columns is one feature. Raises ValueError for too few features."""
        if not 1 <= self.n_to_select <= equations.n_groups:
            raise ValueError(f"n_to_select: {self.n_to_select} of {equations.n_groups} functions")
        self.n_features_in_ = equations.n_groups
        self.selected_idx_ = np.asarray(self._select(equations), dtype=np.intp)
        return self

    def _select(self, equations: LeastSquares) -> list[int]:
        raise NotImplementedError

    def _get_support_mask(self):
        mask = np.zeros(self.n_features_in_, dtype=bool)
        mask[self.selected_idx_] = True
        return mask
