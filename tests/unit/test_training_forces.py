"""Fits to energies and forces: derivatives against automatic differentiation and differences, steps, learning."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from ase.build import bulk
from ase.calculators.emt import EMT

from bpstudy.descriptors.features import Features
from bpstudy.descriptors.gradients import Gradients
from bpstudy.network.element import predict
from bpstudy.network.model import build_network
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.statistics.metrics import rms
from bpstudy.symmetry import G2, G5, SymmetryFunctions
from bpstudy.training import ForceData, TrainingSettings, frame_set, train
from bpstudy.training.levenberg_marquardt import DualEquations, normal_equations
from bpstudy.training.objective import Objective
from tests.unit.dense import dense_gradients, force_set_of
from tests.unit.in_tensorflow import atomic_energies, variables_of

SMOOTH = ("tanh", "sigmoid", "softplus", "linear")
FORCED = np.arange(1, 6)


@pytest.fixture
def two_elements():
    """Seven frames of six atoms; the forces of five frames, nine components each."""
    rng = np.random.default_rng(0)
    arrays = {"Cu": rng.normal(5, 3, (7, 4, 3)), "Al": rng.normal(0, 0.01, (7, 2, 5))}
    features = Features.of_arrays(arrays)
    gradients = {"Cu": rng.normal(0, 3, (5, 4, 9, 3)), "Al": rng.normal(0, 0.01, (5, 2, 9, 5))}
    known = force_set_of(features, gradients, rng.normal(0, 0.2, (5, 9)), FORCED)
    return features, rng.normal(-20, 0.5, 7), ForceData(known, scale_ev_per_angstrom=0.2, weight=0.7)


@pytest.fixture
def sparse(two_elements):
    """The same without two thirds of the pairs, and one component that no atom depends on."""
    features, energies, data = two_elements
    rng, gradients = np.random.default_rng(3), {}
    for element, d in data.forces.gradients.items():
        kept = (rng.uniform(size=len(d.row)) < 0.3) & (d.component != 11)
        gradients[element] = Gradients(d.component[kept], d.row[kept], d.values[kept])
    return features, energies, replace(data, forces=replace(data.forces, gradients=gradients))


def make_network(features, energies, seed=1, **options):
    scalers = {e: Scaler.fit(of.values, features.labels[e]) for e, of in features.rows.items()}
    network = build_network(scalers, EnergyScale.fit(energies, features.counts()), **options)
    weights = network.get_weights()
    network.set_weights(weights + 0.1 * np.random.default_rng(seed).normal(size=weights.size))
    return network


def forces_by_tensorflow(network, variables, features, forces):
    """F = −Σ dE/dG dG/dR, dE/dG by automatic differentiation."""
    inputs = [tf.constant(features.rows[e].values) for e in network.labels]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        energy = sum(tf.reduce_sum(energies) for energies in atomic_energies(network, variables, inputs))
    slopes = tape.gradient(energy, inputs)
    dense = [dense_gradients(forces, features, e) for e in network.labels]
    return -sum(tf.einsum("crf,rf->c", d, g) for d, g in zip(dense, slopes, strict=True))


@pytest.mark.parametrize(
    ("data", "activation", "hidden", "direct"),
    [
        ("two_elements", "tanh", (), False),
        ("sparse", "tanh", (4,), True),
        *(("sparse", activation, (3, 5, 2), activation == "tanh") for activation in SMOOTH),
    ],
)
def test_forces_and_their_jacobian_equal_double_automatic_differentiation(
    data, activation, hidden, direct, monkeypatch, request
):
    monkeypatch.setattr("bpstudy.training.forces.JACOBIAN_ROWS", 20)  # blocks of 20, 20 and 5 components
    features, energies, data = request.getfixturevalue(data)
    network = make_network(features, energies, hidden=hidden, activation=activation, direct=direct)
    weights = network.get_weights()
    variables = variables_of(network)
    with tf.GradientTape() as tape:
        expected = forces_by_tensorflow(network, variables, features, data.forces)
    parts = tape.jacobian(expected, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    slopes = np.hstack([part.numpy().reshape(45, -1) for part in parts])

    objective = Objective(network, features, energies, 0.02, data)
    term = objective.forces
    np.testing.assert_allclose(term.forces(weights).ravel(), expected, rtol=1e-12, atol=1e-13)
    unit = (0.7 * 7 / 45) ** 0.5 / 0.2
    blocks = list(term.jacobian(weights))
    assert [len(rows) for rows, _ in blocks] == [20, 20, 5]
    residuals = unit * (expected.numpy() - data.forces.forces_ev_per_angstrom)
    np.testing.assert_allclose(np.concatenate([r for r, _ in blocks]), residuals, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(np.vstack([j for _, j in blocks]), unit * slopes, rtol=1e-10, atol=1e-12)

    alone = Objective(network, features, energies, 0.02)
    mean_square, value, gradient = objective.value_and_gradient(weights)
    mse, _, gradient_alone = alone.value_and_gradient(weights)
    assert mean_square == pytest.approx(mse + (residuals**2).sum() / 7, rel=1e-12)
    assert objective.mean_square(weights) == pytest.approx(mean_square, rel=1e-12)
    assert value == pytest.approx(mean_square + 0.02 * weights @ weights, rel=1e-12)
    by_hand = 2 / 7 * unit * slopes.T @ residuals
    np.testing.assert_allclose(gradient - gradient_alone, by_hand, rtol=1e-9, atol=1e-12)


def test_the_jacobian_is_the_finite_difference_of_the_forces(two_elements):
    features, energies, data = two_elements
    network = make_network(features, energies, hidden=(4, 3), direct=True)
    term = Objective(network, features, energies, 0.0, data).forces
    weights, step = network.get_weights(), 1e-5
    rows = np.vstack([j for _, j in term.jacobian(weights)])
    for k in range(0, weights.size, 5):
        up, down = (weights + sign * step * np.eye(weights.size)[k] for sign in (1, -1))
        slope = (term.forces(up) - term.forces(down)) / (2 * step)
        np.testing.assert_allclose(rows[:, k], (0.7 * 7 / 45) ** 0.5 / 0.2 * slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("hidden", "dual"), [((2,), False), ((6, 4), True)])
def test_steps_solve_the_damped_least_squares_of_energies_and_forces_and_bend(two_elements, hidden, dual):
    features, energies, data = two_elements
    network = make_network(features, energies, hidden=hidden)
    weights = network.get_weights()
    objective = Objective(network, features, energies, 0.1, data)
    equations = normal_equations(objective, weights)
    assert isinstance(equations, DualEquations) == dual
    blocks = list(objective.jacobian(weights))
    residuals, jacobian = np.concatenate([r for r, _ in blocks]), np.vstack([j for _, j in blocks])
    assert residuals.size == objective.n_rows == 7 + 45
    np.testing.assert_allclose(objective.residuals(weights), residuals, rtol=1e-12, atol=1e-14)
    assert residuals @ residuals / 7 == pytest.approx(objective.mean_square(weights), rel=1e-12)
    identity = np.eye(weights.size)
    for damping in (0.1, 1e3):
        c, d = 0.1 * 7, damping * np.sum(jacobian**2) / weights.size
        rows = np.vstack([jacobian, np.sqrt(c) * identity, np.sqrt(d) * identity])
        none = 0 * weights
        velocity = np.linalg.lstsq(rows, -np.concatenate([residuals, np.sqrt(c) * weights, none]))[0]
        there, back = (objective.residuals(weights + sign * 0.01 * velocity) for sign in (1, -1))
        bend = (there - 2 * residuals + back) / 0.01**2
        acceleration = np.linalg.lstsq(rows, -np.concatenate([bend, none, none]))[0]
        small = 2 * np.linalg.norm(acceleration) < 0.75 * np.linalg.norm(velocity)
        assert small or damping < 1
        bent = equations.step(damping) - velocity
        off = np.linalg.norm(bent - small * acceleration / 2)
        assert off < 0.1 * np.linalg.norm(bent) if small else off < 1e-7 * np.linalg.norm(velocity)
    assert equations.value == pytest.approx(objective.value_and_gradient(weights)[1], rel=1e-12)


@pytest.fixture(scope="module")
def copper():
    """Functions, dG/dR, energies and forces (EMT) of 24 rattled cells of 4 Cu atoms, smaller than the cutoff."""
    functions = SymmetryFunctions(
        [G2(2.0, rs, 5.0) for rs in (2.0, 2.6, 3.2, 4.0)]
        + [G5(0.05, zeta, lam, 5.0) for zeta in (1, 4) for lam in (1, -1)]
    )
    frames = []
    for seed in range(24):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.08, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(atoms)
    return frame_set(functions, frames)


def parts(known):
    """Frames and forces to learn from, and to test on."""
    scale = rms(known.forces.forces_ev_per_angstrom)
    both = known.take(np.arange(16)), known.take(np.arange(16, 24))
    return *both, *(ForceData(of.forces, scale) for of in both)


@pytest.mark.parametrize(
    "settings",
    [
        TrainingSettings("levenberg-marquardt", max_iterations=25),
        TrainingSettings("lbfgs", max_iterations=300, patience=300),
    ],
    ids=lambda settings: settings.name,
)
def test_forces_in_the_fit_make_unseen_forces_right(copper, settings):
    seen, unseen, forces_of_seen, _ = parts(copper)
    error = {}
    for name, forces in {"energies": None, "forces": forces_of_seen}.items():
        network = make_network(seen.features, seen.energies_ev, hidden=(6,))
        result = train(network, seen.features, seen.energies_ev, settings, forces=forces)
        assert result.mse_ev2 < 0.05 * result.history["mse_ev2"].iloc[0]
        predicted = predict(network, unseen.features, unseen.forces)[1]
        error[name] = rms(predicted - unseen.forces.forces_ev_per_angstrom) / forces_of_seen.scale_ev_per_angstrom
    assert error["forces"] < 0.25
    assert error["forces"] < 0.5 * error["energies"]


def test_validation_is_on_energies_and_forces(copper):
    seen, unseen, *forces = parts(copper)
    network = make_network(seen.features, seen.energies_ev, hidden=(3,))
    validation = (unseen.features, unseen.energies_ev)
    settings = TrainingSettings(max_iterations=8)
    result = train(network, seen.features, seen.energies_ev, settings, validation, *forces)
    least = result.history["validation_mse_ev2"].min()
    again = Objective(network, *validation, forces=forces[1])
    assert again.mse_ev2(network.get_weights()) == pytest.approx(least, rel=1e-10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forces_ev_per_angstrom": np.full(288, np.nan)}, "forces: not all are finite"),
        ({"frame": np.empty(0)}, "forces: no components"),
        ({"weight": -1.0}, "must be positive"),
        ({"scale_ev_per_angstrom": 0.0}, "must be positive"),
    ],
)
def test_wrong_forces_are_refused(copper, changes, message):
    known = replace(copper.forces, **{k: v for k, v in changes.items() if hasattr(copper.forces, k)})
    others = {"scale_ev_per_angstrom": 1.0} | {k: v for k, v in changes.items() if not hasattr(copper.forces, k)}
    with pytest.raises(ValueError, match=message):
        ForceData(known, **others)


def test_gradients_that_are_not_finite_are_refused(copper):
    d = copper.forces.gradients["Cu"]
    wrong = replace(copper.forces, gradients={"Cu": replace(d, values=np.full_like(d.values, np.inf))})
    with pytest.raises(ValueError, match=r"gradients\[Cu\]: not all are finite"):
        ForceData(wrong, 1.0)
