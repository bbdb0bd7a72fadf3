"""A committee's mean is a potential, its spread a calibrated uncertainty."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.fd import calculate_numerical_forces
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.potential.calculator import Potential, PotentialError
from bpstudy.potential.candidates import UNCERTAINTY, Candidates
from bpstudy.potential.committee import (
    Calibration,
    Committee,
    UncertaintyError,
    coverage,
    force_uncertainty,
    half_width,
    most_uncertain,
)
from bpstudy.potential.coverage import measure_coverage
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


def md(folders, tmp_path, *options, start=None):
    """`bpstudy md` from a file, at constant energy."""
    write(tmp_path / "start.traj", start or alloy(3))
    arguments = ["--nve", "--every", "1", "--output", str(tmp_path / "run.traj"), *map(str, options)]
    return CliRunner().invoke(app, ["md", *map(str, folders), str(tmp_path / "start.traj"), *arguments])


def test_a_run_collects_the_frames_that_the_members_disagree_on_most(folders, tmp_path):
    done = md(folders, tmp_path, "--steps", 12, "--collect", 3)
    assert done.exit_code == 0, done.output
    frames, candidates = read(tmp_path / "run.traj", ":"), read(tmp_path / "run.candidates.extxyz", ":")
    committee, found = Committee(folders, on_extrapolation="ignore"), []
    for frame in frames:
        committee.calculate(frame)
        found.append(force_uncertainty(committee.results["forces_std"]).max())
    places = np.sort(np.argsort(found)[-3:])
    for place, candidate in zip(places, candidates, strict=True):
        np.testing.assert_allclose(candidate.positions, frames[place].positions, atol=1e-7)
        assert candidate.info[UNCERTAINTY] == pytest.approx(found[place], rel=1e-6)
        assert candidate.calc is None  # the network's energies are not for a fit
    assert f"{max(found):.3g} eV/Å (standard deviation)" in done.output


def test_a_run_stops_where_the_members_disagree_and_keeps_that_structure(folders, tmp_path):
    ideal = bulk("Cu", cubic=True)  # no forces at first, and no doubt
    ideal.symbols[[0, 2]] = "Al"
    free = md(folders, tmp_path, "--steps", 12, "--collect", 13, start=ideal)
    assert free.exit_code == 0, free.output
    found = np.array([frame.info[UNCERTAINTY] for frame in read(tmp_path / "run.candidates.extxyz", ":")])
    last = int(np.argmax(found > 0.5 * max(found)))
    assert last > 0
    limit = (max(found[:last]) + found[last]) / 2
    done = md(folders, tmp_path, "--steps", 12, "--collect", 2, "--stop-at-uncertainty", limit, start=ideal)
    assert done.exit_code == 1
    assert "the committee is uncertain of its force" in " ".join(done.output.split())
    assert len(read(tmp_path / "run.partial.traj", ":")) == last
    candidates = read(tmp_path / "run.candidates.extxyz", ":")
    assert candidates[-1].info[UNCERTAINTY] == pytest.approx(found[last], rel=1e-6)


def test_calibrated_uncertainties_are_larger_by_the_factor(folders, tmp_path):
    Calibration(0.95, 2.0, 5.0).write(tmp_path / "calibration.json")
    plain = md(folders, tmp_path, "--steps", 2, "--collect", 3)
    before = [frame.info[UNCERTAINTY] for frame in read(tmp_path / "run.candidates.extxyz", ":")]
    done = md(folders, tmp_path, "--steps", 2, "--collect", 3, "--calibration", tmp_path / "calibration.json")
    assert plain.exit_code == done.exit_code == 0, done.output
    after = [frame.info[UNCERTAINTY] for frame in read(tmp_path / "run.candidates.extxyz", ":")]
    np.testing.assert_allclose(after, 5 * np.array(before), rtol=1e-6)


@pytest.mark.parametrize(
    ("count", "options", "message"),
    [
        (1, ["--collect", "2"], "give two or more folders"),
        (1, ["--stop-at-uncertainty", "0.1"], "give two or more folders"),
        (2, ["--stop-at-uncertainty", "0"], "--stop-at-uncertainty 0: it is in eV/Å and must be above 0"),
        (2, ["--calibration", "nothing.json"], "nothing.json: not a calibration"),
    ],
)
def test_wrong_options_of_a_committee(folders, tmp_path, count, options, message):
    done = md(folders[:count], tmp_path, *options)
    assert done.exit_code == 1
    assert message in " ".join(done.output.split())


def test_candidates_are_a_number(folders):
    with pytest.raises(ValueError, match="--collect -1"):
        Candidates(Committee(folders, on_extrapolation="ignore"), -1)


def test_coverage_is_measured_on_frames_that_it_is_not_calibrated_on(folders):
    """Errors drawn as the members' spread tells, three times as large: the factor is three times the normal one."""
    committee, rng, frames = Committee(folders, on_extrapolation="ignore"), np.random.default_rng(0), []
    for seed in range(60):
        frame = alloy(seed)
        committee.calculate(frame)
        found = committee.results
        energy = found["energy"] + 3 * found["energy_std"] * rng.normal()
        forces = found["forces"] + 3 * found["forces_std"] * rng.normal(size=found["forces"].shape)
        frame.calc = SinglePointCalculator(frame, energy=energy, free_energy=energy, forces=forces)
        frames.append(frame)
    calibration, table = measure_coverage(folders, frames, 0.9)
    rows = table.set_index("quantity")
    assert calibration.forces == pytest.approx(3 * 1.645, rel=0.15)
    assert rows.loc["forces", "coverage"] == pytest.approx(0.9, abs=0.04)
    assert rows.loc["energy", "coverage"] > 0.7
    assert rows.loc["forces", "coverage_uncalibrated"] == pytest.approx(0.417, abs=0.06)  # P(|x| < 1.645 / 3)
    assert json.loads(table.to_json(orient="records"))[1]["frames_measured"] == 30
    with pytest.raises(ValueError, match=r"cannot calibrate a confidence of 0\.99"):
        measure_coverage(folders, frames, 0.99)


def test_members_that_agree_exactly_have_no_intervals(folders, tmp_path):
    """Fits with a direct layer that never got better than ridge are one potential: the study goes on and says so."""
    frames = []
    for seed in range(20):
        frame = alloy(seed)
        frame.calc = SinglePointCalculator(frame, energy=1.0, free_energy=1.0, forces=np.ones((len(frame), 3)))
        frames.append(frame)
    twin = shutil.copytree(folders[0], tmp_path / "twin")
    with zipfile.ZipFile(twin / "model.keras", "a") as archive:
        archive.comment = b"another file of the same numbers"
    calibration, table = measure_coverage([folders[0], twin], frames, 0.8)
    assert table[["factor", "coverage", "half_width_median"]].isna().all(axis=None)
    assert (table["coverage_uncalibrated"] == 0).all()
    assert table["rmse"].gt(0).all()
    calibration.write(tmp_path / "calibration.json")
    with pytest.raises(PotentialError, match=r"calibration\.json: a committee that agrees exactly"):
        Calibration.read(tmp_path / "calibration.json")


def test_the_calibration_of_a_larger_committee_is_refused(folders, tmp_path):
    Calibration(0.95, 2.0, 5.0, members=10).write(tmp_path / "calibration.json")
    done = md(folders[:2], tmp_path, "--calibration", tmp_path / "calibration.json")
    assert done.exit_code == 1
    assert "calibration: is of a committee of 10 fits, not of 2" in " ".join(done.output.split())
    assert not (tmp_path / "run.traj").exists()
