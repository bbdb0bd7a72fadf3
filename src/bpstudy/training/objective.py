"""The error of a network's energies, and forces, as a function of its weights, with gradient and Jacobian."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpstudy.descriptors.features import Features
from bpstudy.network.model import AtomicNetwork
from bpstudy.training.energies import EnergyTerm, Pull
from bpstudy.training.forces import ForceData, ForceTerm

Array = NDArray[np.float64]


class Objective:
    """φ = mean ρ² + Σ decay · w², with the residuals ρ of the energies of some frames (`EnergyTerm`).

    `unit_ev2` makes mean ρ² an MSE in (eV/cell)²: of cells of the mean number of atoms of the training frames, where
    these differ. Weights are one flat vector in the order of `AtomicNetwork.variables`.

    `operations` counts floating-point operations so far, to leading order and the same on every machine: two for each
    weight and atom (or entry of dG/dR) of a forward pass, three times as many with the derivatives; also where the
    forward pass is there already.

    With `forces`, "mean ρ²" is the mean over the energies plus weight · mean (F_network - F)² / F_scale² over all
    components; the rows of ρ that belong to forces are scaled so that Σ ρ² / n_frames is this sum. `stress` adds a term
    of the same form, of the virials per atom.

    Args:
        weight_decay: one for all weights, or one for each.

    Raises:
        ModelMismatchError: the features are not those that the network was made for.
        ValueError: numbers that are not finite, or not one energy per frame.
    """

    def __init__(
        self,
        network: AtomicNetwork,
        features: Features,
        energies_ev: ArrayLike,
        weight_decay: float | Array = 0.0,
        forces: ForceData | None = None,
        stress: ForceData | None = None,
    ) -> None:
        energies = EnergyTerm(network, features, energies_ev)
        self.n_frames = features.n_frames
        self.forces = None if forces is None else ForceTerm(network, features, forces, self.n_frames)
        self.stress = None if stress is None else ForceTerm(network, features, stress, self.n_frames)
        self.terms: list[EnergyTerm | ForceTerm] = [energies, *(of for of in (self.forces, self.stress) if of)]
        self.n_rows = sum(term.n_rows for term in self.terms)
        self.n_weights = network.get_weights().size
        self.weight_decay = np.broadcast_to(np.asarray(weight_decay, dtype=float), (self.n_weights,))
        self.pass_operations = sum(term.pass_operations for term in self.terms)
        self.operations = 0.0
        self.unit_ev2 = network.energy_scale.unit_ev**2

    def penalty(self, weights: Array) -> float:
        """Σ decay · w²."""
        return float(self.weight_decay @ weights**2)

    def residuals(self, weights: Array) -> Array:
        """ρ (n_rows,): of all energies, then of all forces, then of the stress."""
        self.operations += self.pass_operations
        return np.concatenate([term.residuals(weights) for term in self.terms])

    def linearise(self, weights: Array) -> tuple[Array, Pull]:
        """ρ (n_rows,), and the map of rows u (n_rows,) to Jᵀu (n_weights,)."""
        self.operations += 3 * self.pass_operations
        found = [term.linearise(weights) for term in self.terms]
        ends = np.cumsum([term.n_rows for term in self.terms])[:-1]

        def pull(upstream: Array) -> Array:
            parts = np.split(upstream, ends)
            return np.sum([of(part) for (_, of), part in zip(found, parts, strict=True)], axis=0)

        return np.concatenate([rho for rho, _ in found]), pull

    def value_and_gradient(self, weights: Array) -> tuple[float, float, Array]:
        """mean ρ², φ and dφ/dw."""
        rho, pull = self.linearise(weights)
        value = float(rho @ rho) / self.n_frames
        gradient = 2 / self.n_frames * pull(rho) + 2 * self.weight_decay * weights
        return value, value + self.penalty(weights), gradient

    def mean_square(self, weights: Array) -> float:
        """mean ρ²."""
        rho = self.residuals(weights)
        return float(rho @ rho) / self.n_frames

    def mse_ev2(self, weights: Array) -> float:
        """Mean squared error of the cell energies, (eV/cell)²; with that of the forces, in the same unit."""
        return self.unit_ev2 * self.mean_square(weights)

    def jacobian(self, weights: Array) -> Iterator[tuple[Array, Array]]:
        """ρ (rows,) and dρ/dw (rows, n_weights) of consecutive blocks: energies, then forces, then stress."""
        self.operations += 3 * self.pass_operations
        for term in self.terms:
            yield from term.jacobian(weights)
