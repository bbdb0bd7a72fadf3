"""A committee's mean is a potential, its spread a calibrated uncertainty."""

import numpy as np
import pytest
from ase.calculators.fd import calculate_numerical_forces
from hypothesis import given
from hypothesis import strategies as st

from bpstudy.potential.calculator import Potential, PotentialError
from bpstudy.potential.committee import (
    Calibration,
    Committee,
    UncertaintyError,
    coverage,
    force_uncertainty,
    half_width,
    most_uncertain,
)
from tests.unit.test_potential import FUNCTIONS, alloy, make


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three networks that differ a little in their weights."""
    found = []
    for member in range(3):
        folder = tmp_path_factory.mktemp(f"member-{member}")
        network, _ = make(folder, [alloy(seed) for seed in range(10)], FUNCTIONS)
        rng = np.random.default_rng(member)
        network.set_weights(network.get_weights() + 0.05 * rng.normal(size=network.get_weights().size))
        network.save(folder / "model.keras")
        found.append(folder)
    return found


def test_mean_and_spread_are_those_of_the_members(folders):
    atoms = alloy(3)
    members = [Potential(folder, "ignore") for folder in folders]
    energies = [member.get_potential_energy(atoms) for member in members]
    forces = np.array([member.get_forces(atoms) for member in members])
    committee = Committee(folders, Calibration(0.9, 2.0, 3.0), on_extrapolation="ignore")
    assert committee.get_potential_energy(atoms) == pytest.approx(np.mean(energies))
    np.testing.assert_allclose(committee.get_forces(atoms), forces.mean(axis=0))
    assert committee.results["energy_std"] == pytest.approx(2 * np.std(energies, ddof=1))
    np.testing.assert_allclose(committee.results["forces_std"], 3 * forces.std(axis=0, ddof=1))


def test_the_mean_forces_are_the_slope_of_the_mean_energy(folders):
    atoms = alloy(4)
    atoms.calc = Committee(folders, on_extrapolation="ignore")
    np.testing.assert_allclose(atoms.get_forces(), calculate_numerical_forces(atoms, eps=1e-4), atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.8, 0.9, 0.95]))
def test_calibrated_intervals_hold_what_they_promise(seed, confidence):
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0.5, 2, size=4000)
    errors = rng.standard_t(4, size=4000) * spread
    width = half_width(errors[:2000], spread[:2000], confidence)
    assert coverage(errors[2000:], width * spread[2000:]) == pytest.approx(confidence, abs=0.05)


def test_half_width_by_hand():
    assert half_width([1, -2, 3], [1, 1, 1], 0.5) == 2.0
    assert half_width([1, -2, 3], [1, 1, 1], 0.75) == 3.0
    with pytest.raises(ValueError, match="at least 19"):
        half_width([1, 2, 3], [1, 1, 1], 0.95)
    with pytest.raises(ValueError, match="one spread an error"):
        half_width([1, 2, 3], [1, 1], 0.5)
    with pytest.raises(ValueError, match="different seeds"):
        half_width([1, 2, 3], [1, 1, 0], 0.5)


def test_a_structure_that_the_members_disagree_on_is_refused(folders):
    atoms = alloy(5)
    committee = Committee(folders, on_extrapolation="ignore")
    committee.get_forces(atoms)
    largest = force_uncertainty(committee.results["forces_std"])
    allowed = Committee(folders, stop_at_ev_per_angstrom=1.01 * largest.max(), on_extrapolation="ignore")
    allowed.get_forces(atoms)
    refused = Committee(folders, stop_at_ev_per_angstrom=0.99 * largest.max(), on_extrapolation="ignore")
    with pytest.raises(UncertaintyError, match=f"atom {largest.argmax()}: "):
        refused.get_forces(atoms)


def test_fits_that_are_no_committee_are_refused(folders, tmp_path):
    with pytest.raises(PotentialError, match="two or more"):
        Committee(folders[:1])
    make(tmp_path, [alloy(seed) for seed in range(10)], FUNCTIONS, energy="potential")
    with pytest.raises(PotentialError, match="other energy_kind"):
        Committee([folders[0], tmp_path])
    with pytest.raises(PotentialError, match="above 0"):
        Committee(folders, stop_at_ev_per_angstrom=0)


def test_calibrations_are_read_back_and_damaged_ones_refused(tmp_path):
    written = Calibration(0.95, 2.5, 3.1)
    written.write(tmp_path / "calibration.json")
    assert Calibration.read(tmp_path / "calibration.json") == written
    (tmp_path / "calibration.json").write_text("{}")
    with pytest.raises(PotentialError, match="not a calibration"):
        Calibration.read(tmp_path / "calibration.json")


def test_the_most_uncertain_frames_keep_their_order():
    frames = [(0.1, "a"), (0.5, "b"), (0.2, "c"), (0.9, "d")]
    assert most_uncertain(frames, 2) == ["b", "d"]
    assert most_uncertain(frames, 9) == ["a", "b", "c", "d"]
