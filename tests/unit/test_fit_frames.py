"""Fits from ASE structures of any size and composition: forces are slopes, ridge is never better on validation."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.network.model import build_network
from bpstudy.network.normalization import EnergyScale
from bpstudy.potential.calculator import Potential
from bpstudy.symmetry import G2, G5, SymmetryFunctions
from bpstudy.training import FitSettings, TrainingSettings, fit_frames, fit_sets, frame_set
from bpstudy.training.baselines import fit_ridge
from bpstudy.training.direct import start_at_ridge
from bpstudy.training.layers import direct_places
from bpstudy.training.networks import fit_scalers
from bpstudy.training.objective import Objective
from bpstudy.training.sets import training_forces
from tests.alloys import strained_alloy

RADIAL = [G2(2.0, rs, 4.5, s) for rs in (2.2, 2.8, 3.6) for s in ("Al", "Cu")]
FUNCTIONS = {
    "Al": SymmetryFunctions([*RADIAL, G5(0.05, 1, -1, 4.5)]),
    "Cu": SymmetryFunctions(RADIAL),
}


def structure(seed, forces=True):
    return strained_alloy(seed, 1 + seed % 2, 0.03, forces)


@pytest.fixture(scope="module")
def frames():
    return [structure(seed) for seed in range(52)]


@pytest.fixture(scope="module")
def fits(frames):
    return fit_frames(FUNCTIONS, frames[:30], frames[30:40], hidden=(4,), components=6, max_iterations=12)


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


def test_sizes_and_compositions_differ(frames):
    assert len({frame.get_chemical_formula() for frame in frames}) > 4


def test_networks_learn_alloys_of_all_sizes(fits, frames):
    unseen = frames[40:]
    found = fits.predict(unseen)
    energies, sizes = np.array([f.get_potential_energy() for f in unseen]), np.array([len(f) for f in unseen])
    assert rms((found[0].energies_ev - energies) / sizes) < 0.6 * np.std(energies / sizes)
    errors = [p - f.get_forces() for p, f in zip(found[0].forces_ev_per_angstrom, unseen, strict=True)]
    known = np.concatenate([f.get_forces() for f in unseen])
    assert rms(np.concatenate(errors)) < 0.7 * rms(known)


def test_forces_are_slopes_of_the_energies(fits, frames):
    frame, step = frames[41], 1e-4
    moved = []
    for sign in (1, -1):
        other = frame.copy()
        other.positions[1, 2] += sign * step
        moved.append(other)
    slopes, forces = fits.predict(moved), fits.predict([frame])
    for name, found in slopes.items():
        slope = np.diff(found.energies_ev)[0] / (2 * step)
        assert forces[name].forces_ev_per_angstrom[0][1, 2] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_a_saved_fit_is_a_potential_with_the_same_energies_and_forces(fits, frames, tmp_path):
    fits.save(0, tmp_path)
    potential = Potential(tmp_path, on_extrapolation="ignore")
    for frame, energy, forces in zip(
        frames[:4],
        fits.predict(frames[:4])[0].energies_ev,
        fits.predict(frames[:4])[0].forces_ev_per_angstrom,
        strict=True,
    ):
        potential.calculate(frame)
        assert potential.results["energy"] == pytest.approx(energy, abs=1e-10)
        np.testing.assert_allclose(potential.results["forces"], forces, atol=1e-10)


def loss(fits, name, frames, weight=1.0):
    """On all components of the frames, by the predictions."""
    found, scale = fits.predict(frames)[name], fits.fits[0].network.energy_scale
    energies, sizes = np.array([f.get_potential_energy() for f in frames]), np.array([len(f) for f in frames])
    forces = np.concatenate([f.get_forces() for f in frames])
    unit = rms(fits.training.forces.forces_ev_per_angstrom)
    per_atom = rms((found.energies_ev - energies) / sizes) / scale.spread_ev_per_atom
    return per_atom**2 + weight * (rms(np.concatenate(found.forces_ev_per_angstrom) - forces) / unit) ** 2


def test_no_worse_than_ridge_on_validation_frames(frames):
    """Whatever the seed, even with far too few frames."""
    for seed, count in ((0, 30), (1, 12), (2, 12)):
        fits = fit_frames(
            FUNCTIONS, frames[:count], frames[30:40], hidden=(8,), components=None, seeds=(seed,), max_iterations=8
        )
        fits.fits[0] = fits.fits.pop(seed)
        network, ridge = (loss(fits, name, frames[30:40]) for name in (0, "ridge"))
        assert network <= ridge * (1 + 1e-9)
        history = fits.fits[0].result.history["validation_mse_ev2"]
        unit = fits.fits[0].network.energy_scale.unit_ev ** 2
        assert history.min() == pytest.approx(unit * network, rel=1e-8)
        assert history[0] == pytest.approx(unit * ridge, rel=1e-8)


def test_the_start_is_the_least_of_the_linear_models(frames):
    """With ridge's own penalty the gradient with respect to the direct layer is zero at the start."""
    known = frame_set(FUNCTIONS, frames[:30], 6)
    ridge = fit_ridge(known, 0.5)
    scale = EnergyScale.fit(known.energies_ev, known.features.counts())
    network = build_network(fit_scalers(known.features), scale, hidden=(3,), direct=True)
    decay = np.zeros(network.get_weights().size)
    decay[direct_places(network)] = start_at_ridge(network, ridge)
    forces = training_forces({"train": known}, 0.5)["train"]
    objective = Objective(network, known.features, known.energies_ev, decay, forces)
    weights = network.get_weights()
    _, _, gradient = objective.value_and_gradient(weights)
    away = weights.copy()
    away[direct_places(network)] += 0.1
    scale_of_gradient = np.abs(objective.value_and_gradient(away)[2][direct_places(network)]).max()
    assert np.abs(gradient[direct_places(network)]).max() < 1e-8 * scale_of_gradient


@pytest.mark.parametrize("direct", [True, False])
def test_given_energies_of_the_atoms_are_kept_and_cost_nothing(frames, direct):
    known, checked = frame_set(FUNCTIONS, frames[:30], 6), frame_set(FUNCTIONS, frames[30:40], 6)
    how = FitSettings((4,), (TrainingSettings(max_iterations=12),), 1.0, direct=direct)
    given = {"Al": 3.2, "Cu": 3.6}  # eV above the atoms in the crystals: the cohesive energies
    seeds = range(6)  # of one alone, chance decides
    found = fit_sets(FUNCTIONS, known, checked, replace(how, atomic_energies_ev=given), seeds)
    usual = fit_sets(FUNCTIONS, known, checked, how, seeds)
    assert found.fits[0].network.energy_scale.offsets_ev == given
    errors = [
        [rms(predicted.energies_ev - energies(frames[40:])) for predicted in of.predict(frames[40:]).values()]
        for of in (found, usual)
    ]
    assert np.median(errors[0]) < 1.5 * np.median(errors[1])


def energies(frames):
    return np.array([frame.get_potential_energy() for frame in frames])


def test_energies_alone_need_no_forces():
    bare = [structure(seed, forces=False) for seed in range(12)]
    assert fit_frames(FUNCTIONS, bare, hidden=(2,), force_weight=0.0, max_iterations=2).training.forces is None
    with pytest.raises(ValueError, match="frame 0 has no forces"):
        fit_frames(FUNCTIONS, bare, hidden=(2,))


def test_what_nothing_can_be_learned_from_is_refused(frames):
    with pytest.raises(ValueError, match=r"all 4 functions are dead.*cutoff beyond the nearest"):
        fit_frames(SymmetryFunctions([G2(1.0, 0.0, 1.5), G2(2.0, 0.0, 1.5)]), frames[:6])
    with pytest.raises(ValueError, match="validation: one frame"):
        fit_frames(FUNCTIONS, frames[:6], frames[6:7])
    with pytest.raises(ValueError, match="functions: none for Al"):
        fit_frames({"Cu": FUNCTIONS["Cu"]}, frames[:6])
    with pytest.raises(ValueError, match="no energy"):
        fit_frames(FUNCTIONS, [frames[0], bulk("Cu")])


def test_validation_frames_need_what_is_fitted(frames):
    known, checked = frame_set(FUNCTIONS, frames[:8], 3), frame_set(FUNCTIONS, frames[8:12], 3, with_forces=False)
    settings = FitSettings((2,), (TrainingSettings(max_iterations=1),), 1.0)
    with pytest.raises(ValueError, match="validation: no forces"):
        fit_sets(FUNCTIONS, known, checked, settings)
    copper = [pure(frame) for frame in frames[:8]]
    with pytest.raises(ValueError, match="validation: has Al, which no training frame has"):
        fit_sets(FUNCTIONS, frame_set(FUNCTIONS, copper, 3), frame_set(FUNCTIONS, frames[8:12], 3), settings)


def pure(frame):
    """The same with copper alone."""
    copper = frame.copy()
    copper.symbols[:] = "Cu"
    copper.calc = SinglePointCalculator(copper, **frame.calc.results)
    return copper
