"""The error of a network's cell energies, and forces, as a function of its weights, with gradient and Jacobian."""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray

from bpstudy.network.model import AtomicNetwork
from bpstudy.statistics.finite import finite_energies
from bpstudy.training.forces import ForceData, ForceTerm
from bpstudy.training.layers import Architecture, Tensors, architecture, compiled, slope, unpack

JACOBIAN_FRAMES = 512


class Objective:
    """Residuals ρ = (E_network - E) / (scale · sqrt(n_atoms)) of some frames, and φ = mean ρ² + weight_decay · |w|².

    The unit of ρ is the spread of the training energies that the network was made with; `unit_ev2` is its square, so
    that MSE = unit_ev2 · mean ρ² in (eV/cell)². Weights are one flat vector in the order of `AtomicNetwork.variables`.

    With `forces`, "mean ρ²" is the mean over the energies plus weight · mean (F_network - F)² / F_scale² over all
    components; the rows of ρ that belong to forces are scaled so that Σ ρ² / n_frames is this sum.

    Raises:
        ModelMismatchError: the features are not those that the network was made for.
        ValueError: numbers that are not finite, or not one energy a frame.
    """

    def __init__(
        self,
        network: AtomicNetwork,
        features: Mapping[str, ArrayLike],
        energies_ev: ArrayLike,
        weight_decay: float = 0.0,
        forces: ForceData | None = None,
    ) -> None:
        values = network.check(features)
        energies = finite_energies(energies_ev, "energies")
        n_frames = len(next(iter(values.values())))
        if len(energies) != n_frames:
            raise ValueError(f"energies: {len(energies)} for {n_frames} frames of features; give one energy a frame")
        n_atoms = sum(x.shape[1] for x in values.values())
        scale = network.energy_scale
        self.n_frames = n_frames
        self.forces = None if forces is None else ForceTerm(network, forces, n_frames)
        self.n_rows = n_frames + (self.forces.n_rows if self.forces else 0)
        self.n_weights = network.get_weights().size
        self.weight_decay = weight_decay
        self.unit_ev2 = scale.scale_ev_per_atom**2 * n_atoms
        self._sum_scale = tf.constant(n_atoms**-0.5, tf.float64)
        self._inputs = {element: network.standardise(element)(x) for element, x in values.items()}
        self._targets = tf.constant((energies - n_atoms * scale.offset_ev_per_atom) / self.unit_ev2**0.5)
        self._jacobian, self._gradient, self._residuals = (
            compiled(graph, architecture(network)) for graph in (_jacobian, _gradient, _residuals)
        )

    def value_and_gradient(self, weights: NDArray[np.float64]) -> tuple[float, float, NDArray[np.float64]]:
        """mean ρ², φ and dφ/dw."""
        mean_square, gradient = self._gradient(tf.constant(weights), self._inputs, self._targets, self._sum_scale)
        penalty = self.weight_decay * float(weights @ weights)
        value, slopes = float(mean_square), gradient.numpy()
        if self.forces:
            more, steeper = self.forces.value_and_gradient(weights)
            value, slopes = value + more, slopes + steeper
        return value, value + penalty, slopes + 2 * self.weight_decay * weights

    def residuals(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """ρ (n_rows,): of all energies, then of all forces."""
        energies = self._residuals(tf.constant(weights), self._inputs, self._targets, self._sum_scale).numpy()
        if not self.forces:
            return energies
        return np.concatenate([energies, self.forces.residuals(weights).ravel()])

    def mean_square(self, weights: NDArray[np.float64]) -> float:
        """mean ρ²."""
        rho = self.residuals(weights)
        return float(rho @ rho) / self.n_frames

    def mse_ev2(self, weights: NDArray[np.float64]) -> float:
        """Mean squared error of the cell energies, (eV/cell)²; with that of the forces, in the same unit."""
        return self.unit_ev2 * self.mean_square(weights)

    def jacobian(self, weights: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """ρ (rows,) and dρ/dw (rows, n_weights) of consecutive blocks of frames: their energies, then their forces."""
        theta = tf.constant(weights)
        for start in range(0, self.n_frames, JACOBIAN_FRAMES):
            block = slice(start, start + JACOBIAN_FRAMES)
            inputs = {element: x[block] for element, x in self._inputs.items()}
            residuals, jacobian = self._jacobian(theta, inputs, self._targets[block], self._sum_scale)
            yield residuals.numpy(), jacobian.numpy()
        if self.forces:
            yield from self.forces.jacobian(weights)


def _residuals(
    of: Architecture, theta: tf.Tensor, inputs: Tensors, targets: tf.Tensor, sum_scale: tf.Tensor
) -> tf.Tensor:
    weights = unpack(theta, of)
    total = 0.0
    for element, stack in of:
        x = inputs[element]
        y = tf.reshape(x, (-1, stack[0].rows))
        for layer, (kernel, bias) in zip(stack, weights[element], strict=True):
            y = layer.activation(tf.matmul(y, kernel) + bias)
        total += tf.reduce_sum(tf.reshape(y, tf.shape(x)[:2]), axis=1)
    return sum_scale * total - targets


def _gradient(of: Architecture, theta: tf.Tensor, *data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(theta)
        value = tf.reduce_mean(_residuals(of, theta, *data) ** 2)
    return value, tape.gradient(value, theta)


def _jacobian(
    of: Architecture, theta: tf.Tensor, inputs: Tensors, targets: tf.Tensor, sum_scale: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """With a_l = f(z_l), z_l = a_(l-1) W_l + b_l and δ_l = da_out/dz_l of each atom:

    dE/dW_l = Σ_atoms a_(l-1) ⊗ δ_l, dE/db_l = Σ_atoms δ_l, δ_(l-1) = (δ_l W_lᵀ) ∘ f'(z_(l-1)).
    """
    weights = unpack(theta, of)
    total, columns = 0.0, []
    for element, stack in of:
        x = inputs[element]
        n_frames, n_atoms = tf.shape(x)[0], tf.shape(x)[1]
        activations, slopes = [tf.reshape(x, (-1, stack[0].rows))], []
        for layer, (kernel, bias) in zip(stack, weights[element], strict=True):
            a, first = slope(layer, tf.matmul(activations[-1], kernel) + bias)
            slopes.append(first)
            activations.append(a)
        total += tf.reduce_sum(tf.reshape(activations[-1], (n_frames, n_atoms)), axis=1)
        delta, parts = slopes[-1], []
        for level, layer in reversed(list(enumerate(stack))):
            d = tf.reshape(delta, (n_frames, n_atoms, layer.columns))
            a = tf.reshape(activations[level], (n_frames, n_atoms, layer.rows))
            outer = tf.reshape(tf.matmul(a, d, transpose_a=True), (n_frames, layer.rows * layer.columns))
            parts += [tf.reduce_sum(d, axis=1), outer]
            if level:
                delta = tf.matmul(delta, weights[element][level][0], transpose_b=True) * slopes[level - 1]
        columns += parts[::-1]
    return sum_scale * total - targets, sum_scale * tf.concat(columns, axis=1)
