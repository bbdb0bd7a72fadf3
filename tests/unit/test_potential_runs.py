"""Runs of a potential beside those it is compared with, here its own."""

import numpy as np
import pytest

from bpstudy.config.analysis import PotentialRuns
from bpstudy.config.checks import Thermal
from bpstudy.figures.potential_runs import potential_runs
from bpstudy.figures.tables import TableError
from bpstudy.potential.calculator import Potential
from bpstudy.potential.md import Run, run
from bpstudy.potential.runs import all_runs, whole_or_broken
from tests.unit.test_potential import FUNCTIONS, alloy, make

SETTINGS = PotentialRuns(
    experiment="x",
    seed=0,
    reference="y",
    from_fs=0.0,
    timestep_fs=1.0,
    temperature_kelvin=100.0,
    friction_per_fs=0.05,
    nve_steps=20,
    nvt_steps=30,
    supercell=(2, 1, 1),
    supercell_steps=10,
    longest_fs=8.0,
)
THERMAL = Thermal(
    block_fs=100.0,
    equilibration_sigmas=3.0,
    left_out_relaxation_times=3.0,
    settled_within=0.01,
    rdf_cutoff_angstrom=5.0,
    rdf_bin_angstrom=0.25,
    rdf_frames=5,
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    make(folder, [alloy(seed) for seed in range(10)], FUNCTIONS)
    potential = Potential(folder, on_extrapolation="ignore")
    reference = []
    run(alloy(5), potential, Run(30, 1.0, 100.0, 0.05, 1), reference.append)
    return all_runs(potential, reference, 1.0, SETTINGS, THERMAL)


def test_each_run_is_summed_up(results):
    table = results.summary.set_index("run")
    assert table["atoms"].to_dict() == {"NVE": 4, "NVE, supercell": 8, "NVT": 4}
    assert table["steps"].to_dict() == {"NVE": 20, "NVE, supercell": 10, "NVT": 30}
    assert (table["atom_steps_per_second"] > 0).all()
    start = results.energies.groupby("run").first()
    cell, larger = start.loc["NVE"], start.loc["NVE, supercell"]
    assert larger["potential_ev"] == pytest.approx(2 * cell["potential_ev"], rel=1e-9)
    assert larger["kinetic_ev"] != pytest.approx(2 * cell["kinetic_ev"], rel=1e-3)  # velocities of its own


def test_both_sources_are_in_the_comparisons(results):
    for table in (results.rdf, results.motion):
        assert table["source"].unique().tolist() == ["DFT", "network"]
    assert results.motion["lag_fs"].max() == 8


def test_the_figure_shows_the_tables(results):
    figure = potential_runs(results.energies, results.rdf, results.motion)
    energy, shells, velocity, displacement = figure.axes
    assert [text.get_text() for text in energy.get_legend().get_texts()] == ["4 atoms", "8 atoms"]
    assert shells.get_xlabel() == "distance (Å)"
    own = results.motion.query("source == 'network'")
    drawn = next(line for line in displacement.lines if line.get_label() == "network")
    np.testing.assert_array_equal(drawn.get_ydata(), own["mean_square_displacement_angstrom2"])
    assert velocity.get_ylabel() == "velocity autocorrelation"
    with pytest.raises(TableError, match="a finite number is needed"):
        potential_runs(results.energies.assign(total_ev=np.nan), results.rdf, results.motion)


def test_a_run_that_breaks_is_kept_as_far_as_it_held(tmp_path, results):
    """Steps so long that the energy is not conserved, and at last atoms lie on one another."""
    make(tmp_path, [alloy(seed) for seed in range(10)], FUNCTIONS)
    potential, atoms = Potential(tmp_path, on_extrapolation="ignore"), alloy(5)
    whole, broke_fs = whole_or_broken(atoms, potential, Run(20, 1.0, 100.0, None, 1), None)
    assert len(whole) == 21
    assert np.isnan(broke_fs)
    atoms.set_momenta(40 * atoms.get_momenta())
    table, broke_fs = whole_or_broken(atoms, potential, Run(300, 9.0, 100.0, None, 1), None)
    assert broke_fs < 2700
    assert 3 <= len(table) < 301
    figure = potential_runs(results.energies.assign(broke=True), results.rdf, results.motion)
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "4 atoms (broke)"


def test_a_run_that_heats_up_has_broken_though_it_conserves_its_energy(tmp_path):
    """A structure that the potential pulls apart: potential energy becomes kinetic."""
    make(tmp_path, [alloy(seed) for seed in range(10)], FUNCTIONS)
    potential, atoms = Potential(tmp_path, on_extrapolation="ignore"), alloy(5)
    atoms.set_momenta(1e-3 * atoms.get_momenta())
    settings = Run(200, 0.5, 1.0, None, 1)
    table, broke_fs = whole_or_broken(atoms, potential, settings, None)
    assert broke_fs < 100
    assert table["temperature_kelvin"].max() <= 3 * settings.temperature_kelvin
    assert np.ptp(table["total_ev"]) < 0.01 * len(atoms)
