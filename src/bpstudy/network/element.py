"""The atomic network of one element in NumPy: a TensorFlow call takes longer than the arithmetic of a small cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bpstudy.network.model import AtomicNetwork

Array = NDArray[np.float64]


class UnknownActivationError(ValueError):
    """The network has an activation whose derivative is not available here."""


def _sigmoid(z: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * z))


ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    # f(z), and f'(z) from z and f(z)
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "sigmoid": (_sigmoid, lambda z, a: a * (1 - a)),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z, a: _sigmoid(z)),
    "linear": (lambda z: z, lambda z, a: np.ones_like(z)),
}


@dataclass(frozen=True, eq=False)
class Layer:
    """a = f(x @ kernel + bias)."""

    kernel: Array
    bias: Array
    activation: str


@dataclass(frozen=True, eq=False)
class ElementNetwork:
    """The network of one element in NumPy: a TensorFlow call takes longer than the arithmetic of a small cell.

    ε(G) = offset + scale · a(factor · G + shift), eV.
    """

    factor: Array
    shift: Array
    layers: tuple[Layer, ...]
    scale_ev: float
    offset_ev: float

    def energies(self, values: Array) -> tuple[Array, Array]:
        """ε (n_atoms,) in eV and dε/dG (n_atoms, n_functions) of raw functions."""
        y, slopes = values * self.factor + self.shift, []
        for layer in self.layers:
            function, slope = ACTIVATIONS[layer.activation]
            z = y @ layer.kernel + layer.bias
            y = function(z)
            slopes.append(slope(z, y))
        delta = np.full_like(y, self.scale_ev)
        for layer, slope_of in zip(reversed(self.layers), reversed(slopes), strict=True):
            delta = (delta * slope_of) @ layer.kernel.T
        return self.offset_ev + self.scale_ev * y[:, 0], delta * self.factor


def element_networks(network: AtomicNetwork) -> dict[str, ElementNetwork]:
    """Each element's network.

    Raises:
        UnknownActivationError: an activation whose derivative is not available here.
    """
    scale, found = network.energy_scale, {}
    for element in network.labels:
        layers = []
        for dense in network.dense(element):
            name = dense.activation.__name__
            if name not in ACTIVATIONS:
                raise UnknownActivationError(
                    f"activation {name!r} has no forces here; allowed are {', '.join(ACTIVATIONS)}"
                )
            kernel, bias = (np.asarray(w, dtype=np.float64) for w in dense.get_weights())
            layers.append(Layer(kernel, bias, name))
        factor, shift = network.standardise(element).get_weights()
        found[element] = ElementNetwork(factor, shift, tuple(layers), scale.scale_ev_per_atom, scale.offset_ev_per_atom)
    return found
