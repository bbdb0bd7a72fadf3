"""The Keras model: formula, invariances, files that are safe, exact and reproducible, refusals."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from bpstudy.descriptors.features import Features
from bpstudy.network.activations import ACTIVATIONS
from bpstudy.network.element import element_networks, predict
from bpstudy.network.model import ModelMismatchError, build_network, load_network
from bpstudy.network.normalization import EnergyScale, Scaler

LABELS = {"Cu": ("a", "b", "c", "d"), "Al": ("e", "f")}


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return Features.of_arrays({"Cu": rng.normal(5, 3, (6, 5, 4)), "Al": rng.normal(0, 1e-9, (6, 2, 2))}, LABELS)


def make(features, **options):
    scalers = {element: Scaler.fit(of.values, LABELS[element]) for element, of in features.rows.items()}
    energies = np.random.default_rng(1).normal(-50, 0.3, 6)
    return build_network(scalers, EnergyScale.fit(energies, features.counts()), **options)


def energies_of(network, features):
    return predict(network, features)[0]


def with_values(features, change):
    """The same set with changed values: {element: rows}."""
    rows = {e: replace(of, values=change(of.values)) for e, of in features.rows.items()}
    return replace(features, rows=rows)


@pytest.mark.parametrize("direct", [False, True])
def test_energy_is_the_formula_written_out(features, direct):
    network = make(features, hidden=(5, 3), seed=4, direct=direct)
    network.set_weights(np.random.default_rng(2).normal(size=network.get_weights().size))
    expected = np.zeros(6)
    for element, of in features.rows.items():
        x = z = (of.values - of.values.mean(axis=0)) / of.values.std(axis=0)
        for layer in ("hidden_1", "hidden_2", "output"):
            kernel, bias = network.model.get_layer(f"{element}_{layer}").get_weights()
            x = x @ kernel + bias
            x = x if layer == "output" else np.tanh(x)
        if direct:
            x = x + z @ network.model.get_layer(f"{element}_direct").get_weights()[0]
        scale = network.energy_scale
        expected += (scale.offsets_ev[element] + scale.scale_ev * x[:, 0]).reshape(6, -1).sum(axis=1)
    np.testing.assert_allclose(energies_of(network, features), expected, rtol=1e-13)


def test_a_direct_network_is_silent_at_first(features):
    network = make(features, direct=True)
    expected = network.energy_scale.baseline_ev(features.counts())
    np.testing.assert_allclose(energies_of(network, features), expected, rtol=1e-14)
    with pytest.raises(ValueError, match="linear already"):
        make(features, hidden=(), direct=True)


def test_order_of_the_atoms_does_not_matter(features):
    network = make(features)
    shuffled = with_values(features, lambda x: x.reshape(6, -1, x.shape[1])[:, ::-1].reshape(x.shape))
    np.testing.assert_allclose(energies_of(network, shuffled), energies_of(network, features), rtol=1e-14)


def test_energy_is_extensive(features):
    network = make(features)
    rows = {
        e: replace(of, values=np.repeat(of.values, 2, axis=0), frame=np.repeat(of.frame, 2))
        for e, of in features.rows.items()
    }
    doubled = replace(features, rows=rows, n_atoms=2 * features.n_atoms)
    np.testing.assert_allclose(energies_of(network, doubled), 2 * energies_of(network, features), rtol=1e-14)


def test_everything_is_double_precision(features):
    network = make(features)
    model = network.model
    assert network.get_weights().dtype == np.float64
    assert {variable.numpy().dtype for variable in network.variables()} == {np.dtype(np.float64)}
    assert {str(variable.dtype) for variable in model.variables} == {"float64"}
    assert {str(layer.dtype) for layer in model.layers} == {"float64"}


def test_seed_decides_the_weights(features):
    first, same, other = (make(features, seed=seed).get_weights() for seed in (3, 3, 4))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_kernels_are_glorot_uniform_and_independent(features):
    network = make(features, hidden=(200, 200))
    kernels = [layer.get_weights()[0] for layer in network.dense("Cu")]
    for kernel in kernels:
        limit = np.sqrt(6 / sum(kernel.shape))
        assert 0.95 * limit < np.abs(kernel).max() <= limit
    other = network.dense("Al")[1].get_weights()[0]
    assert abs(np.corrcoef(kernels[1].ravel(), other.ravel())[0, 1]) < 0.02


def test_flat_weights_go_there_and_back(features):
    network = make(features, hidden=(3,))
    flat = np.random.default_rng(2).normal(size=network.get_weights().size)
    network.set_weights(flat)
    assert np.array_equal(network.get_weights(), flat)
    with pytest.raises(ValueError, match="numbers for a network of"):
        network.set_weights(flat[:-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_file_gives_the_network_back(features, activation, tmp_path):
    network = make(features, activation=activation)
    network.save(tmp_path / "model.keras")
    loaded = load_network(tmp_path / "model.keras", LABELS)
    assert np.array_equal(energies_of(loaded, features), energies_of(network, features))
    assert loaded.energy_scale == network.energy_scale


def test_plain_keras_on_tensorflow_gives_the_same_energies(features, tmp_path):
    values = [of.values for of in features.rows.values()]
    np.savez(tmp_path / "values.npz", *values)
    for activation in ACTIVATIONS:
        make(features, activation=activation, direct=True).save(tmp_path / f"{activation}.keras")
    code = (
        "import sys, keras, numpy as np\n"
        "values = list(np.load('values.npz').values())\n"
        "for name in sys.argv[1:]:\n"
        "    model = keras.models.load_model(name + '.keras', safe_mode=True)\n"
        "    np.save(name + '.npy', np.concatenate([e.numpy()[:, 0] for e in model(values)]))\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    subprocess.run([sys.executable, "-c", code, *ACTIVATIONS], env=environment, cwd=tmp_path, check=True)
    for activation in ACTIVATIONS:
        networks = element_networks(load_network(tmp_path / f"{activation}.keras", LABELS))
        expected = [networks[e].energies(of.values)[0] for e, of in features.rows.items()]
        np.testing.assert_allclose(np.load(tmp_path / f"{activation}.npy"), np.concatenate(expected), rtol=1e-13)


def test_equal_networks_give_equal_bytes(features, tmp_path):
    for name in ("a", "b"):
        make(features, seed=1).save(tmp_path / f"{name}.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()
    make(features, seed=2).save(tmp_path / "b.keras")
    assert (tmp_path / "a.keras").read_bytes() != (tmp_path / "b.keras").read_bytes()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"Cu": LABELS["Cu"]}, "was made for Al too"),
        ({**LABELS, "Al": ("f", "e")}, "function 0 is 'f', the model was made for 'e'"),
        ({**LABELS, "Al": ("e",)}, "function 1 is None"),
    ],
)
def test_loading_for_other_functions_is_refused(features, tmp_path, labels, message):
    make(features).save(tmp_path / "model.keras")
    with pytest.raises(ModelMismatchError, match=message):
        load_network(tmp_path / "model.keras", labels)


def test_foreign_layers_are_refused_before_keras_sees_them(features, tmp_path):
    path = tmp_path / "model.keras"
    make(features).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for change in ({"class_name": "Lambda"}, {"module": "os"}):
        config = json.loads(members["config.json"])
        config["config"]["layers"][-1].update(change)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**members, "config.json": json.dumps(config)}.items():
                archive.writestr(name, content)
        with pytest.raises(ModelMismatchError, match=r"holds (Lambda|os\.EinsumDense);"):
            load_network(path)


def test_files_of_another_kind_are_refused(features, tmp_path):
    make(features).model.save(tmp_path / "plain.keras")
    (tmp_path / "text.keras").write_text("no archive")
    for name in ("plain", "text"):
        with pytest.raises(ModelMismatchError, match="not a network of this package"):
            load_network(tmp_path / f"{name}.keras")
    with pytest.raises(FileNotFoundError):
        load_network(tmp_path / "none.keras")


def test_wrong_features_are_refused(features):
    network = make(features)
    with pytest.raises(ModelMismatchError, match="Au: the network was made for Cu, Al alone"):
        energies_of(network, Features.of_arrays({"Au": np.ones((2, 1, 3))}))
    with pytest.raises(ModelMismatchError, match="function 3 is None, the model was made for 'd'"):
        energies_of(network, replace(features, labels={**LABELS, "Cu": LABELS["Cu"][:3]}))
    features.rows["Al"].values[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"features\[Al\]: 1 value.*frame 1, atom 6, f;"):
        energies_of(network, features)


def test_a_file_of_an_older_format_is_refused(features, tmp_path):
    path = tmp_path / "model.keras"
    make(features).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["bpstudy.json"] = json.dumps({**json.loads(members["bpstudy.json"]), "format": 1}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ModelMismatchError, match="has the format 1, this version reads 2; train the network again"):
        load_network(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"activation": "softmax"}, "allowed are tanh"), ({"hidden": (3, 0)}, "at least one neuron")],
)
def test_impossible_networks_are_refused(features, options, message):
    with pytest.raises(ValueError, match=message):
        make(features, **options)
    with pytest.raises(ValueError, match="no element"):
        build_network({}, EnergyScale({}, 1.0, 1.0))
