"""Behler-Parrinello networks in Keras: raw symmetry functions in, cell energy in eV out.

E = sum over atoms i of [offset + scale * a_X(i)((G_i - mean) / std)], with one small network a_X for each element X,
shared by its atoms (J. Behler, M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007), doi:10.1103/PhysRevLett.98.146401).
Standardisation and energy scale are fixed layers of the model, so a saved file needs nothing but Keras itself.
"""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike, NDArray

from bpstudy.files import atomic_path
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.statistics.finite import finite_features

# Acting on each number alone: a layer's derivative is then one factor a neuron, which the Jacobian relies on.
ACTIVATIONS = ("tanh", "sigmoid", "softplus", "softsign", "silu", "gelu", "elu", "selu", "relu", "linear")
SAFE_CLASSES = {"Functional", "InputLayer", "EinsumDense", "Dense", "Add"} | {
    "DTypePolicy",
    "GlorotUniform",
    "Zeros",
    "__keras_tensor__",
}
DESCRIPTION = "bpstudy.json"
MAX_FRAMES_AT_ONCE = 4096


class ModelMismatchError(ValueError):
    """The model was made for other elements or symmetry functions than those given, or is no model of ours."""


@dataclass(frozen=True, eq=False)
class AtomicNetwork:
    """A Keras model of the cell energy with the names of the functions it takes: {element: labels in order}."""

    model: keras.Model
    labels: Mapping[str, tuple[str, ...]]

    def energies(self, features: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """Cell energies (n_frames,) in eV of raw features {element: (n_frames, n_atoms, n_functions)}."""
        values = self.check(features)
        inputs = [values[element] for element in self.labels]
        blocks = range(0, len(inputs[0]), MAX_FRAMES_AT_ONCE)
        results = [self.model([x[b : b + MAX_FRAMES_AT_ONCE] for x in inputs], training=False) for b in blocks]
        return np.concatenate([result.numpy()[:, 0] for result in results])

    def check(
        self, features: Mapping[str, ArrayLike], labels: Mapping[str, Sequence[str]] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """`features` as finite float64 in the model's order. Raises ModelMismatchError if they are of another kind."""
        if set(features) != set(self.labels):
            raise ModelMismatchError(
                f"features: elements {sorted(features)}, the model was made for {sorted(self.labels)}"
            )
        values = {element: finite_features(features[element], f"features[{element}]") for element in self.labels}
        if len({len(x) for x in values.values()}) > 1:
            raise ModelMismatchError(f"features: frames differ by element: { {e: len(x) for e, x in values.items()} }")
        for element, expected in self.labels.items():
            given = values[element].shape[-1]
            if given != len(expected):
                raise ModelMismatchError(
                    f"features[{element}]: {given} functions, the model was made for {len(expected)}"
                )
        if labels is not None:
            self.check_labels(labels)
        return values

    def check_labels(self, labels: Mapping[str, Sequence[str]]) -> None:
        """Raises ModelMismatchError unless `labels` are those of the model, in its order."""
        if set(labels) != set(self.labels):
            raise ModelMismatchError(f"labels: elements {sorted(labels)}, the model was made for {sorted(self.labels)}")
        for element, expected in self.labels.items():
            given = tuple(labels[element])
            if given != expected:
                pairs = zip((*given, None), (*expected, None), strict=False)
                place, (got, want) = next((k, pair) for k, pair in enumerate(pairs) if pair[0] != pair[1])
                raise ModelMismatchError(
                    f"labels[{element}]: function {place} is {got!r}, the model was made for {want!r}"
                )

    def standardise(self, element: str) -> layers.Layer:
        """The fixed layer (G - mean) / std of an element."""
        return self.model.get_layer(f"{element}_standardise")

    def dense(self, element: str) -> list[layers.Dense]:
        """The layers with weights to train, input to output, of an element."""
        names = [layer.name for layer in self.model.layers]
        hidden = sorted(int(name.rsplit("_", 1)[1]) for name in names if name.startswith(f"{element}_hidden_"))
        return [
            self.model.get_layer(name) for name in (*(f"{element}_hidden_{k}" for k in hidden), f"{element}_output")
        ]

    def variables(self) -> Iterator[keras.Variable]:
        """The weights to train, in the order of the flat vector: element by element, kernel and bias layer by layer."""
        for element in self.labels:
            for layer in self.dense(element):
                yield layer.kernel
                yield layer.bias

    def get_weights(self) -> NDArray[np.float64]:
        """All weights to train as one flat vector."""
        return np.concatenate([variable.numpy().ravel() for variable in self.variables()])

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
        scale, offset = self.model.get_layer(f"{next(iter(self.labels))}_energy").get_weights()
        return EnergyScale(float(offset[0]), float(scale[0, 0]))

    def save(self, path: str | Path) -> None:
        """Write a `.keras` file. Equal networks give equal bytes; plain Keras reads it with `safe_mode=True`."""
        with atomic_path(path) as temporary:
            self.model.save(temporary)
            description = json.dumps({"format": 1, "labels": {e: list(names) for e, names in self.labels.items()}})
            _rewrite(temporary, {DESCRIPTION: description.encode()})


def build_network(
    scalers: Mapping[str, Scaler],
    energy_scale: EnergyScale,
    *,
    hidden: Sequence[int] = (27, 27),
    activation: str = "tanh",
    seed: int = 0,
) -> AtomicNetwork:
    """An untrained network for the elements of `scalers`: Glorot-uniform kernels drawn from `seed`, zero biases.

    Raises ValueError for an unknown activation, an empty layer, no element.
    """
    if not scalers:
        raise ValueError("scalers: no element; give one scaler an element")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation: {activation!r}; allowed are {', '.join(ACTIVATIONS)}")
    if any(width < 1 for width in hidden):
        raise ValueError(f"hidden: {tuple(hidden)}; each layer needs at least one neuron")
    draws = iter(np.random.SeedSequence(seed).generate_state(len(scalers) * (len(hidden) + 1)))
    inputs, energies = [], []
    for element, scaler in scalers.items():
        x = layers.Input((None, len(scaler.labels)), dtype="float64", name=f"{element}_functions")
        inputs.append(x)
        # z = G/std - mean/std. Not keras.layers.Normalization, which divides by no less than 1e-7.
        factor = 1 / scaler.scale
        x = _fixed(x, f"{element}_standardise", "fan,n->fan", (None, factor.size), factor, -scaler.mean * factor)
        sizes = [(width, activation, f"hidden_{k}") for k, width in enumerate(hidden, 1)] + [(1, None, "output")]
        for width, function, name in sizes:
            initial = keras.initializers.GlorotUniform(seed=int(next(draws)))
            x = layers.Dense(width, function, kernel_initializer=initial, dtype="float64", name=f"{element}_{name}")(x)
        scale, offset = energy_scale.scale_ev_per_atom, energy_scale.offset_ev_per_atom
        x = _fixed(x, f"{element}_energy", "fai,io->fao", (None, 1), np.array([[scale]]), np.array([offset]))
        # The sum over atoms as a fixed contraction: unlike an operation, a layer keeps its name from run to run.
        energies.append(_fixed(x, f"{element}_sum", "fai,io->fo", (1,), np.ones((1, 1))))
    total = energies[0] if len(energies) == 1 else layers.Add(dtype="float64", name="cell_energy")(energies)
    model = keras.Model(inputs, total, name="atomic_network")
    return AtomicNetwork(model, {element: scaler.labels for element, scaler in scalers.items()})


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
    if not classes <= SAFE_CLASSES:
        foreign, known = (", ".join(sorted(names)) for names in (classes - SAFE_CLASSES, SAFE_CLASSES))
        raise ModelMismatchError(f"{path}: holds {foreign}; only {known} are loaded")
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
        network = AtomicNetwork(model, {element: tuple(names) for element, names in description["labels"].items()})
    except Exception as error:  # and so does Keras
        raise ModelMismatchError(f"{path}: a damaged network ({error})") from error
    if labels is not None:
        network.check_labels(labels)
    return network


def _fixed(
    x: Any,
    name: str,
    equation: str,
    shape: tuple[int | None, ...],
    kernel: NDArray[np.float64],
    bias: NDArray[np.float64] | None = None,
) -> Any:
    """Contract `x` with numbers that are stored with the weights, exactly, but never trained."""
    layer = layers.EinsumDense(
        equation,
        shape,
        bias_axes=None if bias is None else equation[-1],
        kernel_initializer="zeros",
        trainable=False,
        dtype="float64",
        name=name,
    )
    y = layer(x)
    layer.set_weights([kernel] if bias is None else [kernel, bias])
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
