"""Stress in the fit: slopes of the energy along strains, in networks and ridge, and from people's files."""

from dataclasses import replace

import numpy as np
import pytest
from ase import units
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bpstudy.config.datasets import Imported
from bpstudy.data.dataset import DataSet
from bpstudy.data.errors import TrajectoryError
from bpstudy.descriptors.compute import compute_features
from bpstudy.descriptors.gradients import ForceError
from bpstudy.descriptors.strains import VOIGT, stress_set
from bpstudy.network.element import predict
from bpstudy.network.model import build_network
from bpstudy.network.normalization import EnergyScale
from bpstudy.statistics.metrics import rms
from bpstudy.training import ForceData, TrainingSettings, frame_set, train
from bpstudy.training.baselines import fit_ridge
from bpstudy.training.networks import fit_scalers
from bpstudy.training.objective import Objective
from tests.unit.test_fit_frames import FUNCTIONS, structure

STEP = 1e-5


def stressed(seed):
    """`structure` with the stress by EMT."""
    frame = structure(seed)
    frame.calc = EMT()
    results = {name: frame.calc.get_property(name, frame) for name in ("energy", "forces", "stress")}
    frame.calc = SinglePointCalculator(frame, **results)
    return frame


def strained(frame, component, size):
    """The frame with positions and cell strained by a symmetric ε."""
    strain = np.zeros((3, 3))
    c, d = VOIGT[component]
    strain[c, d] += size / 2
    strain[d, c] += size / 2
    moved = frame.copy()
    moved.set_cell(frame.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return moved


@pytest.fixture(scope="module")
def frames():
    return [stressed(seed) for seed in range(40)]


@pytest.fixture(scope="module")
def known(frames):
    return frame_set(FUNCTIONS, frames[:28], with_stress=True)


def network_of(known, seed=1, **options):
    scale = EnergyScale.fit(known.energies_ev, known.features.counts())
    network = build_network(fit_scalers(known.features), scale, **options)
    weights = network.get_weights()
    network.set_weights(weights + 0.1 * np.random.default_rng(seed).normal(size=weights.size))
    return network


@settings(max_examples=6, deadline=None, phases=[Phase.generate])
@given(st.integers(0, 1000), st.integers(0, 5), st.sampled_from([(), (3,), (4, 2)]), st.booleans())
def test_virials_of_a_network_are_differences_of_its_energy_under_strain(seed, component, hidden, direct):
    frame = stressed(seed)
    known = frame_set(FUNCTIONS, [stressed(seed + k) for k in (1, 2, 3, 4)], with_forces=False)
    network = network_of(known, seed, hidden=hidden, direct=direct and bool(hidden))
    features = compute_features(FUNCTIONS, [frame])
    virials = predict(network, features, stress_set(FUNCTIONS, [frame], features))[1]
    moved = [strained(frame, component, sign * STEP) for sign in (1, -1)]
    up, down = predict(network, compute_features(FUNCTIONS, moved))[0]
    assert virials[component] == pytest.approx(-(up - down) / (2 * STEP) / len(frame), rel=1e-5, abs=1e-6)


def test_the_virials_trained_on_are_differences_of_the_energy_of_the_data(frames, known):
    frame = frames[5]
    for component in range(6):
        energies = []
        for sign in (1, -1):
            moved = strained(frame, component, sign * STEP)
            moved.calc = EMT()
            energies.append(moved.get_potential_energy())
        virial = known.stress.virials_ev_per_atom[6 * 5 + component]
        assert virial == pytest.approx(-(energies[0] - energies[1]) / (2 * STEP) / len(frame), rel=1e-4, abs=1e-4)
    np.testing.assert_allclose(
        known.stress.stress_gpa(known.stress.targets)[30:36], frame.get_stress() / units.GPa, rtol=1e-12
    )


def test_the_jacobian_is_the_difference_of_the_residuals(known):
    network = network_of(known, hidden=(3, 2), direct=True)
    forces, stress = ForceData(known.forces, 0.5, 2.0), ForceData(known.stress, 0.3, 0.7)
    objective = Objective(network, known.features, known.energies_ev, 0.01, forces, stress)
    weights = network.get_weights()
    residuals, rows = (np.concatenate(of) for of in zip(*objective.jacobian(weights), strict=True))
    assert len(residuals) == objective.n_rows == 28 + len(known.forces.frame) + 28 * 6
    np.testing.assert_allclose(residuals, objective.residuals(weights), rtol=1e-10, atol=1e-12)
    for k in range(0, weights.size, 4):
        up, down = (objective.residuals(weights + sign * STEP * np.eye(weights.size)[k]) for sign in (1, -1))
        np.testing.assert_allclose(rows[:, k], (up - down) / (2 * STEP), rtol=1e-5, atol=1e-6)
    gradient = objective.value_and_gradient(weights)[2]
    np.testing.assert_allclose(gradient, 2 / 28 * rows.T @ residuals + 0.02 * weights, rtol=1e-8, atol=1e-10)
    # The weight is that of the relative mean squared error.
    alone = Objective(network, known.features, known.energies_ev, 0.01, forces)
    virials = predict(network, known.features, known.stress)[1]
    share = 0.7 * np.mean((virials - known.stress.targets) ** 2) / 0.3**2
    assert objective.mean_square(weights) - alone.mean_square(weights) == pytest.approx(share, rel=1e-8)


LEVENBERG_MARQUARDT = TrainingSettings(max_iterations=15)
LBFGS = TrainingSettings("lbfgs", max_iterations=150, patience=150)


@pytest.mark.parametrize(
    ("settings", "held_out"),
    [(LEVENBERG_MARQUARDT, True), (LEVENBERG_MARQUARDT, False), (LBFGS, False)],
    ids=["levenberg-marquardt, held out", "levenberg-marquardt, trained on", "lbfgs, trained on"],
)
def test_stress_in_the_fit_makes_the_stress_right(frames, known, settings, held_out):
    of = frame_set(FUNCTIONS, frames[28:], with_forces=False, with_stress=True) if held_out else known
    data, error = ForceData(known.stress, rms(known.stress.targets), 4.0), {}
    for name, stress in {"without": None, "with": data}.items():
        network = network_of(known, hidden=(4,))
        train(network, known.features, known.energies_ev, settings, stress=stress)
        error[name] = rms(of.stress_errors(predict(network, of.features, of.stress)[1]))
    assert error["with"] < 0.6 * error["without"]


def test_ridge_fits_the_stress(frames, known):
    held_out = frame_set(FUNCTIONS, frames[28:], with_forces=False, with_stress=True)
    plain, fitted = fit_ridge(known, 1.0), fit_ridge(known, 1.0, 30.0)
    errors = [rms(held_out.stress_errors(model.forces(held_out.stress))) for model in (plain, fitted)]
    assert errors[1] < 0.8 * errors[0]
    same = fit_ridge(known, 1.0, 0.0)
    assert all(np.array_equal(plain.coefficients[e], same.coefficients[e]) for e in FUNCTIONS)


def test_frames_without_stress_count_without(frames):
    bare = [structure(seed) for seed in (1, 2)]
    mixed = frame_set(FUNCTIONS, [bare[0], frames[0], bare[1], frames[3]], with_stress=True)
    assert mixed.stress.places.tolist() == [1, 3]
    part = mixed.take(np.array([2, 3]))
    assert part.stress.places.tolist() == [1]
    np.testing.assert_array_equal(part.stress.targets, mixed.stress.targets[6:])
    with pytest.raises(ForceError, match="no frame has a stress; leave `stress` out"):
        frame_set(FUNCTIONS, bare, with_stress=True)


def test_a_stress_that_is_not_finite_is_refused(known):
    wrong = replace(known.stress, virials_ev_per_atom=np.full(28 * 6, np.nan))
    with pytest.raises(ValueError, match="stress: not all are finite"):
        ForceData(wrong, 1.0)


def written(tmp_path, frame, **info):
    """The frame as extended XYZ with other names of its stress."""
    plain = frame.copy()
    plain.info |= {"energy": frame.get_potential_energy(), **info}
    write(tmp_path / "frames.extxyz", plain, format="extxyz")
    return str(tmp_path / "frames.extxyz")


@pytest.mark.parametrize("name", ["stress", "REF_stress", "dft_virial", "virial", "both", "flat"])
def test_stress_and_virials_are_found_under_the_names_that_people_use(tmp_path, frames, name):
    frame = frames[0]
    full = frame.get_stress(voigt=False)
    virial = -full * frame.get_volume()
    info = {
        "stress": {"stress": full},
        "REF_stress": {"REF_stress": frame.get_stress()},
        "dft_virial": {"dft_virial": virial},
        "virial": {"virial": virial},
        "both": {"virial": virial, "stress": full},
        "flat": {"dft_stress": full.ravel()},
    }[name]
    path = written(tmp_path, frame, **info)
    (read,) = DataSet(Imported(files=(path,)))
    np.testing.assert_allclose(read.get_stress(), frame.get_stress(), rtol=1e-6, atol=1e-9)
    (without,) = DataSet(Imported(files=(path,), stress="none"))
    assert "stress" not in without.calc.results


def test_declared_units_of_the_stress(tmp_path, frames):
    path = written(tmp_path, frames[0], stress=frames[0].get_stress(voigt=False) / units.GPa)
    (read,) = DataSet(Imported.model_validate({"files": [path], "units": {"stress": "GPa"}}))
    np.testing.assert_allclose(read.get_stress(), frames[0].get_stress(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("info", "declared", "message"),
    [
        ({"dft_stress": np.eye(3), "REF_stress": np.eye(3)}, {}, "say which with the key `stress`, or `stress: none`"),
        ({"dft_stress": np.array([1.0, 2.0])}, {"stress": "dft_stress"}, r"has the shape \(2,\)"),
        ({"dft_stress": np.array([[1.0, 5.0, 0], [0, 1, 0], [0, 0, 1]])}, {}, "dft_stress is not symmetric"),
        ({"dft_stress": np.full((3, 3), np.nan)}, {}, "dft_stress is not finite"),
    ],
)
def test_what_is_no_stress_is_refused(tmp_path, frames, info, declared, message):
    path = written(tmp_path, frames[0], **info)
    with pytest.raises(TrajectoryError, match=message):
        list(DataSet(Imported.model_validate({"files": [path], **declared})))
