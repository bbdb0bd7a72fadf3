"""Behler-Parrinello networks in Keras: raw symmetry functions of atoms in, atomic energies in eV out.

ε_i = offset_X + scale * a_X((G_i - mean) / std) of an atom i of element X, with a small network a_X for each element
(J. Behler, M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007), doi:10.1103/PhysRevLett.98.146401). The energy of a
structure is the sum over its atoms. Standardisation and energy scale are fixed layers of the model, so a saved file
needs nothing but Keras itself: `model(G)` with G of the shape (n_atoms, n_functions), or a list of one per element.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bpstudy.network.lean import lean_keras

with lean_keras():
    import keras
    from keras import layers

import numpy as np
from numpy.typing import NDArray

from bpstudy.descriptors.features import AtomRows, Features
from bpstudy.files import atomic_path
from bpstudy.network.activations import ACTIVATIONS
from bpstudy.network.normalization import EnergyScale, Scaler

SAFE_CLASSES = {"Functional", "InputLayer", "EinsumDense", "Dense", "Add"} | {
    "DTypePolicy",
    "GlorotUniform",
    "Zeros",
    "__keras_tensor__",
}
DESCRIPTION, FORMAT = "bpstudy.json", 2


class ModelMismatchError(ValueError):
    """The model was made for other elements or symmetry functions than those given, or is no model of ours."""


@dataclass(frozen=True, eq=False)
class AtomicNetwork:
    """A Keras model of the atomic energies with the names of the functions it takes: {element: labels in order}.

    `mean_atoms` is the mean number of atoms of the training frames, which the unit of the loss depends on.
    """

    model: keras.Model
    labels: Mapping[str, tuple[str, ...]]
    mean_atoms: float

    def check(self, features: Features) -> dict[str, AtomRows]:
        """The rows of each element of the network, none where `features` has no atoms of it.

        Raises:
            ModelMismatchError: other elements, or functions of other names, than those of the network.
            ValueError: a function is not finite; frame and atom are named.
        """
        self.check_labels(features.labels)
        found = {}
        for element, labels in self.labels.items():
            nothing = np.empty(0, dtype=np.intp)
            of = features.rows.get(element, AtomRows(np.empty((0, len(labels))), nothing, nothing))
            bad = np.argwhere(~np.isfinite(of.values))
            if len(bad):
                row, column = bad[0]
                raise ValueError(
                    f"features[{element}]: {len(bad)} value(s) not finite, the first {of.values[row, column]} at frame "
                    f"{of.frame[row]}, atom {of.atom[row]}, {labels[column]}; remove or recompute it"
                )
            found[element] = of
        return found

    def check_labels(self, labels: Mapping[str, Sequence[str]]) -> None:
        """Raises ModelMismatchError for elements that the network does not know, or functions in another order."""
        if foreign := sorted(set(labels) - set(self.labels)):
            raise ModelMismatchError(f"{', '.join(foreign)}: the network was made for {', '.join(self.labels)} alone")
        for element, of in labels.items():
            given, expected = tuple(of), self.labels[element]
            if given != expected:
                pairs = zip((*given, None), (*expected, None), strict=False)
                place, (got, want) = next((k, pair) for k, pair in enumerate(pairs) if pair[0] != pair[1])
                raise ModelMismatchError(
                    f"labels[{element}]: function {place} is {got!r}, the model was made for {want!r}"
                )

    def standardise(self, element: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """1 / std and -mean / std of each function of an element: z = factor · G + shift."""
        factor, shift = numbers(self.model.get_layer(f"{element}_standardise"))
        return factor, shift

    def dense(self, element: str) -> list[layers.Dense]:
        """The layers from input to output, all with weights to train, of an element; without the direct layer."""
        names = self._names()
        hidden = sorted(int(name.rsplit("_", 1)[1]) for name in names if name.startswith(f"{element}_hidden_"))
        return [
            self.model.get_layer(name) for name in (*(f"{element}_hidden_{k}" for k in hidden), f"{element}_output")
        ]

    def direct(self, element: str) -> layers.Dense | None:
        """The layer from the inputs straight to the output, if there is one."""
        name = f"{element}_direct"
        return self.model.get_layer(name) if name in self._names() else None

    def _names(self) -> list[str]:
        return [layer.name for layer in self.model.layers]

    def variables(self) -> Iterator[keras.Variable]:
        """The weights to train in the order of the flat vector: element by element, kernel and bias layer by layer,
        then the kernel of the direct layer."""
        for element in self.labels:
            for layer in self.dense(element):
                yield layer.kernel
                yield layer.bias
            direct = self.direct(element)
            if direct is not None:
                yield direct.kernel

    def get_weights(self) -> NDArray[np.float64]:
        """All weights to train as one flat vector."""
        return np.concatenate([np.asarray(variable.value).ravel() for variable in self.variables()])

    def set_weights(self, flat: NDArray[np.float64]) -> None:
        """Inverse of `get_weights`."""
        sizes = [int(np.prod(variable.shape)) for variable in self.variables()]
        if flat.size != sum(sizes):
            raise ValueError(f"weights: {flat.size} numbers for a network of {sum(sizes)}")
        for variable, values in zip(self.variables(), np.split(flat, np.cumsum(sizes[:-1])), strict=True):
            variable.assign(values.reshape(variable.shape))

    @property
    def energy_scale(self) -> EnergyScale:
        """The fixed map from network outputs to eV."""
        offsets, scale = {}, 0.0
        for element in self.labels:
            kernel, bias = numbers(self.model.get_layer(f"{element}_energy"))
            offsets[element], scale = float(bias[0]), float(kernel[0, 0])
        return EnergyScale(offsets, scale / self.mean_atoms**0.5, self.mean_atoms)

    def save(self, path: str | Path) -> None:
        """Write a `.keras` file. Equal networks give equal bytes; plain Keras reads it with `safe_mode=True`."""
        with atomic_path(path) as temporary:
            with lean_keras():
                self.model.save(temporary)
            labels = {element: list(names) for element, names in self.labels.items()}
            description = json.dumps({"format": FORMAT, "labels": labels, "mean_atoms": self.mean_atoms})
            _rewrite(temporary, {DESCRIPTION: description.encode()})


def numbers(layer: layers.Layer) -> list[NDArray[np.float64]]:
    """The weights of a layer."""
    return [np.asarray(weight.value) for weight in layer.weights]


def build_network(
    scalers: Mapping[str, Scaler],
    energy_scale: EnergyScale,
    *,
    hidden: Sequence[int] = (27, 27),
    activation: str = "tanh",
    direct: bool = False,
    seed: int = 0,
) -> AtomicNetwork:
    """An untrained network for the elements of `scalers`: kernels drawn from `seed`, zero biases.

    A kernel from n to m neurons is uniform within ±√(6 / (n + m)) (X. Glorot, Y. Bengio, Proc. AISTATS 9, 249 (2010)).
    With `direct` a linear layer leads from the standardised functions to the output beside the hidden ones; its kernel
    and that of the output layer are zero, so that the hidden layers contribute nothing at first.

    Raises ValueError for an unknown activation, an empty layer, no element.
    """
    if not scalers:
        raise ValueError("scalers: no element; give one scaler an element")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation: {activation!r}; allowed are {', '.join(ACTIVATIONS)}")
    if any(width < 1 for width in hidden):
        raise ValueError(f"hidden: {tuple(hidden)}; each layer needs at least one neuron")
    if direct and not hidden:
        raise ValueError("direct: a network without hidden layers is linear already; leave it out")
    inputs, energies = [], []
    for element, scaler in scalers.items():
        given = layers.Input((len(scaler.labels),), dtype="float64", name=f"{element}_functions")
        inputs.append(given)
        # z = G/std - mean/std. Not keras.layers.Normalization, which divides by no less than 1e-7.
        factor = 1 / scaler.scale
        z = x = _fixed(given, f"{element}_standardise", "an,n->an", factor, -scaler.mean * factor)
        sizes = [(width, activation, f"hidden_{k}") for k, width in enumerate(hidden, 1)] + [(1, None, "output")]
        for width, function, name in sizes:
            x = layers.Dense(width, function, dtype="float64", name=f"{element}_{name}")(x)
        if direct:
            straight = layers.Dense(1, use_bias=False, dtype="float64", name=f"{element}_direct")
            x = layers.Add(dtype="float64", name=f"{element}_both")([x, straight(z)])
        scale, offset = energy_scale.scale_ev, energy_scale.offsets_ev[element]
        energies.append(_fixed(x, f"{element}_energy", "ai,io->ao", np.array([[scale]]), np.array([offset])))
    model = keras.Model(inputs, energies[0] if len(energies) == 1 else energies, name="atomic_network")
    labels = {element: scaler.labels for element, scaler in scalers.items()}
    network = AtomicNetwork(model, labels, energy_scale.mean_atoms)
    network.set_weights(_initial_weights(network, np.random.default_rng(seed)))
    return network


def _initial_weights(network: AtomicNetwork, rng: np.random.Generator) -> NDArray[np.float64]:
    """Here, and not by Keras, which draws other numbers on each backend, on some in single precision."""
    parts = []
    for element in network.labels:
        direct = network.direct(element)
        *hidden, output = network.dense(element)
        for layer in (*hidden, output):
            n_in, n_out = layer.kernel.shape
            limit = 0.0 if layer is output and direct is not None else (6 / (n_in + n_out)) ** 0.5
            parts += [rng.uniform(-limit, limit, n_in * n_out), np.zeros(n_out)]
        if direct is not None:
            parts.append(np.zeros(direct.kernel.shape[0]))
    return np.concatenate(parts)


def load_network(path: str | Path, labels: Mapping[str, Sequence[str]] | None = None) -> AtomicNetwork:
    """Read a network written by `AtomicNetwork.save`; nothing in the file is executed.

    Raises ModelMismatchError if the file holds anything but our layers, or was made for other functions than `labels`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            description = json.loads(archive.read(DESCRIPTION))
            classes = set(_classes(json.loads(archive.read("config.json"))))
    except FileNotFoundError:
        raise
    except Exception as error:  # the archive raises whatever the damage causes
        raise ModelMismatchError(f"{path}: not a network of this package ({error})") from error
    if description.get("format") != FORMAT:
        raise ModelMismatchError(
            f"{path}: has the format {description.get('format')}, this version reads {FORMAT}; train the network again"
        )
    if not classes <= SAFE_CLASSES:
        foreign, known = (", ".join(sorted(names)) for names in (classes - SAFE_CLASSES, SAFE_CLASSES))
        raise ModelMismatchError(f"{path}: holds {foreign}; only {known} are loaded")
    try:
        with lean_keras():
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        labels_of = {element: tuple(names) for element, names in description["labels"].items()}
        network = AtomicNetwork(model, labels_of, float(description["mean_atoms"]))
    except Exception as error:  # and so does Keras
        raise ModelMismatchError(f"{path}: a damaged network ({error})") from error
    if labels is not None:
        if missing := sorted(set(network.labels) - set(labels)):
            raise ModelMismatchError(f"{path}: was made for {', '.join(missing)} too, which has no functions here")
        network.check_labels(labels)
    return network


def _fixed(x: Any, name: str, equation: str, kernel: NDArray[np.float64], bias: NDArray[np.float64]) -> Any:
    """Contract `x` with numbers that are stored with the weights, exactly, but never trained."""
    layer = layers.EinsumDense(
        equation,
        (bias.size,),
        bias_axes=equation[-1],
        kernel_initializer="zeros",
        trainable=False,
        dtype="float64",
        name=name,
    )
    y = layer(x)
    layer.set_weights([kernel, bias])
    return y


def _classes(config: Any) -> Iterator[str]:
    """All classes that Keras would build from a configuration, those that are not Keras' own with their module."""
    if isinstance(config, dict):
        if "class_name" in config:
            module = str(config.get("module"))
            ours = module.partition(".")[0] == "keras" and config.get("registered_name") in (None, "Functional")
            yield config["class_name"] if ours or module == "None" else f"{module}.{config['class_name']}"
        for value in config.values():
            yield from _classes(value)
    elif isinstance(config, list):
        for value in config:
            yield from _classes(value)


def _rewrite(path: Path, extra: Mapping[str, bytes]) -> None:
    """Write the archive again with fixed dates, so that it depends on the network alone."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"])
    members["metadata.json"] = json.dumps({"keras_version": metadata["keras_version"]}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in sorted({**members, **extra}.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
