"""Fits: derivatives against automatic differentiation, steps against direct solutions, rules that end a fit."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ase.build import bulk
from ase.calculators.emt import EMT

from bpstudy.descriptors.features import AtomRows, Features
from bpstudy.network.activations import ACTIVATIONS
from bpstudy.network.element import predict
from bpstudy.network.model import ModelMismatchError, build_network
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.training import TrainingDivergedError, TrainingSettings, train
from bpstudy.training.levenberg_marquardt import DualEquations, normal_equations
from bpstudy.training.objective import Objective
from bpstudy.training.result import Monitor, State
from tests.unit.in_tensorflow import atomic_energies, variables_of

SETTINGS = {
    "levenberg-marquardt": TrainingSettings("levenberg-marquardt", max_iterations=40),
    "lbfgs": TrainingSettings("lbfgs", max_iterations=400, patience=400),
    "adam": TrainingSettings("adam", max_iterations=1500, patience=1500, learning_rate=0.03),
}


def make_network(features, energies, **options):
    scalers = {e: Scaler.fit(of.values, features.labels[e]) for e, of in features.rows.items()}
    return build_network(scalers, EnergyScale.fit(energies, features.counts()), **options)


@pytest.fixture
def two_elements():
    rng = np.random.default_rng(0)
    arrays = {"Cu": rng.normal(5, 3, (7, 4, 3)), "Al": rng.normal(0, 0.01, (7, 2, 5))}
    return Features.of_arrays(arrays), rng.normal(-20, 0.5, 7)


@pytest.fixture(scope="module")
def aluminium():
    """60 frames of 8 rattled Al atoms: EMT energies, Gaussians of the distances to the nearest images."""
    frames, energies = [], []
    for seed in range(60):
        atoms = bulk("Al", "fcc", 4.05) * (2, 2, 2)
        atoms.rattle(0.08, seed=seed)
        atoms.calc = EMT()
        energies.append(atoms.get_potential_energy())
        distances = atoms.get_all_distances(mic=True)[..., None]
        gaussians = np.exp(-4 * (distances - np.linspace(2, 5.5, 8)) ** 2)
        frames.append(gaussians.sum(axis=1))
    return Features.of_arrays({"Al": frames}), np.array(energies)


@pytest.fixture
def mixed(two_elements):
    """Frames of different sizes and compositions: some atoms of each frame of `two_elements`, no Al in two of them."""
    features, energies = two_elements
    keep = {"Cu": np.array([4, 1, 3, 4, 2, 2, 1]), "Al": np.array([2, 0, 1, 2, 1, 0, 2])}
    rows = {}
    for element, of in features.rows.items():
        first = np.searchsorted(of.frame, of.frame)
        kept = np.arange(len(of.frame)) - first < keep[element][of.frame]
        rows[element] = AtomRows(of.values[kept], of.frame[kept], of.atom[kept])
    n_atoms = sum(keep.values())
    return Features(rows, features.labels, n_atoms, np.arange(7)), energies * n_atoms / 6


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize(("activation", "hidden"), [("tanh", (4,)), *((f, (3, 5, 2)) for f in ACTIVATIONS)])
@pytest.mark.parametrize("data", ["two_elements", "mixed"])
def test_jacobian_and_gradient_equal_automatic_differentiation(data, activation, hidden, direct, monkeypatch, request):
    monkeypatch.setattr("bpstudy.training.energies.JACOBIAN_FRAMES", 3)  # blocks of 3, 3 and 1 frames
    features, energies = request.getfixturevalue(data)
    network = make_network(features, energies, hidden=hidden, activation=activation, direct=direct)
    weights = network.get_weights() + 0.1 * np.random.default_rng(1).normal(size=network.get_weights().size)
    network.set_weights(weights)
    objective = Objective(network, features, energies, weight_decay=0.02)
    variables = variables_of(network)
    with tf.GradientTape() as tape:
        atomic = atomic_energies(network, variables, [of.values for of in features.rows.values()])
        frames = [of.frame for of in features.rows.values()]
        predicted = sum(tf.math.unsorted_segment_sum(e, f, 7) for e, f in zip(atomic, frames, strict=True))
    parts = tape.jacobian(predicted, variables)
    expected = np.hstack([part.numpy().reshape(7, -1) for part in parts])
    n, mean_atoms = features.n_atoms, features.n_atoms.mean()
    unit = (objective.unit_ev2**0.5 * n / mean_atoms)[:, None]
    blocks = list(objective.jacobian(weights))
    assert [len(residuals) for residuals, _ in blocks] == [3, 3, 1]
    found = unit[:, 0] * np.concatenate([r for r, _ in blocks])
    np.testing.assert_allclose(found, predicted - energies, atol=1e-12)
    np.testing.assert_allclose(unit * np.vstack([j for _, j in blocks]), expected, rtol=1e-11, atol=1e-13)
    mean_square, value, gradient = objective.value_and_gradient(weights)
    residuals = (predicted.numpy() - energies) * mean_atoms / n
    assert objective.unit_ev2 * mean_square == pytest.approx((residuals**2).mean(), rel=1e-12)
    assert objective.mse_ev2(weights) == pytest.approx((residuals**2).mean(), rel=1e-12)
    assert value == pytest.approx(mean_square + 0.02 * weights @ weights, rel=1e-12)
    by_hand = 2 / 7 / objective.unit_ev2 * (expected * mean_atoms / n[:, None]).T @ residuals + 0.04 * weights
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("dual", [False, True])
def test_primal_and_dual_steps_solve_the_damped_least_squares(two_elements, decay, dual):
    """Of a linear model, whose residuals do not bend."""
    features, energies = two_elements
    if not dual:
        arrays = {e: of.values.reshape(7, -1, of.values.shape[1]) for e, of in features.rows.items()}
        features = Features.of_arrays({e: np.concatenate([x, x + 0.1]) for e, x in arrays.items()}, features.labels)
        energies = np.concatenate([energies, energies + 0.2])
    network = make_network(features, energies, hidden=())
    weights = network.get_weights()
    equations = normal_equations(Objective(network, features, energies, decay), weights)
    assert isinstance(equations, DualEquations) == dual
    ((residuals, jacobian),) = Objective(network, features, energies).jacobian(weights)
    damping = 0.1 * np.sum(jacobian**2) / weights.size
    c = decay * len(energies)
    identity = np.eye(weights.size)
    rows = np.vstack([jacobian, np.sqrt(c) * identity, np.sqrt(damping) * identity])
    right = -np.concatenate([residuals, np.sqrt(c) * weights, 0 * weights])
    np.testing.assert_allclose(equations.step(0.1), np.linalg.lstsq(rows, right)[0], rtol=1e-8, atol=1e-11)
    _, value, gradient = Objective(network, features, energies, decay).value_and_gradient(weights)
    assert equations.value == pytest.approx(value, rel=1e-12)
    norm = equations.state.gradient_norm / Objective(network, features, energies).unit_ev2
    assert norm == pytest.approx(np.linalg.norm(gradient), rel=1e-10)


@pytest.mark.parametrize("name", SETTINGS)
def test_each_optimizer_learns_aluminium(aluminium, name):
    features, energies = aluminium
    network = make_network(features, energies, hidden=(6, 6), seed=1)
    result = train(network, features, energies, SETTINGS[name])
    mse = np.mean((predict(network, features)[0] - energies) ** 2)
    assert mse < 1e-3 * energies.var()
    assert result.mse_ev2 == pytest.approx(mse, rel=1e-9)
    history = result.history
    assert list(history) == ["iteration", "mse_ev2", "gradient_norm", "seconds", "operations"]
    assert np.array_equal(history["iteration"], np.arange(len(history)))
    assert history["seconds"].is_monotonic_increasing
    assert history["operations"].diff().iloc[1:].gt(0).all()
    again = make_network(features, energies, hidden=(6, 6), seed=1)
    with ThreadPoolExecutor(1) as busy:  # a busy machine takes other seconds, but the same operations
        busy.submit(lambda: np.linalg.eigvalsh(np.ones((1000, 1000))))
        repeated = train(again, features, energies, SETTINGS[name]).history
    assert repeated.drop(columns="seconds").equals(history.drop(columns="seconds"))
    untrained = make_network(features, energies, hidden=(6, 6), seed=1)
    start = np.mean((predict(untrained, features)[0] - energies) ** 2)
    assert history["mse_ev2"][0] == pytest.approx(start, rel=1e-9)


@pytest.mark.parametrize("name", SETTINGS)
def test_target_ends_the_fit(aluminium, name):
    features, energies = aluminium
    target = 0.05 * energies.var()
    settings = TrainingSettings(name, 1000, target, learning_rate=0.03 if name == "adam" else None)
    result = train(make_network(features, energies), features, energies, settings)
    errors = result.history["mse_ev2"]
    assert result.stop_reason == "target"
    assert errors.iloc[-1] <= target < errors.iloc[:-1].min()


@pytest.mark.parametrize("name", SETTINGS)
def test_linear_fits_with_decay_find_the_ridge_solution(two_elements, name):
    features, energies = two_elements
    network = make_network(features, energies, hidden=())
    objective = Objective(network, features, energies, weight_decay=0.1)
    ((residuals, jacobian),) = objective.jacobian(0 * network.get_weights())
    exact = np.linalg.solve(jacobian.T @ jacobian + 0.1 * 7 * np.eye(jacobian.shape[1]), -jacobian.T @ residuals)
    rate = 0.05 if name == "adam" else None
    settings = TrainingSettings(
        name, 1000, gradient_tolerance_ev2=1e-6, patience=1000, weight_decay=0.1, learning_rate=rate
    )
    result = train(network, features, energies, settings)
    assert result.stop_reason == "gradient"
    np.testing.assert_allclose(network.get_weights(), exact, atol=1e-4)


def test_adam_takes_the_steps_of_keras(two_elements):
    import keras  # here, after this package has chosen its backend

    features, energies = two_elements
    network = make_network(features, energies)
    weights = network.get_weights()
    objective = Objective(network, features, energies)
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 20)
    optimizer, variable = keras.optimizers.Adam(schedule), keras.Variable(weights, dtype="float64")
    expected = []
    for _ in range(21):
        mean_square, _, gradient = objective.value_and_gradient(variable.numpy())
        expected.append(objective.unit_ev2 * mean_square)
        optimizer.apply([gradient], [variable])
    result = train(network, features, energies, TrainingSettings("adam", 20, learning_rate=0.01))
    np.testing.assert_allclose(result.history["mse_ev2"], expected, rtol=1e-4)  # Keras keeps its step size in float32


def test_validation_frames_end_the_fit_and_choose_the_weights(aluminium):
    features, energies = aluminium
    noisy = energies + np.random.default_rng(0).normal(0, energies.std(), 60)
    train_on, held_out = features.take(np.arange(30)), features.take(np.arange(30, 60))
    network = make_network(train_on, noisy[:30])
    settings = TrainingSettings(max_iterations=100, patience=5)
    result = train(network, train_on, noisy[:30], settings, validation=(held_out, energies[30:]))
    errors = result.history["validation_mse_ev2"]
    assert result.stop_reason == "validation"
    assert result.best_iteration == errors.argmin() == len(errors) - 1 - 5
    kept = np.mean((predict(network, held_out)[0] - energies[30:]) ** 2)
    assert kept == pytest.approx(errors.min(), rel=1e-9)


def test_order_of_the_atoms_does_not_matter(aluminium):
    features, energies = aluminium
    arrays = features.rows["Al"].values.reshape(60, 8, 8)
    shuffled = Features.of_arrays({"Al": np.random.default_rng(0).permutation(arrays, axis=1)})
    settings = TrainingSettings(max_iterations=5)
    results = [train(make_network(x, energies), x, energies, settings) for x in (features, shuffled)]
    np.testing.assert_allclose(results[0].history["mse_ev2"], results[1].history["mse_ev2"], rtol=1e-6)


def run_monitor(settings, errors, validation=None):
    queue = iter(validation or [])
    monitor = Monitor(settings, (lambda _: next(queue)) if validation else None, lambda: 0.0)
    for iteration, error in enumerate(errors):
        reason = monitor.record(State(np.array([float(iteration)]), error, error, 1.0))
        if reason:
            return monitor.result(reason), monitor
    raise AssertionError("no stop")


def test_no_progress_is_a_small_relative_fall_within_patience():
    settings = TrainingSettings(max_iterations=100, patience=3, min_progress=0.1)
    result, monitor = run_monitor(settings, [8.0, 4.0, 2.0, 1.99, 1.98, 1.97, 1.0])
    assert (result.stop_reason, len(result.history)) == ("no progress", 6)
    assert monitor.best_weights[0] == result.best_iteration == 5


def test_iterations_are_limited():
    result, _ = run_monitor(TrainingSettings(max_iterations=4), [8.0, 4.0, 2.0, 1.0, 0.5, 0.25])
    assert (result.stop_reason, len(result.history)) == ("maximum of iterations", 5)


def test_best_weights_are_kept_when_the_error_rises_again():
    result, monitor = run_monitor(TrainingSettings(max_iterations=3), [8.0, 1.0, 5.0, 4.0])
    assert monitor.best_weights[0] == result.best_iteration == 1
    assert result.mse_ev2 == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e5])
def test_divergence_is_an_error(bad):
    with pytest.raises(TrainingDivergedError, match="diverged at iteration 1"):
        run_monitor(TrainingSettings(), [1.0, bad])


def test_diverging_adam_is_an_error_and_leaves_the_weights(aluminium):
    features, energies = aluminium
    network = make_network(features, energies, activation="softplus")
    before = network.get_weights()
    with pytest.raises(TrainingDivergedError, match="smaller learning_rate"):
        train(network, features, energies, TrainingSettings("adam", 100, learning_rate=1e3))
    assert np.array_equal(network.get_weights(), before)


def test_wrong_data_are_refused(two_elements):
    features, energies = two_elements
    network = make_network(features, energies)
    with pytest.raises(ValueError, match="6 for 7 frames"):
        train(network, features, energies[:6], TrainingSettings())
    with pytest.raises(ModelMismatchError, match="Au: the network was made for Cu, Al alone"):
        train(network, Features.of_arrays({"Au": np.ones((7, 1, 2))}), energies, TrainingSettings())
    energies[3] = np.nan
    with pytest.raises(ValueError, match=r"energies.*frame 3"):
        train(network, features, energies, TrainingSettings())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "sgd"}, "allowed are levenberg-marquardt, lbfgs, adam"),
        ({"max_iterations": 0}, "max_iterations"),
        ({"patience": 0}, "patience"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"target_mse_ev2": float("nan")}, "target_mse_ev2"),
        ({"damping": 0.0}, "damping"),
        ({"name": "adam"}, "learning_rate"),
        ({"name": "lbfgs", "learning_rate": 0.1}, "learning_rate"),
        ({"name": "adam", "learning_rate": -0.1}, "learning_rate"),
    ],
)
def test_impossible_settings_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**values)


FIT = """
import sys
import numpy as np
from bpstudy.descriptors.features import Features
from bpstudy.network.model import build_network
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.training import TrainingSettings, set_threads, train

rng = np.random.default_rng(0)
values = rng.normal(size=(300, 20, 15))
features = Features.of_arrays({"Li": values})
energies = np.tanh(values).sum(axis=(1, 2)) * 0.1
scalers = {"Li": Scaler.fit(features.rows["Li"].values, features.labels["Li"])}
with set_threads(2):
    for name in ("levenberg-marquardt", "lbfgs", "adam"):
        network = build_network(scalers, EnergyScale.fit(energies, features.counts()), hidden=(9, 9), seed=5)
        rate = 0.01 if name == "adam" else None
        train(network, features, energies, TrainingSettings(name, 10, learning_rate=rate))
        network.save(f"{sys.argv[1]}/{name}.keras")
"""


@pytest.mark.slow
def test_equal_fits_give_equal_files_in_different_processes(tmp_path):
    digests = []
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        subprocess.run([sys.executable, "-c", FIT, str(tmp_path / run)], check=True, env=dict(os.environ))
        files = sorted(Path(tmp_path / run).glob("*.keras"))
        digests.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert len(digests[0]) == 3
    assert digests[0] == digests[1]
