"""A fitted network as a potential: an ASE calculator made from the folder of one fit.

The folder holds `model.keras` (weights, and the fixed mean and scale of each function) and `potential.json` (the
symmetry functions, which energy was fitted, and what the training atoms were like).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from bpstudy.files import atomic_path
from bpstudy.network import AtomicNetwork, load_network
from bpstudy.symmetry import SymmetryFunctions

MODEL, DESCRIPTION, FORMAT = "model.keras", "potential.json", 1
RANK_TOLERANCE = 1e-10  # relative variance below which a direction of the training functions is rounding

Array = NDArray[np.float64]


class PotentialError(ValueError):
    """The folder is no potential, or the structure none that it was made for."""


class ExtrapolationError(ValueError):
    """A structure is unlike all that the potential was trained on; the message names the atom and the function."""


class ExtrapolationWarning(UserWarning):
    """As ExtrapolationError."""


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
        PotentialError: an activation that is not known here.
    """
    scale, found = network.energy_scale, {}
    for element in network.labels:
        layers = []
        for dense in network.dense(element):
            name = dense.activation.__name__
            if name not in ACTIVATIONS:
                raise PotentialError(f"activation {name!r} has no forces here; allowed are {', '.join(ACTIVATIONS)}")
            kernel, bias = (np.asarray(w, dtype=np.float64) for w in dense.get_weights())
            layers.append(Layer(kernel, bias, name))
        factor, shift = network.standardise(element).get_weights()
        found[element] = ElementNetwork(factor, shift, tuple(layers), scale.scale_ev_per_atom, scale.offset_ev_per_atom)
    return found


@dataclass(frozen=True, eq=False)
class Known:
    """What the training atoms of an element were like.

    `low`, `high` (n_functions,) is the range of each function. `directions` (n_functions, k) turn G − `mean` into k
    uncorrelated numbers of unit variance, so that |(G − mean) @ directions| / √k is the Mahalanobis distance in units
    of that of a typical training atom; `farthest` is the largest of a training atom.
    """

    low: Array
    high: Array
    mean: Array
    directions: Array
    farthest: float

    @classmethod
    def of(cls, values: Array) -> Known:
        """From raw functions of all training atoms, (n, n_functions)."""
        low, high, mean = values.min(axis=0), values.max(axis=0), values.mean(axis=0)
        width = np.where(high > low, high - low, 1.0)
        variances, vectors = np.linalg.eigh(
            np.cov((values - mean) / width, rowvar=False, ddof=0).reshape(2 * low.shape)
        )
        kept = variances > RANK_TOLERANCE * max(float(variances.max()), np.finfo(float).tiny)
        directions = vectors[:, kept] / np.sqrt(variances[kept]) / width[:, None]
        known = cls(low, high, mean, directions, 0.0)
        return cls(low, high, mean, directions, float(known.distance(values).max()))

    def distance(self, values: Array) -> Array:
        """Mahalanobis distance of each atom; 1 is typical."""
        size = max(self.directions.shape[1], 1)
        return np.asarray(np.sqrt((((values - self.mean) @ self.directions) ** 2).sum(axis=1) / size))

    def outside(self, values: Array, margin: float) -> tuple[int, int | None, float] | None:
        """The atom that is farthest outside by more than `margin`, if any: (atom, function or None, by how much).

        A function counts in units of its range, the Mahalanobis distance (function None) of the largest in training.
        """
        width = np.maximum(self.high - self.low, 1e-8 * max(float((self.high - self.low).max()), 1e-12))
        beyond = np.maximum(self.low - values, values - self.high) / width
        farther = self.distance(values) / max(self.farthest, 1e-12) - 1
        atom, function = np.unravel_index(int(beyond.argmax()), beyond.shape)
        if beyond[atom, function] > margin:
            return int(atom), int(function), float(beyond[atom, function])
        atom = farther.argmax()
        return (int(atom), None, float(farther[atom])) if farther[atom] > margin else None

    def to_dict(self) -> dict[str, Any]:
        arrays = {key: getattr(self, key).tolist() for key in ("low", "high", "mean", "directions")}
        return {**arrays, "farthest": self.farthest}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Known:
        arrays = {key: np.array(data[key], dtype=float) for key in ("low", "high", "mean", "directions")}
        return cls(**arrays, farthest=float(data["farthest"]))


def describe(
    path: str | Path, functions: SymmetryFunctions, features: Mapping[str, Array], energy: str, pbc: list[bool]
) -> None:
    """Write `potential.json`.

    Args:
        features: raw functions of the training frames, {element: (n_frames, n_atoms, n_functions)}.
        energy: which energy was fitted: "potential", "free" or "total".
        pbc: along which axes the training frames were periodic.
    """
    data = {
        "format": FORMAT,
        "energy": energy,
        "pbc": [bool(axis) for axis in pbc],
        "functions": json.loads(functions.to_json()),
        "known": {e: Known.of(x.reshape(-1, x.shape[-1])).to_dict() for e, x in features.items()},
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(data) + "\n")


class Potential(Calculator):
    """ASE calculator of a fitted network: energy, energy of each atom (eV), forces (eV/Å) and stress (eV/Å³).

    Any cell and any number of atoms, with all periodic images inside the cutoff; elements and periodic axes must be
    those of the training. The energy is the one that was fitted, and `forces` and `stress` are its exact derivatives:
    with `energy: free` in the experiment the free energy, which the DFT's forces belong to.

    Args:
        folder: of one fit, with `model.keras` and `potential.json`.
        on_extrapolation: what happens with an atom unlike those of the training: "warn" (once), "stop" or "ignore".
            `extrapolations` counts such structures.
        margin: how far outside is unlike: the share of a function's training range, and of the largest Mahalanobis
            distance of a training atom.
        threads: that share the atoms of a structure; the numbers do not depend on it.

    Raises:
        PotentialError: the folder is no potential of this version, or a structure has other elements or periodic axes.
        ExtrapolationError: with "stop", names atom and function.
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]  # noqa: RUF012 (as ASE has it)

    def __init__(
        self,
        folder: str | Path,
        on_extrapolation: Literal["warn", "stop", "ignore"] = "warn",
        margin: float = 0.1,
        threads: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if on_extrapolation not in ("warn", "stop", "ignore"):
            raise PotentialError(f"on_extrapolation = {on_extrapolation!r} is not allowed; it is warn, stop or ignore")
        if not margin >= 0:
            raise PotentialError(f"margin = {margin} is not allowed; it must be 0 or more")
        if threads < 1:
            raise PotentialError(f"threads = {threads} is not allowed; it must be 1 or more")
        self.on_extrapolation, self.margin, self.extrapolations = on_extrapolation, margin, 0
        self.threads = threads
        data = _read(Path(folder))
        self.energy_kind: str = data["energy"]
        self.pbc = np.array(data["pbc"], dtype=bool)
        self.functions = SymmetryFunctions.from_json(json.dumps(data["functions"]))
        self.known = {element: Known.from_dict(of) for element, of in data["known"].items()}
        labels = dict.fromkeys(self.known, self.functions.labels)
        self.networks = element_networks(load_network(Path(folder) / MODEL, labels))

    def calculate(
        self, atoms: Atoms | None = None, properties: list[str] | None = None, system_changes: list[str] = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        atoms = atoms or self.atoms
        assert atoms is not None
        self._check(atoms)
        near = self.functions.neighbors(atoms)
        values = self.functions.compute(atoms, self.threads, near)
        symbols = np.array(atoms.get_chemical_symbols())
        energies, slopes = np.empty(len(values)), np.empty_like(values)
        for element in np.unique(symbols):
            chosen = np.flatnonzero(symbols == element)
            self._watch(values[chosen], chosen, str(element))
            energies[chosen], slopes[chosen] = self.networks[element].energies(values[chosen])
        self.results = {"energy": float(energies.sum()), "free_energy": float(energies.sum()), "energies": energies}
        if {"forces", "stress"} & set(properties or ["forces"]):
            self.results["forces"], strain_derivative = self.functions.contract(atoms, slopes, self.threads, near)
            if atoms.cell.rank == 3:
                stress = (strain_derivative + strain_derivative.T) / (2 * atoms.get_volume())
                self.results["stress"] = full_3x3_to_voigt_6_stress(stress)

    def _check(self, atoms: Atoms) -> None:
        for number, symbol in enumerate(atoms.get_chemical_symbols()):
            if symbol not in self.networks:
                raise PotentialError(
                    f"atom {number} is {symbol}; the potential was trained on {', '.join(self.networks)}"
                )
        if (atoms.pbc != self.pbc).any():
            raise PotentialError(
                f"the structure has pbc = {atoms.pbc.tolist()}, the training had {self.pbc.tolist()}; "
                "the potential knows no others"
            )

    def _watch(self, values: Array, atoms: NDArray[np.intp], element: str) -> None:
        if self.on_extrapolation == "ignore":
            return
        found = self.known[element].outside(values, self.margin)
        if found is None:
            return
        self.extrapolations += 1
        atom, function, by = found
        what = "Mahalanobis distance" if function is None else self.functions.labels[function]
        unit = "of the largest in training" if function is None else "of its training range"
        message = f"atom {atoms[atom]} ({element}): {what} lies outside by {by:.2g} {unit}; the energy is a guess there"
        if self.on_extrapolation == "stop":
            raise ExtrapolationError(message)
        if self.extrapolations == 1:
            warnings.warn(f"{message} (said once; `extrapolations` counts)", ExtrapolationWarning, stacklevel=2)


def _read(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise PotentialError(f"{path}: cannot be read ({error}); give the folder of a fit with its {MODEL}") from None
    if data.get("format") != FORMAT:
        raise PotentialError(
            f"{path}: has the format {data.get('format')}, this version reads {FORMAT}; train the network again"
        )
    if not (folder / MODEL).is_file():
        raise PotentialError(f"{folder / MODEL}: is missing; a potential needs it beside {DESCRIPTION}")
    return dict(data)
