"""The Keras model: formula, invariances, files that are safe, exact and reproducible, refusals."""

import json
import zipfile

import keras
import numpy as np
import pytest

from bpstudy.network.model import ACTIVATIONS, ModelMismatchError, build_network, load_network
from bpstudy.network.normalization import EnergyScale, Scaler

LABELS = {"Cu": ("a", "b", "c", "d"), "Al": ("e", "f")}


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return {"Cu": rng.normal(5, 3, (6, 5, 4)), "Al": rng.normal(0, 1e-9, (6, 2, 2))}


def make(features, **options):
    scalers = {element: Scaler.fit(x, LABELS[element]) for element, x in features.items()}
    energies = np.random.default_rng(1).normal(-50, 0.3, 6)
    n_atoms = sum(x.shape[1] for x in features.values())
    return build_network(scalers, EnergyScale.fit(energies, n_atoms), **options)


def test_energy_is_the_formula_written_out(features):
    network = make(features, hidden=(5, 3), seed=4)
    expected = np.zeros(6)
    for element, x in features.items():
        for layer in ("hidden_1", "hidden_2", "output"):
            kernel, bias = network.model.get_layer(f"{element}_{layer}").get_weights()
            if layer == "hidden_1":
                x = (x - x.mean(axis=(0, 1))) / x.std(axis=(0, 1))
            x = x @ kernel + bias
            x = x if layer == "output" else np.tanh(x)
        scale = network.energy_scale
        expected += (scale.offset_ev_per_atom + scale.scale_ev_per_atom * x[..., 0]).sum(axis=1)
    np.testing.assert_allclose(network.energies(features), expected, rtol=1e-13)


def test_order_of_the_atoms_does_not_matter(features):
    network = make(features)
    shuffled = {element: x[:, ::-1] for element, x in features.items()}
    np.testing.assert_allclose(network.energies(shuffled), network.energies(features), rtol=1e-14)


def test_energy_is_extensive(features):
    network = make(features)
    doubled = {element: np.concatenate([x, x], axis=1) for element, x in features.items()}
    np.testing.assert_allclose(network.energies(doubled), 2 * network.energies(features), rtol=1e-14)


def test_everything_is_double_precision(features):
    model = make(features).model
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
def test_file_gives_the_same_energies_to_plain_keras(features, activation, tmp_path):
    network = make(features, activation=activation)
    network.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    expected = network.energies(features)
    assert np.array_equal(model([features["Cu"], features["Al"]]).numpy()[:, 0], expected)
    assert np.array_equal(load_network(tmp_path / "model.keras", LABELS).energies(features), expected)


def test_equal_networks_give_equal_bytes(features, tmp_path):
    for name in ("a", "b"):
        make(features, seed=1).save(tmp_path / f"{name}.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()
    make(features, seed=2).save(tmp_path / "b.keras")
    assert (tmp_path / "a.keras").read_bytes() != (tmp_path / "b.keras").read_bytes()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"Cu": LABELS["Cu"]}, "elements"),
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
        with pytest.raises(ModelMismatchError, match=r"holds (Lambda|os\.Add);"):
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
    with pytest.raises(ModelMismatchError, match="elements"):
        network.energies({"Cu": features["Cu"]})
    with pytest.raises(ModelMismatchError, match="3 functions, the model was made for 4"):
        network.energies({**features, "Cu": features["Cu"][..., :3]})
    with pytest.raises(ModelMismatchError, match="frames differ"):
        network.energies({**features, "Cu": features["Cu"][:3]})
    features["Al"][0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="frame 0, atom 0, function 0"):
        network.energies(features)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"activation": "softmax"}, "allowed are tanh"), ({"hidden": (3, 0)}, "at least one neuron")],
)
def test_impossible_networks_are_refused(features, options, message):
    with pytest.raises(ValueError, match=message):
        make(features, **options)
    with pytest.raises(ValueError, match="no element"):
        build_network({}, EnergyScale(0.0, 1.0))
