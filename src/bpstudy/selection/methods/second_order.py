"""Forward selection that sees the network's nonlinearity: each step adds the function that, with its square and its
products with those already chosen, lowers the ridge loss of energies and forces most.

A network of a set S is a smooth function of its values, ε = ε₀ + Σ w_f x_f + Σ w_fg x_f x_g + …, and this stops after
the second order, which is still linear in w. With A the rows of all features of S, scaled to unit norm, and y the
targets, the loss is min_w |y − A w|² + λ|w|². A candidate j brings the block C = [x_j, x_j², x_s x_j for s in S] and
lowers it by

    rᵀ (CᵀC + λ − VᵀV)⁻¹ r,   V = L⁻¹AᵀC,   r = Cᵀy − Vᵀ L⁻¹Aᵀy,   L Lᵀ = AᵀA + λ,

exactly; then exchanges of one function for another follow while they lower it. Products are taken with the first
`partners` chosen ones only, so that there are always more rows than features.

It is orthogonal matching pursuit in groups (A. C. Lozano, G. Świrszcz, N. Abe, NIPS 22, 1150 (2009)) with groups that
grow with the set; the products as features are those of M. A. Wood and A. P. Thompson, J. Chem. Phys. 148, 241721
(2018), doi:10.1063/1.5017641.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

from bpstudy.selection.methods.base import Problem, method, subset
from bpstudy.selection.sample import Sample
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
EXCHANGES = 8


class SecondOrder:
    """Losses of sets of functions, with their squares and products, on a sample.

    Args:
        sample: rows of energies and forces.
        ridge: λ, relative to the unit norm of each feature.
        partners: with how many chosen functions a further one makes products.
    """

    def __init__(self, sample: Sample, ridge: float = 1e-4, partners: int = 16) -> None:
        if not ridge > 0:
            raise ValueError(f"ridge: {ridge}; it must be above 0")
        self.ridge, self.partners = ridge, partners
        self.targets = sample.targets()
        self.square = float(self.targets @ self.targets)
        self._sample = sample
        self._linear, self._squares = _normalised(sample.linear()), _normalised(sample.squares())
        self._products: dict[int, NDArray[np.float32]] = {}
        self.n_functions = sample.n_functions

    def products(self, s: int) -> NDArray[np.float32]:
        """Normalised rows of x_s x_j, all j; kept, as they are asked for again and again."""
        if s not in self._products:
            self._products[s] = _normalised(self._sample.products(s))
        return self._products[s]

    def block(self, chosen: Sequence[int], functions: Sequence[int]) -> NDArray[np.float32]:
        """The features each of `functions` would bring to `chosen`, (n_rows, n_functions, width)."""
        of = np.asarray(functions, dtype=int)
        parts = [self._linear[:, of], self._squares[:, of]]
        parts += [self.products(s)[:, of] for s in chosen[: self.partners]]
        return np.concatenate(parts, axis=2)

    def features(self, chosen: Sequence[int]) -> NDArray[np.float32]:
        """All features of a set, (n_rows, n_features)."""
        if not chosen:
            return np.zeros((len(self.targets), 0), np.float32)
        return np.concatenate([self.block(chosen[:k], [j])[:, 0] for k, j in enumerate(chosen)], axis=1)

    def loss(self, chosen: Sequence[int]) -> float:
        """min_w |y − A w|² + λ|w|² of a set, the mean square of the errors in units of the tolerances."""
        a = self.features(chosen)
        moment = np.asarray(a.T @ self.targets.astype(np.float32), float)
        gram = np.asarray(a.T @ a, float) + self.ridge * np.eye(a.shape[1])
        return self.square - float(moment @ cho_solve(cho_factor(gram), moment))

    def losses_with(self, chosen: Sequence[int], functions: Sequence[int], at_once: int = 32) -> Array:
        """The loss of `chosen` and each one of `functions`, (len(functions),)."""
        a, targets = self.features(chosen), self.targets.astype(np.float32)
        lower = cholesky(np.asarray(a.T @ a, float) + self.ridge * np.eye(a.shape[1]), lower=True) if chosen else None
        z = np.zeros(0) if lower is None else solve_triangular(lower, np.asarray(a.T @ targets, float), lower=True)
        base, found = self.square - float(z @ z), np.empty(len(functions))
        for start in range(0, len(functions), at_once):
            some = functions[start : start + at_once]
            c = self.block(chosen, some)
            width = c.shape[2]
            flat = c.reshape(len(c), -1)
            v = np.zeros((0, flat.shape[1]))
            if lower is not None:
                v = solve_triangular(lower, np.asarray(a.T @ flat, float), lower=True)
            r = np.asarray(flat.T @ targets, float) - v.T @ z
            for k in range(len(some)):
                own = slice(k * width, (k + 1) * width)
                inner = np.asarray(flat[:, own].T @ flat[:, own], float) + self.ridge * np.eye(width)
                inner -= v[:, own].T @ v[:, own]
                found[start + k] = base - float(r[own] @ np.linalg.solve(inner, r[own]))
        return found


class _Growing:
    """A set that grows by one function at a time, with the loss that each candidate would bring; what earlier steps
    computed stays.

    Attributes:
        chosen: functions in the order of choice.
        loss: of these.
    """

    def __init__(self, losses: SecondOrder, start: Sequence[int]) -> None:
        m, width = losses.n_functions, losses._linear.shape[2]
        self._of, self._targets = losses, losses.targets.astype(np.float32)
        self.chosen: list[int] = []
        self.loss = losses.square
        self._features = np.zeros((len(self._targets), 0), np.float32)
        self._lower = np.zeros((0, 0))  # L of the features
        self._z = np.zeros(0)
        self._parts: list[NDArray[np.float32]] = []  # of the candidates' blocks C, (n_rows, m · n_elements)
        self._v: list[Array] = []  # L⁻¹AᵀC of each, (n_features, m · n_elements)
        self._inner = np.zeros((m, 0, 0))  # CᵀC + λ − VᵀV of each candidate
        self._pull = np.zeros((m, 0))  # Cᵀy − Vᵀz
        self._shape = m, width
        for part in (losses._linear, losses._squares):
            self._widen(part)
        for j in start:
            self.add(j)

    def losses(self) -> Array:
        """With each of the functions, (n_functions,); of those chosen it means nothing."""
        return self.loss - np.einsum(
            "mw,mw->m", self._pull, np.linalg.solve(self._inner, self._pull[..., None])[..., 0]
        )

    def add(self, j: int) -> None:
        """Put function `j` into the set."""
        new = self._of.block(self.chosen, [j])[:, 0]
        side = _solve(self._lower, np.asarray(self._features.T @ new, float))
        inner = np.asarray(new.T @ new, float) + self._of.ridge * np.eye(new.shape[1]) - side.T @ side
        corner = cholesky(inner, lower=True)
        z = _solve(corner, np.asarray(new.T @ self._targets, float) - side.T @ self._z)
        self.loss -= float(z @ z)
        rows = []
        for k, part in enumerate(self._parts):
            row = _solve(corner, np.asarray(new.T @ part, float) - side.T @ self._v[k])
            self._v[k] = np.concatenate([self._v[k], row])
            rows.append(row.reshape(len(row), *self._shape))
        block = np.concatenate(rows, axis=2)
        self._inner -= np.einsum("fmv,fmw->mvw", block, block, optimize=True)
        self._pull -= np.einsum("fmw,f->mw", block, z)
        zeros = np.zeros((len(self._lower), len(corner)))
        self._lower = np.block([[self._lower, zeros], [side.T, corner]])
        self._z, self._features = np.append(self._z, z), np.concatenate([self._features, new], axis=1)
        self.chosen.append(j)
        if len(self.chosen) <= self._of.partners:
            self._widen(self._of.products(j))

    def _widen(self, part: NDArray[np.float32]) -> None:
        """Further features of every candidate."""
        (m, width), own = self._shape, part.reshape(len(part), -1)
        v = _solve(self._lower, np.asarray(self._features.T @ own, float))
        self._parts.append(own)
        self._v.append(v)
        cross = [
            self._products(other, own) - self._products(of, v) for other, of in zip(self._parts, self._v, strict=True)
        ]
        cross[-1] = cross[-1] + self._of.ridge * np.eye(width)
        side = np.concatenate(cross[:-1], axis=1) if len(cross) > 1 else np.zeros((m, 0, width))
        self._inner = np.concatenate(
            [
                np.concatenate([self._inner, side], axis=2),
                np.concatenate([side.swapaxes(1, 2), cross[-1]], axis=2),
            ],
            axis=1,
        )
        pull = np.asarray(own.T @ self._targets, float) - v.T @ self._z
        self._pull = np.concatenate([self._pull, pull.reshape(m, width)], axis=1)

    def _products(self, a: NDArray, b: NDArray) -> Array:
        """aᵀb of each candidate's columns, (m, width, width)."""
        m, width = self._shape
        return np.einsum("rmv,rmw->mvw", a.reshape(-1, m, width), b.reshape(-1, m, width), dtype=float)


def _solve(lower: Array, rows: Array) -> Array:
    """L⁻¹ rows; there may be none."""
    return np.asarray(solve_triangular(lower, rows, lower=True)) if len(lower) else rows


def second_order_forward(
    losses: SecondOrder, n: int, start: Sequence[int] = (), exchanges: int = 0, costs: Array | None = None
) -> tuple[list[int], list[float]]:
    """`n` functions in the order of choice, and the loss after each of them.

    Args:
        start: functions that are in the set from the beginning.
        exchanges: at most so many exchanges at the end, each of which must lower the loss by a thousandth.
        costs: of each function, µs an atom; the drop of the logarithm of the loss per µs then decides.

    Raises:
        ValueError: n above the number of functions, or below that of `start`.
    """
    if not max(len(start), 1) <= n <= losses.n_functions:
        raise ValueError(f"n: {n} functions of {losses.n_functions} with {len(start)} given; that is not possible")
    growing, history = _Growing(losses, start), []
    while len(growing.chosen) < n:
        found = growing.losses()
        merit = found if costs is None else -np.log(growing.loss / np.maximum(found, 1e-12)) / costs
        merit[growing.chosen] = np.inf
        growing.add(int(merit.argmin()))
        history.append(growing.loss)
    chosen, current = growing.chosen, growing.loss
    for _ in range(exchanges):
        better = _exchange(losses, chosen, current)
        if better is None:
            break
        chosen, current = better
        history = [*history[:-1], current]
    return chosen, history


def _exchange(losses: SecondOrder, chosen: list[int], current: float) -> tuple[list[int], float] | None:
    """The first exchange that helps, least costly ones first; a third of them are tried, and at most nine."""
    without = np.array([losses.loss(chosen[:k] + chosen[k + 1 :]) for k in range(len(chosen))])
    for k in np.argsort(without, kind="stable")[: min(max(3, len(chosen) // 3), 9)]:
        rest = chosen[:k] + chosen[k + 1 :]
        others = [j for j in range(losses.n_functions) if j not in rest]
        found = losses.losses_with(rest, others)
        if found.min() < current * (1 - 1e-3):
            return [*rest, others[int(found.argmin())]], float(found.min())
    return None


def _normalised(rows: Array) -> NDArray[np.float32]:
    """Columns of unit norm, (n_rows, n_functions, n_elements)."""
    norm = np.sqrt((rows**2).sum(axis=0))
    return np.asarray(rows / np.where(norm > 0, norm, 1.0), dtype=np.float32)


@method("second-order", supervised=True)
def choose_second_order(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """Ours for networks."""
    return subset(problem, second_order_forward(_losses(problem), n, exchanges=EXCHANGES)[0])


@method("second-order-per-cost", supervised=True)
def choose_second_order_per_cost(problem: Problem, n: int, seed: int) -> SymmetryFunctions:
    """As `second-order`, by the drop of the logarithm of the loss per µs an atom."""
    return subset(problem, second_order_forward(_losses(problem), n, costs=problem.costs_us)[0])


def _losses(problem: Problem) -> SecondOrder:
    if problem.sample is None:
        raise ValueError("sample: None; this method needs rows of products (`draw_sample`)")
    return SecondOrder(problem.sample)
