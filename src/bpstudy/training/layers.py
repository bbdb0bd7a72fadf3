"""What the energies and the forces of a network share: its architecture, weights from the flat vector, slopes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import tensorflow as tf

from bpstudy.network.model import AtomicNetwork

Tensors = dict[str, tf.Tensor]
Weights = dict[str, list[tuple[tf.Tensor, tf.Tensor]]]


@dataclass(frozen=True)
class Layer:
    """Numbers in and out of a dense layer, and its activation."""

    rows: int
    columns: int
    activation: Callable[[tf.Tensor], tf.Tensor]


Architecture = tuple[tuple[str, tuple[Layer, ...]], ...]


def architecture(network: AtomicNetwork) -> Architecture:
    """The layers with weights to train, input to output, of each element."""
    return tuple(
        (
            element,
            tuple(Layer(layer.kernel.shape[0], layer.units, layer.activation) for layer in network.dense(element)),
        )
        for element in network.labels
    )


@cache
def compiled(graph: Callable, of: Architecture) -> Callable:
    """graph(architecture, …), traced once for all fits of a process: tracing takes as long as some iterations."""
    return tf.function(partial(graph, of), reduce_retracing=True, autograph=False)


def unpack(theta: tf.Tensor, of: Architecture) -> Weights:
    """The flat vector as {element: [(kernel, bias) a layer]}."""
    start = 0
    weights: Weights = {}
    for element, stack in of:
        weights[element] = []
        for layer in stack:
            rows, columns = layer.rows, layer.columns
            middle, end = start + rows * columns, start + (rows + 1) * columns
            weights[element].append((tf.reshape(theta[start:middle], (rows, columns)), theta[middle:end]))
            start = end
    return weights


def slope(layer: Layer, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """f(z) and f'(z) of a layer's activation."""
    with tf.GradientTape() as tape:
        tape.watch(z)
        a = layer.activation(z)
    return a, tape.gradient(a, z)


def curvature(layer: Layer, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """f(z), f'(z) and f''(z) of a layer's activation."""
    with tf.GradientTape() as tape:
        tape.watch(z)
        a, first = slope(layer, z)
    second = tape.gradient(first, z, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return a, first, second
