"""Energies of a network as a function of its weights, with gradient and Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpstudy.descriptors.features import Features
from bpstudy.network.model import AtomicNetwork
from bpstudy.network.normalization import EnergyScale
from bpstudy.statistics.finite import finite_energies
from bpstudy.training.kernels import add_outer, add_rows, starts
from bpstudy.training.layers import Pass, Passes, architectures, scatter

Array = NDArray[np.float64]
Pull = Callable[[Array], Array]
JACOBIAN_FRAMES = 512


class EnergyTerm:
    """Residuals ρ = (E_network - E) / (n_atoms · spread) of some frames, spread as in `EnergyScale`.

    For frames of one composition the error of the energy in units of the standard deviation of the energies.

    Raises:
        ModelMismatchError: the features are not those that the network was made for.
        ValueError: numbers that are not finite, or not one energy per frame.
    """

    def __init__(self, network: AtomicNetwork, features: Features, energies_ev: ArrayLike) -> None:
        energies = finite_energies(energies_ev, "energies")
        if len(energies) != features.n_frames:
            raise ValueError(
                f"energies: {len(energies)} for {features.n_frames} frames of features; give one energy a frame"
            )
        scale: EnergyScale = network.energy_scale
        self.n_rows = features.n_frames
        self.architectures = architectures(network)
        self.pass_operations = 0
        inputs, self._frame, self._starts = {}, {}, {}
        for element, of in network.check(features).items():
            factor, shift = network.standardise(element)
            inputs[element] = of.values * factor + shift
            self.pass_operations += 2 * len(of.values) * self.architectures[element].n_weights
            self._frame[element], self._starts[element] = of.frame, starts(of.frame, self.n_rows)
        self._passes = Passes(self.architectures, inputs)
        self._factor = scale.mean_atoms**0.5 / features.n_atoms
        self._targets = (energies - scale.baseline_ev(features.counts())) / (
            features.n_atoms * scale.spread_ev_per_atom
        )

    def residuals(self, weights: Array) -> Array:
        """ρ (n_frames,)."""
        return self._total(self._passes(weights))

    def linearise(self, weights: Array) -> tuple[Array, Pull]:
        """ρ, and u ↦ Σ_k u_k dρ_k/dweights."""
        passes = self._passes(weights)

        def pull(upstream: Array) -> Array:
            out, weighted = np.zeros_like(weights), upstream * self._factor
            for element, of in self.architectures.items():
                scatter(of, passes[element].weight_derivatives(weighted[self._frame[element]]), out)
            return out

        return self._total(passes), pull

    def jacobian(self, weights: Array) -> Iterator[tuple[Array, Array]]:
        """ρ (rows,) and dρ/dweights (rows, n_weights) of consecutive blocks of frames."""
        passes = self._passes(weights)
        residuals = self._total(passes)
        for first in range(0, self.n_rows, JACOBIAN_FRAMES):
            last = min(first + JACOBIAN_FRAMES, self.n_rows)
            out = np.zeros((last - first, len(weights)))
            for element, passed in passes.items():
                self._rows(passed, self._starts[element][first : last + 1], out)
            out *= self._factor[first:last, None]
            yield residuals[first:last], out

    def _rows(self, passed: Pass, start: NDArray[np.intp], out: Array) -> None:
        """Sums over the atoms of each frame of the derivatives of their outputs."""
        of, rows = passed.architecture, np.arange(start[-1])
        places = list(of.slices())
        for level, delta in enumerate(passed.deltas):
            add_outer(start, passed.values[level], rows, delta, rows, out[:, places[2 * level]])
            add_rows(start, delta, rows, out[:, places[2 * level + 1]])
        add_rows(start, passed.values[-1], rows, out[:, places[2 * of.n_hidden]])
        out[:, places[2 * of.n_hidden + 1]] = np.diff(start)[:, None]
        if of.direct:
            add_rows(start, passed.values[0], rows, out[:, places[-1]])

    def _total(self, passes: dict[str, Pass]) -> Array:
        total = np.zeros(self.n_rows)
        for element, passed in passes.items():
            total += np.bincount(self._frame[element], passed.outputs, self.n_rows)
        return self._factor * total - self._targets
