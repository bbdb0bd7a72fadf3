"""What the energies and the forces of a network share: its weights from the flat vector, and slopes of its layers."""

from collections.abc import Mapping, Sequence

import tensorflow as tf
from keras import layers

Weights = dict[str, list[tuple[tf.Tensor, tf.Tensor]]]


def unpack(theta: tf.Tensor, dense: Mapping[str, Sequence[layers.Dense]]) -> Weights:
    """The flat vector as {element: [(kernel, bias) a layer]}."""
    start = 0
    weights: Weights = {}
    for element, stack in dense.items():
        weights[element] = []
        for layer in stack:
            rows, columns = layer.kernel.shape
            middle, end = start + rows * columns, start + (rows + 1) * columns
            weights[element].append((tf.reshape(theta[start:middle], (rows, columns)), theta[middle:end]))
            start = end
    return weights


def slope(layer: layers.Dense, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """f(z) and f'(z) of a layer's activation."""
    with tf.GradientTape() as tape:
        tape.watch(z)
        a = layer.activation(z)
    return a, tape.gradient(a, z)


def curvature(layer: layers.Dense, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """f(z), f'(z) and f''(z) of a layer's activation."""
    with tf.GradientTape() as tape:
        tape.watch(z)
        a, first = slope(layer, z)
    second = tape.gradient(first, z, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return a, first, second
