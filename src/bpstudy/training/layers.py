"""The atomic network of one element as a function of the flat vector of weights: values, slopes, derivatives.

With a_l = f(z_l), z_l = a_(l-1) W_l + b_l, output o = a_L w + b (+ a_0 w_direct), and δ_l = do/dz_l = e_l f'(z_l),
e_L = w, e_l = δ_(l+1) W_(l+1)ᵀ. Along a tangent ȧ_0 of the inputs: ż_l = ȧ_(l-1) W_l, ȧ_l = f'(z_l) ż_l,
δ̇_l = ė_l f'(z_l) + e_l f''(z_l) ż_l, with ė_L = 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bpstudy.network.activations import ACTIVATIONS
from bpstudy.network.model import AtomicNetwork
from bpstudy.training.kernels import times_rows

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Architecture:
    """Layers of one element: numbers of inputs and hidden neurons, activation, direct layer; and its first weight."""

    sizes: tuple[int, ...]
    activation: str
    direct: bool
    start: int

    @property
    def n_weights(self) -> int:
        """Weights and biases, those of a direct layer too."""
        return sum(of.stop - of.start for of in self.slices())

    @property
    def n_hidden(self) -> int:
        return len(self.sizes) - 1

    def slices(self) -> Iterator[slice]:
        """Places of the weights in the flat vector: kernel and bias of each layer, output's last, then direct's."""
        place = self.start
        outputs = (*self.sizes[1:], 1)
        counts = [n for n_in, n_out in zip(self.sizes, outputs, strict=True) for n in (n_in * n_out, n_out)]
        for count in [*counts, *([self.sizes[0]] if self.direct else [])]:
            yield slice(place, place + count)
            place += count


def architectures(network: AtomicNetwork) -> dict[str, Architecture]:
    """Of each element of a network."""
    found, place = {}, 0
    for element in network.labels:
        dense = network.dense(element)
        sizes = tuple(layer.kernel.shape[0] for layer in dense)
        direct = network.direct(element) is not None
        found[element] = Architecture(sizes, dense[0].activation.__name__, direct, place)
        place = list(found[element].slices())[-1].stop
    return found


def direct_places(network: AtomicNetwork) -> NDArray[np.intp]:
    """Places of the weights of the direct layers in the flat vector, element by element."""
    places = [list(of.slices())[-1] for of in architectures(network).values() if of.direct]
    return np.concatenate([np.arange(p.start, p.stop) for p in places] or [np.empty(0, dtype=np.intp)])


class Pass:
    """The network of one element at some weights and inputs `x` (n_rows, n_inputs).

    `outputs` (n_rows,), `values` a_0 … a_L; what derivatives need is computed when it is asked for.
    """

    def __init__(self, of: Architecture, weights: Array, x: Array) -> None:
        self.architecture = of
        parts = [weights[place] for place in of.slices()]
        self.kernels = [parts[2 * k].reshape(n_in, -1) for k, n_in in enumerate(of.sizes)]
        self.direct = parts[-1] if of.direct else None
        self._activation = ACTIVATIONS[of.activation]
        self.values, self._inner = [x], list[Array]()
        for kernel, bias in zip(self.kernels[:-1], parts[1 : 2 * of.n_hidden : 2], strict=True):
            z = self.values[-1] @ kernel
            z += bias
            self._inner.append(z)
            self.values.append(self._activation.value(z))
        self.outputs = self.values[-1] @ self.kernels[-1][:, 0] + parts[2 * of.n_hidden + 1]
        if self.direct is not None:
            self.outputs += x @ self.direct

    @cached_property
    def first(self) -> list[Array]:
        """f'(z_l)."""
        return [self._activation.slope(z, a) for z, a in zip(self._inner, self.values[1:], strict=True)]

    @cached_property
    def _backward(self) -> tuple[list[Array], list[Array]]:
        """e_l and δ_l."""
        upstream, deltas = list[Array](), list[Array]()
        last = np.broadcast_to(self.kernels[-1][:, 0], self.values[-1].shape)
        for kernel, first in zip(reversed(self.kernels[1:]), reversed(self.first), strict=True):
            upstream.insert(0, deltas[0] @ kernel.T if deltas else last)
            deltas.insert(0, upstream[0] * first)
        return upstream, deltas

    @property
    def deltas(self) -> list[Array]:
        """δ_l."""
        return self._backward[1]

    @cached_property
    def bent(self) -> list[Array]:
        """e_l f''(z_l)."""
        of_layers = zip(self._backward[0], self._inner, self.values[1:], strict=True)
        return [e * self._activation.curvature(z, a) for e, z, a in of_layers]

    @cached_property
    def slopes(self) -> Array:
        """do/dx (n_rows, n_inputs); the derivatives of energies with respect to the weights do without."""
        if self.deltas:
            slopes = self.deltas[0] @ self.kernels[0].T
        else:
            slopes = np.broadcast_to(self.kernels[0][:, 0], self.values[0].shape)
        return slopes if self.direct is None else slopes + self.direct

    def weight_derivatives(self, upstream: Array) -> list[Array]:
        """Σ_rows upstream · do/dweights, in the order of the flat vector; upstream (n_rows,)."""
        found = []
        for a, delta in zip(self.values, self.deltas, strict=False):
            weighted = upstream[:, None] * delta
            found += [(a.T @ weighted).ravel(), weighted.sum(axis=0)]
        found += [upstream @ self.values[-1], np.array([upstream.sum()])]
        return found if self.direct is None else [*found, upstream @ self.values[0]]

    def along(self, tangents: Array, rows: NDArray[np.intp]) -> tuple[list[Array], list[Array]]:
        """ȧ_0 … ȧ_L and δ̇_1 … δ̇_L along tangents (n, n_inputs) of the inputs of some rows (n,)."""
        moved, bends = [tangents], []
        for kernel, first in zip(self.kernels[:-1], self.first, strict=True):
            dz = moved[-1] @ kernel
            bends.append(dz)
            moved.append(times_rows(dz, first, rows))
        for level in reversed(range(self.architecture.n_hidden)):
            bends[level] = times_rows(bends[level], self.bent[level], rows)
            if level + 1 < len(bends):
                back = bends[level + 1] @ self.kernels[level + 1].T
                bends[level] += times_rows(back, self.first[level], rows)
        return moved, bends

    def slope_derivatives(self, directions: Array) -> list[Array]:
        """Σ_rows d(directions · do/dx)/dweights, in the order of the flat vector; directions (n_rows, n_inputs)."""
        moved, bends = self.along(directions, np.arange(len(directions)))
        found = []
        for a, da, delta, ddelta in zip(self.values, moved, self.deltas, bends, strict=False):
            found += [(da.T @ delta + a.T @ ddelta).ravel(), ddelta.sum(axis=0)]
        found += [moved[-1].sum(axis=0), np.zeros(1)]
        return found if self.direct is None else [*found, directions.sum(axis=0)]


class Passes:
    """Passes of all elements at given weights. Those of the last weights are kept: a step that lowers the loss is
    linearised where it was tried."""

    def __init__(self, of: Mapping[str, Architecture], inputs: Mapping[str, Array]) -> None:
        self._of, self._inputs = of, inputs
        self._weights, self._last = np.empty(0), dict[str, Pass]()

    def __call__(self, weights: Array) -> dict[str, Pass]:
        if not np.array_equal(weights, self._weights):
            self._last = {e: Pass(self._of[e], weights, x) for e, x in self._inputs.items()}
            self._weights = weights.copy()
        return self._last


def scatter(architecture: Architecture, parts: Sequence[Array], out: Array) -> None:
    """Put derivatives with respect to each layer's weights in their places of the flat vector."""
    for place, part in zip(architecture.slices(), parts, strict=True):
        out[place] = part
