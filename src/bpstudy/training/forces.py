"""Forces of a network as a function of its weights, with gradient and Jacobian, compiled.

F_c = −Σ_atoms Σ_f dE/dG_f dG_f/dR_c. The derivatives dG/dR do not depend on the weights, so they are computed once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bpstudy.network.model import AtomicNetwork
from bpstudy.training.layers import Architecture, Tensors, architecture, compiled, curvature, slope, unpack

Array = NDArray[np.float64]
JACOBIAN_ROWS = 1024
FRAMES_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class ForceData:
    """Forces to fit, or to test on, of some frames.

    Attributes:
        features: raw, {element: (n_frames, n_atoms, n_functions)}.
        gradients: dG/dR, 1/Å, {element: (n_frames, n_atoms, n_components, n_functions)}, of the components in `forces`.
        forces_ev_per_angstrom: (n_frames, n_components); they belong to the free energy.
        scale_ev_per_angstrom: unit of their errors in the loss, the RMS of the training forces.
        weight: of their relative mean squared error beside that of the energies.

    Raises:
        ValueError: shapes that do not fit together, or numbers that are not finite.
    """

    features: Mapping[str, Array]
    gradients: Mapping[str, Array]
    forces_ev_per_angstrom: Array
    scale_ev_per_angstrom: float
    weight: float = 1.0

    def __post_init__(self) -> None:
        n_frames, n_components = self.forces_ev_per_angstrom.shape
        for element, d in self.gradients.items():
            n_atoms, n_functions = self.features[element].shape[1:]
            if d.shape != (n_frames, n_atoms, n_components, n_functions):
                raise ValueError(
                    f"gradients[{element}]: shape {d.shape}, expected (n_frames, n_atoms, n_components, n_functions) = "
                    f"{(n_frames, n_atoms, n_components, n_functions)}"
                )
            if not np.isfinite(d).all():
                raise ValueError(f"gradients[{element}]: not all are finite; the functions have no slope there")
        if not np.isfinite(self.forces_ev_per_angstrom).all():
            raise ValueError("forces: not all are finite; leave the frame out or compute it again")
        if not (self.scale_ev_per_angstrom > 0 and self.weight > 0):
            raise ValueError(
                f"scale {self.scale_ev_per_angstrom} eV/Å and weight {self.weight} of the forces must be positive"
            )


class ForceTerm:
    """Residuals ρ = √(weight · n_energies / n_rows) (F_network − F) / F_scale of all components.

    So Σ ρ² / n_energies is weight times the relative mean squared error, and rows of n_energies energies stand beside.
    """

    def __init__(self, network: AtomicNetwork, data: ForceData, n_energies: int) -> None:
        features = network.check(data.features)
        self.n_frames, self.n_components = data.forces_ev_per_angstrom.shape
        self.n_rows = self.n_frames * self.n_components
        self._inputs = {element: network.standardise(element)(x) for element, x in features.items()}
        self._n_energies = n_energies
        self._unit = (data.weight * n_energies / self.n_rows) ** 0.5 / data.scale_ev_per_angstrom
        scale = network.energy_scale.scale_ev_per_atom
        # d z/dR, and with it the sign and the units of ρ: those of the forces are then sums of products alone.
        factor = {element: network.standardise(element).get_weights()[0] for element in features}
        self._tangents = {
            element: tf.constant(-self._unit * scale * data.gradients[element] * factor[element])
            for element in features
        }
        self._targets = tf.constant(self._unit * data.forces_ev_per_angstrom)
        self._block_jacobian, self._block_residuals, self._block_gradient = (
            compiled(graph, architecture(network)) for graph in (_jacobian, _residuals, _gradient)
        )

    def value_and_gradient(self, weights: Array) -> tuple[float, Array]:
        """Σ ρ² / n_energies and its derivative."""
        theta = tf.constant(weights)
        parts = [self._block_gradient(theta, *block) for block in self._blocks(FRAMES_AT_ONCE)]
        return sum(float(v) for v, _ in parts) / self._n_energies, sum(g.numpy() for _, g in parts) / self._n_energies

    def residuals(self, weights: Array) -> Array:
        """ρ (n_frames, n_components)."""
        theta = tf.constant(weights)
        return np.concatenate([self._block_residuals(theta, *block).numpy() for block in self._blocks(FRAMES_AT_ONCE)])

    def forces(self, weights: Array) -> Array:
        """The network's forces (n_frames, n_components), eV/Å."""
        return (self.residuals(weights) + self._targets.numpy()) / self._unit

    def jacobian(self, weights: Array) -> Iterator[tuple[Array, Array]]:
        """ρ (rows,) and dρ/dw (rows, n_weights) of consecutive blocks of frames, all components of a frame together."""
        theta = tf.constant(weights)
        for block in self._blocks(max(1, JACOBIAN_ROWS // self.n_components)):
            residuals, jacobian = self._block_jacobian(theta, *block)
            yield residuals.numpy(), jacobian.numpy()

    def _blocks(self, n_frames: int) -> Iterator[tuple[dict[str, tf.Tensor], dict[str, tf.Tensor], tf.Tensor]]:
        for start in range(0, self.n_frames, n_frames):
            block = slice(start, start + n_frames)
            inputs, tangents = ({e: x[block] for e, x in of.items()} for of in (self._inputs, self._tangents))
            yield inputs, tangents, self._targets[block]


def _residuals(of: Architecture, theta: tf.Tensor, inputs: Tensors, tangents: Tensors, targets: tf.Tensor) -> tf.Tensor:
    """By the derivative of the energy with respect to the functions, once for all components."""
    weights, total = unpack(theta, of), -targets
    for element, stack in of:
        y, slopes = inputs[element], []
        for layer, (kernel, bias) in zip(stack, weights[element], strict=True):
            y, first = slope(layer, tf.matmul(y, kernel) + bias)
            slopes.append(first)
        delta = tf.ones_like(y)
        for first, (kernel, _) in zip(reversed(slopes), reversed(weights[element]), strict=True):
            delta = tf.matmul(delta * first, kernel, transpose_b=True)
        total += tf.einsum("bacf,baf->bc", tangents[element], delta)
    return total


def _gradient(of: Architecture, theta: tf.Tensor, *block: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(theta)
        value = tf.reduce_sum(_residuals(of, theta, *block) ** 2)
    return value, tape.gradient(value, theta)


def _jacobian(
    of: Architecture, theta: tf.Tensor, inputs: Tensors, tangents: Tensors, targets: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Forward along the tangents, then back. With a_l = f(z_l), z_l = a_(l-1) W_l + b_l, a dot for the derivative
    along a component's tangent, and δ_l = da_out/dz_l, e_l = δ_(l+1) W_(l+1)ᵀ:

    ȧ_l = f'(z_l) ȧ_(l-1) W_l,  δ_l = e_l f'(z_l),  δ̇_l = ė_l f'(z_l) + e_l f''(z_l) ż_l,
    dρ/dW_l = Σ_atoms (ȧ_(l-1) ⊗ δ_l + a_(l-1) ⊗ δ̇_l),  dρ/db_l = Σ_atoms δ̇_l.
    """
    weights = unpack(theta, of)
    total, columns = -targets, []
    n_components = tf.shape(targets)[1]
    for element, stack in of:
        x = inputs[element]
        n_frames, n_atoms = tf.shape(x)[0], tf.shape(x)[1]
        each = (n_frames, n_atoms, n_components)
        a, da = [x], [tangents[element]]  # (frames, atoms, n), (frames, atoms, components, n)
        dz, first, second = [], [], []
        for layer, (kernel, bias) in zip(stack, weights[element], strict=True):
            value, f1, f2 = curvature(layer, tf.matmul(a[-1], kernel) + bias)
            along = tf.matmul(tf.reshape(da[-1], (-1, layer.rows)), kernel)
            dz.append(tf.reshape(along, (*each, layer.columns)))
            a.append(value)
            da.append(f1[:, :, None] * dz[-1])
            first.append(f1)
            second.append(f2)
        total += tf.reduce_sum(da[-1][..., 0], axis=1)
        e, de = tf.ones_like(a[-1]), tf.zeros_like(da[-1])
        parts = []
        for level, layer in reversed(list(enumerate(stack))):
            kernel, n_in, n_out = weights[element][level][0], layer.rows, layer.columns
            delta = e * first[level]
            ddelta = de * first[level][:, :, None] + (e * second[level])[:, :, None] * dz[level]
            along = tf.reshape(da[level], (n_frames, n_atoms, n_components * n_in))
            outer = tf.reshape(tf.matmul(along, delta, transpose_a=True), (n_frames, n_components, n_in * n_out))
            turned = tf.reshape(ddelta, (n_frames, n_atoms, n_components * n_out))
            other = tf.reshape(tf.matmul(a[level], turned, transpose_a=True), (n_frames, n_in, n_components, n_out))
            outer += tf.reshape(tf.transpose(other, (0, 2, 1, 3)), (n_frames, n_components, n_in * n_out))
            parts += [tf.reduce_sum(ddelta, axis=1), outer]
            if level:
                e = tf.matmul(delta, kernel, transpose_b=True)
                back = tf.matmul(tf.reshape(ddelta, (-1, n_out)), kernel, transpose_b=True)
                de = tf.reshape(back, (*each, n_in))
        columns += parts[::-1]
    n_weights = tf.size(theta)
    return tf.reshape(total, [-1]), tf.reshape(tf.concat(columns, axis=2), (-1, n_weights))
