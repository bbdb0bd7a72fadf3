"""Farthest-point sampling and CUR, and their principal-covariates kin, by scikit-matter.

FPS and CUR look at functions of atoms alone (G. Imbalzano et al., J. Chem. Phys. 148, 241730 (2018),
doi:10.1063/1.5024611); PCov-FPS and PCov-CUR mix in the targets (R. K. Cersonsky, B. A. Helfrecht, E. A. Engel,
S. Kliavinek, M. Ceriotti, Mach. Learn.: Sci. Technol. 2, 035038 (2021), doi:10.1088/2632-2153/abfe7c). So that the
latter see energies and forces both, they get rows that have the same normal equations (`equivalent_rows`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skmatter.feature_selection import CUR, FPS, PCovCUR, PCovFPS

from bpstudy.selection.equations import LeastSquares
from bpstudy.selection.methods.base import Problem, method, subset
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
MIXING = 0.5


def equivalent_rows(equations: LeastSquares) -> tuple[Array, Array]:
    """X (k, m) and y (k, 1) with XᵀX = AᵀA and Xᵀy = Aᵀb, from the eigenvectors of AᵀA; k is its rank."""
    values, vectors = np.linalg.eigh(equations.gram)
    kept = values > 1e-12 * values[-1]
    root = np.sqrt(values[kept])
    return root[:, None] * vectors[:, kept].T, (vectors[:, kept].T @ equations.moment / root)[:, None]


def _standardised(problem: Problem) -> Array:
    values = problem.equations.values
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _first_of_group(indices: NDArray[np.intp], width: int, n: int) -> list[int]:
    """Functions in the order in which the first of their columns was chosen."""
    return list(dict.fromkeys(int(k) // width for k in indices))[:n]


def _with_targets(selector_class: type, problem: Problem, n: int, **settings: object) -> SymmetryFunctions:
    equations = problem.least_squares()
    x, y = equivalent_rows(equations)
    many = min(n * equations.width, x.shape[1])
    selector = selector_class(mixing=MIXING, n_to_select=many, **settings).fit(x, y)
    return subset(problem, _first_of_group(selector.selected_idx_, equations.width, n))


@method("fps", supervised=False)
def choose_fps(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """Each step takes the function farthest from those chosen, from the one of the largest range on."""
    values = _standardised(problem)
    first = int(np.ptp(problem.equations.values, axis=0).argmax())
    return subset(problem, FPS(initialize=first, n_to_select=n).fit(values).selected_idx_)


@method("cur", supervised=False)
def choose_cur(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """The largest leverage in the leading right singular vector, orthogonalised after each step."""
    return subset(problem, CUR(n_to_select=n, random_state=seed).fit(_standardised(problem)).selected_idx_)


@method("pcov-fps", supervised=True)
def choose_pcov_fps(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """FPS by distances that count the targets."""
    return _with_targets(PCovFPS, problem, n, initialize=0)


@method("pcov-cur", supervised=True)
def choose_pcov_cur(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """CUR of the principal covariates."""
    return _with_targets(PCovCUR, problem, n, random_state=seed)
