"""Energies, forces and their derivatives by the weights of small networks with a direct linear layer, frame by frame.

With z₁ = W₁x + b₁, a₁ = tanh z₁, z₂ = W₂a₁ + b₂, a₂ = tanh z₂, s = 1 − a² and t = −2 a s (first and second derivatives
of tanh), an atom has ε = c + u·x + v·a₂ and

    δ₁ = s₁ ∘ W₂ᵀ(s₂ ∘ v),   dε/dx = u + W₁ᵀ δ₁,   H = diag(t₁ ∘ W₂ᵀ(s₂ ∘ v)) + diag(s₁) W₂ᵀ diag(t₂ ∘ v) W₂ diag(s₁),

where H is the derivative of δ₁ by z₁. A force component is F = Σ_i D_i · dε/dx of the slopes D_i = −dx_i/dR. With
P = W₁ D_i and Q = W₂ (s₁ ∘ P) its derivatives are the sums over i of

    W₁: (H P) ⊗ x + δ₁ ⊗ D,   b₁: H P,   W₂: (s₂ ∘ v) ⊗ (s₁ ∘ P) + (t₂ ∘ v ∘ Q) ⊗ a₁,   b₂: t₂ ∘ v ∘ Q,
    v: s₂ ∘ Q,   u: D.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Single = NDArray[np.float32]
NAMES = ("W1", "b1", "W2", "b2", "v", "u", "c")


@dataclass(frozen=True, eq=False)
class Frame:
    """Standardised functions x (n, f), element of each atom (n,), slopes −dx/dR (n, components, f), energy an atom less
    those of the atoms (eV), and forces (components,), eV/Å."""

    x: Array
    element: NDArray[np.intp]
    slopes: Single
    energy: float
    forces: Array


@dataclass(frozen=True)
class Parameters:
    """Where the weights of the networks of all elements stand in one vector."""

    n_functions: int
    hidden: tuple[int, int]
    n_elements: int

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        f, (h, k) = self.n_functions, self.hidden
        return {"W1": (h, f), "b1": (h,), "W2": (k, h), "b2": (k,), "v": (k,), "u": (f,), "c": (1,)}

    @cached_property
    def each(self) -> int:
        """Weights of one element."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    @property
    def size(self) -> int:
        return self.each * self.n_elements

    @cached_property
    def _slices(self) -> list[dict[str, slice]]:
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()] * self.n_elements)
        every = [slice(start, end) for start, end in zip([0, *ends], map(int, ends), strict=False)]
        count = len(self.shapes)
        return [dict(zip(self.shapes, every[e * count :], strict=False)) for e in range(self.n_elements)]

    def slices(self, element: int = 0) -> dict[str, slice]:
        """Of the weights of an element, by name."""
        return self._slices[element]

    def of(self, weights: Array, element: int) -> list[Array]:
        """W₁, b₁, W₂, b₂, v, u, c of an element."""
        where = self.slices(element)
        return [weights[where[name]].reshape(self.shapes[name]) for name in NAMES]

    def draw(self, rng: np.random.Generator) -> Array:
        """Random hidden layers; v, u and c are 0."""
        weights = np.zeros(self.size)
        for element in range(self.n_elements):
            where = self.slices(element)
            for name, spread in (
                ("W1", self.n_functions**-0.5),
                ("b1", 0.5),
                ("W2", self.hidden[0] ** -0.5),
                ("b2", 0.3),
            ):
                weights[where[name]] = rng.normal(0, spread, where[name].stop - where[name].start)
        return weights

    def penalties(self) -> Array:
        """1 for W₁, W₂ and v, 0.1 for u and the biases, 0 for c."""
        found = np.ones(self.size)
        for element in range(self.n_elements):
            where = self.slices(element)
            for name in ("u", "b1", "b2"):
                found[where[name]] = 0.1
            found[where["c"]] = 0.0
        return found

    def linear_columns(self) -> NDArray[np.intp]:
        """Where u and c of all elements stand."""
        parts = [np.r_[self.slices(e)["u"], self.slices(e)["c"]] for e in range(self.n_elements)]
        return np.concatenate(parts)


def _own(frame: Frame) -> list[tuple[int, slice | NDArray[np.bool_]]]:
    """Each element of a frame with its atoms; a slice, which copies nothing, where there is one element."""
    present = np.unique(frame.element)
    if len(present) == 1:
        return [(int(present[0]), slice(None))]
    return [(int(element), frame.element == element) for element in present]


def atomic(parameters: Parameters, weights: Array, element: int, x: Array) -> tuple[Array, Array]:
    """ε (n,) and dε/dx (n, f), eV, of atoms of one element."""
    w1, b1, w2, b2, v, u, c = parameters.of(weights, element)
    a1 = np.tanh(x @ w1.T + b1)
    a2 = np.tanh(a1 @ w2.T + b2)
    return a2 @ v + x @ u + c, u + ((1 - a1**2) * (((1 - a2**2) * v) @ w2)) @ w1


def predict(parameters: Parameters, weights: Array, frame: Frame) -> tuple[float, Array]:
    """Energy an atom (eV) and the forces of the frame's components (eV/Å)."""
    energy, forces = 0.0, np.zeros(len(frame.forces))
    for element, own in _own(frame):
        energies, slopes = atomic(parameters, weights, element, frame.x[own])
        energy += float(energies.sum())
        if len(forces):
            forces += (frame.slopes[own] @ slopes.astype(np.float32)[:, :, None]).sum(axis=0)[:, 0]
    return energy / len(frame.x), forces


def frame_rows(
    parameters: Parameters, weights: Array, frame: Frame, energy_weight: float, force_weight: float
) -> tuple[Single, Array]:
    """Weighted rows of the energy and the forces: derivatives (1 + components, n_weights) and residuals."""
    n, count = len(frame.x), len(frame.forces)
    rows = np.zeros((1 + count, parameters.size), np.float32)
    for element, own in _own(frame):
        x, d = frame.x[own], frame.slopes[own]
        w1, b1, w2, b2, v, _, _ = parameters.of(weights, element)
        where = parameters.slices(element)
        a1 = np.tanh(x @ w1.T + b1)
        a2 = np.tanh(a1 @ w2.T + b2)
        s1, s2 = 1 - a1**2, 1 - a2**2
        s2v, t2v = s2 * v, -2 * a2 * s2 * v
        back = s2v @ w2
        delta = s1 * back
        of_energy = {
            "W1": delta.T @ x, "b1": delta.sum(0), "W2": s2v.T @ a1, "b2": s2v.sum(0),
            "v": a2.sum(0), "u": x.sum(0), "c": np.array([float(len(x))]),
        }  # fmt: skip
        for name, value in of_energy.items():
            rows[0, where[name]] = energy_weight / n * value.ravel()
        if count:
            outer = (w2[:, :, None] * w2[:, None]).reshape(len(w2), -1)
            turned = (t2v @ outer).reshape(len(x), len(b1), len(b1)) * s1[:, :, None] * s1[:, None]
            diagonal = np.arange(len(b1))
            turned[:, diagonal, diagonal] += -2 * a1 * s1 * back
            _force_rows(rows[1:], where, w1, w2, x, d, a1, s1, s2, s2v, t2v, delta, turned)
    rows[1:] *= np.float32(force_weight)
    energy, forces = predict(parameters, weights, frame)
    return rows, np.append(energy_weight * (energy - frame.energy), force_weight * (forces - frame.forces))


def _force_rows(
    rows: Single, where: dict[str, slice], w1: Array, w2: Array, x: Array, d: Single, *atoms: Array
) -> None:
    """Derivatives of the forces; all big products are of two matrices in single precision."""
    a1, s1, s2, s2v, t2v, delta, turned = (a.astype(np.float32) for a in atoms)
    n, count, f = d.shape
    h, k = w1.shape[0], w2.shape[0]
    p = (d.reshape(-1, f) @ w1.T.astype(np.float32)).reshape(n, count, h)
    hp = p @ turned
    p *= s1[:, None]
    q = (p.reshape(-1, h) @ w2.T.astype(np.float32)).reshape(n, count, k)
    tq = q * t2v[:, None]
    first = (hp.reshape(n, -1).T @ x.astype(np.float32)).reshape(count, h, f)
    first += (d.reshape(n, -1).T @ delta).reshape(count, f, h).swapaxes(1, 2)
    second = (p.reshape(n, -1).T @ s2v).reshape(count, h, k).swapaxes(1, 2)
    second = second + (tq.reshape(n, -1).T @ a1).reshape(count, k, h)
    rows[:, where["W1"]] = first.reshape(count, -1)
    rows[:, where["b1"]] = hp.sum(axis=0)
    rows[:, where["W2"]] = second.reshape(count, -1)
    rows[:, where["b2"]] = tq.sum(axis=0)
    rows[:, where["v"]] = (q * s2[:, None]).sum(axis=0)
    rows[:, where["u"]] = d.sum(axis=0)
