"""Trial networks and linear potentials: derivatives against differences, the start at ridge, errors that fall."""

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.selection.jacobian import Frame, Parameters, frame_rows, predict
from bpstudy.selection.linear import linear_errors
from bpstudy.selection.pool import make_pool
from bpstudy.selection.potential import save_potential, write_potential
from bpstudy.selection.run import run
from bpstudy.selection.setting import prepare
from bpstudy.selection.targets import Tolerances
from bpstudy.selection.trial import TrialSettings, fit_trial, trial_fit
from bpstudy.symmetry import SymmetryFunctions
from tests.unit.selection_data import SMALL, crystals

TOLERANCES = Tolerances(0.005, 0.1)
QUICK = TrialSettings(hidden=(4, 3), iterations=12, components=24)


@pytest.fixture(scope="module", params=[False, True], ids=["one element", "two elements"])
def data(request):
    frames = crystals(20, alloy=request.param)
    pool = make_pool(frames, SMALL).functions
    functions = SymmetryFunctions([pool.functions[k] for k in np.linspace(0, len(pool) - 1, 5).astype(int)])
    return frames, functions, np.arange(20) % 4


def test_rows_against_differences():
    rng = np.random.default_rng(0)
    parameters = Parameters(5, (4, 3), 2)
    element = np.array([0, 1, 1, 0, 1, 0])
    slopes = rng.normal(size=(6, 7, 5)).astype(np.float32)
    frame = Frame(rng.normal(size=(6, 5)), element, slopes, 0.3, rng.normal(size=7))
    weights = rng.normal(size=parameters.size)
    rows, residuals = frame_rows(parameters, weights, frame, 2.0, 3.0)
    step = 1e-3  # forces are in single precision
    for k in range(parameters.size):
        up, down = (
            frame_rows(parameters, weights + sign * step * np.eye(parameters.size)[k], frame, 2.0, 3.0)[1]
            for sign in (1, -1)
        )
        np.testing.assert_allclose(rows[:, k], (up - down) / (2 * step), rtol=2e-3, atol=5e-3)
    energy, forces = predict(parameters, weights, frame)
    np.testing.assert_allclose(residuals, [2 * (energy - 0.3), *(3 * (forces - frame.forces))])


def test_forces_are_those_of_the_energy(data):
    frames, functions, folds = data
    network = fit_trial(functions, frames, folds, TOLERANCES, 0, QUICK)
    atoms = frames[1].copy()
    atoms.calc = frames[1].calc
    rng, energies = np.random.default_rng(0), []
    frame = network.frame(atoms, 0, None, rng)
    _, forces = predict(network.parameters, network.weights, frame)
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions[2, 1] += sign * 1e-4
        moved.calc = frames[1].calc.__class__(moved, energy=0.0, forces=np.zeros((len(moved), 3)))
        energies.append(
            len(moved) * predict(network.parameters, network.weights, network.frame(moved, 0, None, rng))[0]
        )
    assert forces[2 * 3 + 1] == pytest.approx(-(energies[0] - energies[1]) / 2e-4, rel=1e-3, abs=1e-4)


def test_a_network_is_no_worse_than_ridge_on_its_validation_frames(data):
    frames, functions, folds = data
    network = fit_trial(functions, frames, folds, TOLERANCES, 0, QUICK)
    start = fit_trial(functions, frames, folds, TOLERANCES, 0, TrialSettings((4, 3), 1, 1, 1e9, 24))
    held = [f for f, k in zip(frames, folds, strict=True) if k == 0]

    def loss(of):
        energy, force, _ = of.errors(held)
        return (energy**2).mean() / 0.005**2 + (force**2).mean() / 0.1**2

    assert loss(network) <= loss(start) * 1.05


@pytest.mark.parametrize("shift_ev", [1, -1])
def test_one_validation_frame_unlike_all_others_does_not_decide(data, shift_ev):
    frames, functions, folds = data
    far, energy = frames[0].copy(), frames[0].get_potential_energy()
    far.calc = SinglePointCalculator(far, energy=energy + shift_ev, forces=frames[0].get_forces())
    held = [f for f, k in zip(frames, folds, strict=True) if k == 0][1:]
    without, beside = (
        fit_trial(functions, of, folds, TOLERANCES, 0, QUICK).errors(held).force_mae
        for of in (frames, [far, *frames[1:]])
    )
    assert beside.mean() == pytest.approx(without.mean(), rel=0.01)


def test_repeats_to_the_bit(data):
    frames, functions, folds = data
    one, two = (fit_trial(functions, frames, folds, TOLERANCES, 3, QUICK) for _ in range(2))
    np.testing.assert_array_equal(one.weights, two.weights)


def test_a_committee_predicts_the_mean_of_its_members(data):
    frames, functions, folds = data
    energy, rms, mae = trial_fit(QUICK, members=2)(functions, frames[:16], folds[:16], frames[16:], TOLERANCES, 1)
    members = [fit_trial(functions, frames[:16], folds[:16], TOLERANCES, seed, QUICK) for seed in (2, 3)]
    energies, forces = zip(*(member.residuals(frames[16:]) for member in members), strict=True)
    np.testing.assert_allclose(energy, np.mean(energies, axis=0), rtol=1e-12)
    of_last = (forces[0][-1] + forces[1][-1]) / 2
    assert rms[-1] == pytest.approx(np.sqrt((of_last**2).mean()))
    assert mae[-1] == pytest.approx(np.abs(of_last).mean())


def test_it_is_written_as_a_potential(data, tmp_path):
    from bpstudy.potential.calculator import Potential

    frames, functions, folds = data
    network = fit_trial(functions, frames, folds, TOLERANCES, 0, QUICK)
    write_potential(network, frames, tmp_path)
    energy, force, _ = network.errors(frames[:2])
    for k, frame in enumerate(frames[:2]):
        atoms = frame.copy()
        atoms.calc = Potential(tmp_path, on_extrapolation="ignore")
        error = (atoms.get_potential_energy() - frame.get_potential_energy()) / len(atoms)
        assert error == pytest.approx(energy[k], abs=1e-9)
        assert np.sqrt(((atoms.get_forces() - frame.get_forces()) ** 2).mean()) == pytest.approx(force[k], rel=1e-6)


def test_a_committee_is_written_as_one(data, tmp_path):
    from bpstudy.potential.committee import Committee

    frames, functions, folds = data
    errors = save_potential(functions, frames[:16], folds[:16], TOLERANCES, frames[16:], tmp_path, 2, QUICK)
    atoms = frames[16].copy()
    atoms.calc = Committee([tmp_path / "0", tmp_path / "1"], on_extrapolation="ignore")
    error = (atoms.get_potential_energy() - frames[16].get_potential_energy()) / len(atoms)
    assert error == pytest.approx(errors.energy[0], abs=1e-9)
    assert atoms.calc.results["energy_std"] > 0
    (tmp_path / "notes.txt").write_text("a user's own")
    save_potential(functions, frames[:16], folds[:16], TOLERANCES, frames[16:], tmp_path, 1, QUICK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.keras", "notes.txt", "potential.json"]


def test_linear_potential_finds_a_linear_truth(data):
    frames, functions, folds = data
    truth = np.linspace(-0.3, 0.4, len(functions))
    made = []
    for frame in frames:
        new = frame.copy()
        energy = float((functions.compute(new) @ truth).sum() + new.numbers.sum() * 0.1)
        forces = -np.einsum("ifac,f->ac", functions.compute_with_gradients(new)[1], truth)
        new.calc = frame.calc.__class__(new, energy=energy, forces=forces)
        made.append(new)
    energy, force, _ = linear_errors(functions, made[:15], folds[:15], made[15:], TOLERANCES)
    assert np.abs(energy).max() < 1e-5
    assert force.max() < 1e-4


def test_from_frames_to_recommendation(data):
    frames, _, folds = data
    setting = prepare(frames[:16], folds[:16], SMALL)
    answer = run(setting, frames[16:], [3], ["random", "second-order", "forward"], trial_fit(QUICK), [0, 1])
    table = answer.ranking.table
    assert len(table) == 6
    assert not answer.left_out
    linear = table[table["model"] == "linear"].set_index("method")["score"]
    assert linear["forward"] < linear["random"]
    assert not table["significantly_worse"].iloc[answer.ranking.overall]


def test_without_time_the_first_methods_are_still_tried(data):
    frames, _, folds = data
    setting = prepare(frames[:16], folds[:16], SMALL)
    answer = run(setting, frames[16:], [3], ["random", "forward"], trial_fit(QUICK), [0], minutes=-1)
    assert answer.ranking.table["method"].tolist() == ["forward"]
    assert len(answer.left_out) == 3


def test_what_is_refused(data):
    frames, functions, _ = data
    with pytest.raises(ValueError, match="two or more"):
        fit_trial(functions, frames, np.zeros(20, int), TOLERANCES, 0, QUICK)
    with pytest.raises(ValueError, match="at least two"):
        prepare(frames[:1])
    with pytest.raises(ValueError, match="1 or more"):
        TrialSettings(iterations=0)
