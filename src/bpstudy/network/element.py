"""The atomic networks in NumPy: a call of Keras takes longer than the arithmetic of a small cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bpstudy.descriptors.features import Features
from bpstudy.descriptors.gradients import Derivatives
from bpstudy.network.activations import ACTIVATIONS
from bpstudy.network.model import AtomicNetwork, numbers
from bpstudy.symmetry.compiled import compiled

Array = NDArray[np.float64]


class UnknownActivationError(ValueError):
    """The network has an activation whose derivative is not available here."""


@dataclass(frozen=True, eq=False)
class Layer:
    """a = f(x @ kernel + bias)."""

    kernel: Array
    bias: Array
    activation: str


@dataclass(frozen=True, eq=False)
class ElementNetwork:
    """ε(G) = offset + scale · [a(z) + direct · z], z = factor · G + shift, eV; `direct` is None for a plain network."""

    factor: Array
    shift: Array
    layers: tuple[Layer, ...]
    scale_ev: float
    offset_ev: float
    direct: Array | None = None

    def energies(self, values: Array) -> tuple[Array, Array]:
        """ε (n_atoms,) in eV and dε/dG (n_atoms, n_functions) of raw functions."""
        z = y = values * self.factor + self.shift
        slopes = []
        for layer in self.layers:
            activation = ACTIVATIONS[layer.activation]
            x = y @ layer.kernel + layer.bias
            y = activation.value(x)
            slopes.append(activation.slope(x, y))
        delta, out = np.full_like(y, self.scale_ev), y[:, 0]
        for layer, slope in zip(reversed(self.layers), reversed(slopes), strict=True):
            delta = (delta * slope) @ layer.kernel.T
        if self.direct is not None:
            out, delta = out + z @ self.direct, delta + self.scale_ev * self.direct
        return self.offset_ev + self.scale_ev * out, delta * self.factor


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
            kernel, bias = numbers(dense)
            layers.append(Layer(kernel, bias, name))
        straight = network.direct(element)
        direct = None if straight is None else numbers(straight)[0][:, 0]
        found[element] = ElementNetwork(
            *network.standardise(element), tuple(layers), scale.scale_ev, scale.offsets_ev[element], direct
        )
    return found


def predict(
    network: AtomicNetwork, features: Features, forces: Derivatives | None = None
) -> tuple[Array, Array | None]:
    """Energies (n_frames,), eV, and the components of `forces`, in the unit of its targets.

    Raises:
        ModelMismatchError, ValueError: as `AtomicNetwork.check`.
    """
    networks: Mapping[str, ElementNetwork] = element_networks(network)
    energies = np.zeros(features.n_frames)
    found = None if forces is None else np.zeros(len(forces.frame))
    for element, rows in network.check(features).items():
        atomic, slopes = networks[element].energies(rows.values)
        energies += np.bincount(rows.frame, atomic, features.n_frames)
        if forces is not None and found is not None and element in forces.gradients:
            d = forces.gradients[element]
            add_products(d.component, d.row, d.values, -slopes, found)
    return energies, found


@compiled
def add_products(component, row, values, slopes, out):
    """out[component] += values · slopes[row] of each entry."""
    for e in range(len(component)):
        total = 0.0
        of = slopes[row[e]]
        for f in range(values.shape[1]):
            total += values[e, f] * of[f]
        out[component[e]] += total
