"""Forces, and stress, of a network as a function of its weights, with gradient and Jacobian.

F_c = −Σ_atoms Σ_f dE/dG_f dG_f/dR_c. The derivatives dG/dR do not depend on the weights, so they are computed once.
For the stress, strains stand in the place of R (`bpstudy.descriptors.strains`), and all else is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bpstudy.descriptors.features import Features
from bpstudy.descriptors.gradients import Derivatives
from bpstudy.network.element import add_products
from bpstudy.network.model import AtomicNetwork
from bpstudy.training.energies import Pull
from bpstudy.training.kernels import add_back, add_products_of_pairs, add_rows, starts
from bpstudy.training.layers import Pass, Passes, architectures, scatter

Array = NDArray[np.float64]
JACOBIAN_ROWS = 2048
ROWS_AT_ONCE = 128  # whose tangents are in the cache together


@dataclass(frozen=True, eq=False)
class ForceData:
    """Forces, or stress, to fit or to test on, of some frames of a set.

    Attributes:
        forces: components and dG/dR (of a `StressSet` dG/dε); they belong to the free energy.
        scale_ev_per_angstrom: unit of their errors in the loss, the RMS of the training forces (of a stress: of the
            virials, eV an atom).
        weight: of their relative mean squared error beside that of the energies.

    Raises:
        ValueError: no forces, or numbers that are not finite or not positive.
    """

    forces: Derivatives
    scale_ev_per_angstrom: float
    weight: float = 1.0

    def __post_init__(self) -> None:
        name = self.forces.NAME
        if not len(self.forces.frame):
            raise ValueError(f"{name}: no components; leave them out or give frames with {name}")
        for element, d in self.forces.gradients.items():
            if not np.isfinite(d.values).all():
                raise ValueError(f"gradients[{element}]: not all are finite; the functions have no slope there")
        if not np.isfinite(self.forces.targets).all():
            raise ValueError(f"{name}: not all are finite; leave the frame out or compute it again")
        if not (self.scale_ev_per_angstrom > 0 and self.weight > 0):
            raise ValueError(
                f"scale {self.scale_ev_per_angstrom} eV/Å and weight {self.weight} of the {name} must be positive"
            )


@dataclass(frozen=True, eq=False)
class Entries:
    """Of one element: inputs of the atoms that the components depend on, and the tangents of these inputs."""

    inputs: Array  # (n_rows, n_inputs)
    component: NDArray[np.intp]  # (n_entries,)
    row: NDArray[np.intp]  # (n_entries,), in `inputs`
    tangents: Array  # (n_entries, n_inputs), dz/dR with the sign and the unit of ρ
    start: NDArray[np.intp]  # (n_components + 1,)


class ForceTerm:
    """Residuals ρ = √(weight · n_energies / n_rows) (F_network − F) / F_scale of all components.

    So Σ ρ² / n_energies is weight times the relative mean squared error, and rows of n_energies energies stand beside.

    Raises:
        ModelMismatchError: the features are not those that the network was made for.
    """

    def __init__(self, network: AtomicNetwork, features: Features, data: ForceData, n_energies: int) -> None:
        known = data.forces
        self.n_rows = len(known.frame)
        self.architectures = architectures(network)
        self._unit = (data.weight * n_energies / self.n_rows) ** 0.5 / data.scale_ev_per_angstrom
        scale = network.energy_scale.scale_ev
        self._targets = self._unit * known.targets
        self._entries = {}
        rows = network.check(features)
        for element in known.gradients:
            d, (factor, shift) = known.gradients[element], network.standardise(element)
            used, row = np.unique(d.row, return_inverse=True)
            tangents = d.values * (-self._unit * scale * factor)
            self._entries[element] = Entries(
                rows[element].values[used] * factor + shift,
                d.component,
                row,
                tangents,
                starts(d.component, self.n_rows),
            )

        self._passes = Passes(self.architectures, {e: of.inputs for e, of in self._entries.items()})
        self.pass_operations = sum(
            2 * (len(of.inputs) + len(of.component)) * self.architectures[element].n_weights
            for element, of in self._entries.items()
        )

    def residuals(self, weights: Array) -> Array:
        """ρ (n_components,)."""
        return self._total(self._passes(weights))

    def forces(self, weights: Array) -> Array:
        """The network's forces (n_components,), in the unit of the targets."""
        return (self.residuals(weights) + self._targets) / self._unit

    def linearise(self, weights: Array) -> tuple[Array, Pull]:
        """ρ, and u ↦ Σ_k u_k dρ_k/dweights."""
        passes = self._passes(weights)

        def pull(upstream: Array) -> Array:
            out = np.zeros_like(weights)
            for element, of in self._entries.items():
                directions = np.zeros_like(of.inputs)
                add_back(of.component, of.row, of.tangents, upstream, directions)
                scatter(self.architectures[element], passes[element].slope_derivatives(directions), out)
            return out

        return self._total(passes), pull

    def jacobian(self, weights: Array) -> Iterator[tuple[Array, Array]]:
        """ρ (rows,) and dρ/dweights (rows, n_weights) of consecutive blocks of components:

        dρ/dW_l = Σ_atoms (ȧ_(l-1) ⊗ δ_l + a_(l-1) ⊗ δ̇_l), dρ/db_l = Σ_atoms δ̇_l (`layers`).
        """
        passes = self._passes(weights)
        residuals = self._total(passes)
        for first in range(0, self.n_rows, JACOBIAN_ROWS):
            last = min(first + JACOBIAN_ROWS, self.n_rows)
            out = np.zeros((last - first, len(weights)))
            for element, of in self._entries.items():
                for part in range(first, last, ROWS_AT_ONCE):
                    start = of.start[part : min(part + ROWS_AT_ONCE, last) + 1]
                    block, rows = slice(start[0], start[-1]), slice(part - first, part - first + len(start) - 1)
                    self._rows(passes[element], of.tangents[block], of.row[block], start - start[0], out[rows])
            yield residuals[first:last], out

    def _rows(self, passed: Pass, tangents: Array, row: NDArray[np.intp], start: NDArray[np.intp], out: Array) -> None:
        of, entry = passed.architecture, np.arange(len(row))
        moved, bends = passed.along(tangents, row)
        places = list(of.slices())
        for level, delta in enumerate(passed.deltas):
            kernel, bias = out[:, places[2 * level]], out[:, places[2 * level + 1]]
            add_products_of_pairs(start, row, moved[level], delta, passed.values[level], bends[level], kernel)
            add_rows(start, bends[level], entry, bias)
        add_rows(start, moved[-1], entry, out[:, places[2 * of.n_hidden]])
        if of.direct:
            add_rows(start, tangents, entry, out[:, places[-1]])

    def _total(self, passes: dict[str, Pass]) -> Array:
        total = -self._targets
        for element, of in self._entries.items():
            add_products(of.component, of.row, of.tangents, passes[element].slopes, total)
        return total
