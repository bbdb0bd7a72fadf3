"""Dynamics against theory: estimates whose truth is known, g(r) of crystals, and runs that are too short."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.neighborlist import neighbor_list
from scipy import stats

from bpstudy.config.checks import Thermal
from bpstudy.config.systems import Langevin
from bpstudy.figures.tables import TableError
from bpstudy.figures.thermal import Tables, thermal
from bpstudy.thermal.analysis import Run, blocks, coordination, distributions, structure_frames, summary
from bpstudy.thermal.blocking import Correlated, TooShortError, correlation_frames
from bpstudy.thermal.canonical import (
    equilibrated_block,
    expected_error_kelvin,
    harmonic_energy_distribution,
    temperature_distribution,
)
from bpstudy.thermal.rdf import coordination_number, radial_distribution, widest_gap
from bpstudy.thermal.settling import settling_blocks, settling_interval

SETTINGS = Thermal(
    block_fs=100.0,
    equilibration_sigmas=3.0,
    left_out_relaxation_times=3.0,
    settled_within=0.01,
    rdf_cutoff_angstrom=8.0,
    rdf_bin_angstrom=0.05,
    rdf_frames=10,
)
BATH = Langevin(temperature_kelvin=300.0, timestep_fs=1.0, friction_per_fs=0.01, seed=0)
N_ATOMS = 27
SD_KELVIN = 300 * np.sqrt(2 / 78)


def table(kinetic_ev, potential_ev, timestep_fs=1.0):
    step = np.arange(len(kinetic_ev))
    return pd.DataFrame(
        {
            "step": step,
            "time_fs": step * timestep_fs,
            "potential_ev": potential_ev,
            "temperature_kelvin": 2 * np.asarray(kinetic_ev) / (78 * units.kB),
        }
    )


@pytest.fixture(scope="module")
def crystal():
    """78 harmonic vibrations in a bath at 300 K, from rest at their minimum: the exact theory holds for them."""
    rng = np.random.default_rng(7)
    omega = 2 * np.pi * rng.uniform(3e-3, 9e-3, 78)  # 1/fs
    kept, noise = np.exp(-BATH.friction_per_fs), np.sqrt(1 - np.exp(-2 * BATH.friction_per_fs))
    x, v, kinetic, potential = np.zeros(78), np.zeros(78), [], []
    for _ in range(20_000):
        v = v - omega**2 * x / 2
        x = x + v / 2
        v = kept * v + noise * rng.normal(size=78)
        x = x + v / 2
        v = v - omega**2 * x / 2
        kinetic.append((v**2).sum() / 2)
        potential.append((omega**2 * x**2).sum() / 2)
    kt = units.kB * 300
    return table(np.array(kinetic) * kt, np.array(potential) * kt)


def found(run):
    return summary(run).set_index("quantity")


def autoregressive(phi, n, seed=0):
    noise = np.random.default_rng(seed).normal(size=n)
    for i in range(1, n):
        noise[i] += phi * noise[i - 1]
    return noise


# Estimates


def test_the_error_of_a_correlated_mean_is_that_of_theory():
    series = autoregressive(0.9, 40_000)
    tau = 1.9 / 0.1
    assert correlation_frames(series, 50) == pytest.approx(tau, rel=0.15)
    assert Correlated(series, 50).standard_error() == pytest.approx(series.std() * np.sqrt(tau / 40_000), rel=0.1)


def test_errors_cover_the_truth():
    runs = [Correlated(autoregressive(0.8, 2000, seed), 40) for seed in range(200)]
    estimates = [(run.mean(), run.spread()) for run in runs]
    away = np.array([[m.value / m.error, (s.value - 1 / 0.6) / s.error] for m, s in estimates])
    assert np.all(np.abs(away).mean(axis=0) < 1.1)  # 0.8 for a normal distribution
    assert np.all(np.abs(away).mean(axis=0) > 0.6)


def test_a_drift_is_found_with_its_size_and_none_where_there_is_none():
    noise = autoregressive(0.9, 20_000)
    none = Correlated(noise, 100).drift()
    assert abs(none.value) < 3 * none.error
    some = Correlated(noise + 0.0005 * np.arange(20_000), 100).drift()
    assert some.value == pytest.approx(0.0005 + none.value)
    assert some.error == pytest.approx(none.error)
    assert some.value > 5 * some.error


def test_the_error_of_a_drift_covers_the_truth():
    lines = [Correlated(autoregressive(0.9, 5000, seed), 100).drift() for seed in range(150)]
    assert np.std([line.value / line.error for line in lines]) == pytest.approx(1, abs=0.25)


def test_what_is_known_of_the_memory_keeps_the_errors_honest():
    # ten blocks, each forgotten: the estimate alone is as low as it may be
    data = Correlated(np.random.default_rng(0).normal(size=1000), 100, memory_frames=100)
    assert data.correlation_frames() == 100
    assert data.standard_error() == pytest.approx(1 / np.sqrt(10), rel=0.1)
    assert data.spread().error == pytest.approx(1 / np.sqrt(40), rel=0.1)


def test_no_error_is_made_up_from_few_blocks():
    few = Correlated(np.arange(45.0), 10)
    with pytest.raises(TooShortError, match="4 blocks of 10 frames, 5 are needed"):
        few.standard_error()
    with pytest.raises(TooShortError, match="4 blocks"):
        few.drift()
    assert few.mean().value == 22
    assert np.isnan(few.mean().error)
    assert "4 blocks" in few.mean().reason


# Theory


def test_the_distributions_are_those_of_velocities_and_springs():
    rng = np.random.default_rng(1)
    squares = rng.normal(size=(4000, 78)) ** 2
    kinetic = temperature_distribution(300.0, N_ATOMS)
    assert kinetic.mean() == pytest.approx(300)
    assert kinetic.std() == pytest.approx(SD_KELVIN)
    assert stats.kstest(300 * squares.mean(axis=1), kinetic.cdf).pvalue > 0.01
    potential = harmonic_energy_distribution(300.0, N_ATOMS)
    assert potential.std() == pytest.approx(np.sqrt(39) * units.kB * 300)
    assert stats.kstest(squares.sum(axis=1) / 2 * units.kB * 300, potential.cdf).pvalue > 0.01


def test_the_error_of_a_mean_temperature_has_the_right_limits(crystal):
    short, long = expected_error_kelvin(np.array([1e-3, 1e6]), BATH, N_ATOMS)
    assert short == pytest.approx(SD_KELVIN / np.sqrt(2), rel=1e-3)
    assert long == pytest.approx(SD_KELVIN * np.sqrt(100 / 1e6), rel=1e-3)
    means = crystal["temperature_kelvin"].to_numpy()[1000:].reshape(-1, 200).mean(axis=1)
    assert means.std() == pytest.approx(expected_error_kelvin(np.array(200.0), BATH, N_ATOMS), rel=0.25)


@pytest.mark.parametrize("blocks_before", [0, 1, 4])
def test_equilibrium_starts_where_the_temperature_comes_to_the_baths(blocks_before):
    means = np.concatenate([np.full(blocks_before, 150.0), 300 + 10 * np.cos(np.arange(40))])
    assert equilibrated_block(means, 100.0, BATH, N_ATOMS, 3.0) == blocks_before
    assert equilibrated_block(means, 100.0, BATH, N_ATOMS, 3.0, earliest=7) == 7


def test_a_temperature_beside_the_baths_is_no_equilibrium_however_near():
    beside = np.full(200, 315.0)  # half of a block's error, but all the time
    with pytest.raises(TooShortError, match="within 200 blocks of 100 fs the temperature does not settle"):
        equilibrated_block(beside, 100.0, BATH, N_ATOMS, 3.0)
    with pytest.raises(TooShortError, match="4 blocks of 100 fs, 5 are needed"):
        equilibrated_block(beside[:4], 100.0, BATH, N_ATOMS, 3.0)


# The analysis


def test_a_harmonic_crystal_in_a_bath_is_as_theory_expects(crystal):
    rows = found(Run(crystal, N_ATOMS, SETTINGS, BATH))
    assert 100 <= rows.loc["temperature_at_bath_from", "value"] <= 1000
    assert rows.loc["statistics_from", "value"] >= 300
    for quantity in ("temperature_mean", "temperature_sd", "temperature_drift", "potential_sd", "potential_drift"):
        row = rows.loc[quantity]
        assert abs(row["value"] - row["expected"]) < 3 * row["error"], quantity
    assert rows.loc["temperature_sd", "expected"] == pytest.approx(SD_KELVIN)
    assert rows.loc["potential_sd", "expected"] == pytest.approx(5.98, abs=0.01)  # meV/atom
    assert rows.loc["temperature_ks_p", "value"] > 0.01
    for name in ("temperature", "potential"):
        correlation = rows.loc[f"{name}_correlation"]
        assert correlation["expected"] == 100
        assert 25 < correlation["value"] < 250  # from some 200 correlation times it cannot be had better
        frames = len(crystal) - rows.loc["statistics_from", "value"]
        assert rows.loc[f"{name}_independent", "value"] == pytest.approx(frames / max(100, correlation["value"]))
    assert rows["reason"].eq("").all()


def test_a_thermostat_that_narrows_the_distribution_is_found_out(crystal):
    narrow = crystal.assign(temperature_kelvin=300 + 0.4 * (crystal["temperature_kelvin"] - 300))
    rows = found(Run(narrow, N_ATOMS, SETTINGS, BATH))
    assert rows.loc["temperature_ks_p", "value"] < 1e-3
    row = rows.loc["temperature_sd"]
    assert row["expected"] - row["value"] > 5 * row["error"]


def test_histograms_are_densities_beside_the_expected_ones(crystal):
    table = distributions(Run(crystal, N_ATOMS, SETTINGS, BATH))
    for _, part in table.groupby("quantity"):
        width = part["value"].diff().iloc[1]
        assert part["density"].sum() * width == pytest.approx(1)
        assert part["expected"].sum() * width == pytest.approx(1, abs=0.02)
        assert np.abs(part["density"] - part["expected"]).sum() * width < 0.35


def test_blocks_tell_mean_and_range(crystal):
    table = blocks(Run(crystal.iloc[:250], N_ATOMS, SETTINGS, BATH))
    assert table["time_fs"].tolist() == [49.5, 149.5]
    second = crystal["temperature_kelvin"].iloc[100:200]
    assert table.loc[1, "temperature_kelvin"] == pytest.approx(second.mean())
    assert table.loc[1, "temperature_max_kelvin"] == second.max()


def test_a_short_run_says_what_it_cannot_tell(crystal):
    run = Run(crystal.iloc[:41], N_ATOMS, SETTINGS, BATH)
    rows = found(run).drop(index="frames")
    assert rows["value"].isna().all()
    assert rows["reason"].str.contains("0 blocks of 100 fs").all()
    assert blocks(run).empty
    assert distributions(run).empty
    assert structure_frames(run) == slice(0, None, 4)


def test_an_imported_trajectory_without_times_and_momenta_tells_what_it_can(crystal):
    bare = crystal.assign(time_fs=np.nan, temperature_kelvin=np.nan)
    rows = found(Run(bare, N_ATOMS, SETTINGS))
    assert rows.loc["potential_sd", "value"] == pytest.approx(crystal["potential_ev"].std() * 1000 / N_ATOMS)
    assert np.isnan(rows.loc["potential_sd", "error"])
    others = rows.drop(index=["frames", "potential_sd", "statistics_from"])
    assert others["value"].isna().all()
    assert others["reason"].ne("").all()


# Structure


def test_a_crystal_has_the_coordination_of_its_lattice():
    lithium = bulk("Li", "bcc", a=3.49) * (3, 3, 3)
    table = radial_distribution([lithium], 8.0, 0.05, lithium)
    assert table["coordination"].equals(table["ideal_coordination"])
    at = np.searchsorted(table["distance_angstrom"], [3.2, 4.2, 5.2])
    assert table["coordination"].iloc[at].tolist() == [8, 14, 26]
    assert widest_gap(lithium, 8.0) == pytest.approx((1 + np.sqrt(2)) / 2 * 3.49)
    assert coordination_number([lithium] * 3, 4.2) == (14, 0)


def test_g_counts_the_pairs_that_another_program_finds():
    frame = bulk("Cu", cubic=True)
    frame.rattle(0.1, seed=3)
    table = radial_distribution([frame], 7.0, 0.1)
    distance = neighbor_list("d", frame, 7.0)
    counted = np.histogram(distance, np.linspace(0, 7, 71))[0]
    shell = 4 / 3 * np.pi * np.diff(np.linspace(0, 7, 71) ** 3)
    assert np.allclose(table["g"], counted / 4 / (4 / frame.get_volume() * shell))
    assert table["ideal_coordination"].isna().all()


def test_an_atoms_own_images_are_told_apart():
    frame = bulk("Cu", cubic=True)
    frame.rattle(0.1, seed=3)
    table = radial_distribution([frame], 5.0, 0.1)
    assert table.loc[table["g_own_images"] > 0, "distance_angstrom"].tolist() == pytest.approx([3.65])


def test_a_gas_without_structure_has_g_of_one():
    rng = np.random.default_rng(0)
    frames = [Atoms("He64", rng.uniform(0, 20, (64, 3)), cell=[20] * 3, pbc=True) for _ in range(40)]
    frames = [frame for frame in frames if neighbor_list("d", frame, 1.0).min(initial=1) > 0.1]
    table = radial_distribution(frames, 9.0, 0.5).query("distance_angstrom > 3")
    assert np.allclose(table["g"], 1, atol=0.1)


def test_the_summary_compares_the_coordination():
    ideal = bulk("Cu", cubic=True) * (2, 2, 2)
    frames = []
    for seed in range(3):
        frames.append(ideal.copy())
        frames[-1].rattle(0.05, seed=seed)
    row = coordination(frames, ideal, 6.0)
    assert (row["value"], row["expected"], row["unit"]) == (12, 12, "atoms within 3.081 Å")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: radial_distribution([], 5.0, 0.1), "no frames"),
        (lambda: radial_distribution([Atoms("Li2", [[0, 0, 0], [0, 0, 3]])], 5.0, 0.1), "periodic in all three"),
        (lambda: widest_gap(bulk("Cu", cubic=True), 3.0), "1 shells of neighbours within 3.0 Å"),
    ],
)
def test_what_has_no_g_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_bins_must_be_finer_than_the_range():
    with pytest.raises(ValueError, match="rdf_bin_angstrom must be at most a tenth"):
        Thermal(**SETTINGS.model_dump() | {"rdf_bin_angstrom": 1.0})


# The figure


def tables(run):
    ideal = bulk("Li", "bcc", a=3.49) * (3, 3, 3)
    return Tables(summary(run), blocks(run), distributions(run), radial_distribution([ideal], 8.0, 0.05))


def test_the_figure_has_a_column_a_system_and_says_why_a_panel_is_empty(crystal):
    long, short = Run(crystal, N_ATOMS, SETTINGS, BATH), Run(crystal.iloc[:41], N_ATOMS, SETTINGS, BATH)
    figure = thermal({"long": tables(long), "short": tables(short)})
    axes = np.array(figure.axes).reshape(4, 2)
    assert [ax.get_title(loc="left") for ax in axes[0]] == ["long", "short"]
    drawn = axes[0, 0].lines[0].get_xydata()
    assert np.allclose(drawn[:, 1], blocks(long)["temperature_kelvin"])
    assert axes[0, 0].get_xlabel() == "time (ps)"
    assert not axes[0, 0].texts
    assert "0 blocks" in axes[0, 1].texts[0].get_text()
    assert f"expected {SD_KELVIN:.3g} K" in axes[1, 0].get_title(loc="right")
    assert all(ax.lines for ax in axes[3])


def test_a_figure_of_nothing_is_refused(crystal):
    with pytest.raises(TableError, match="no system"):
        thermal({})
    lacking = tables(Run(crystal.iloc[:41], N_ATOMS, SETTINGS, BATH))
    with pytest.raises(TableError, match=r"thermal rdf of li.*g_own_images is missing"):
        thermal(
            {
                "li": Tables(
                    lacking.summary,
                    lacking.blocks,
                    lacking.distributions,
                    lacking.rdf[["g"]].assign(distance_angstrom=1),
                )
            }
        )


def test_the_running_mean_is_settled_from_its_last_block_outside():
    # running means 400, 350, 320, 304, 301.2
    assert settling_blocks(np.array([400.0, 300.0, 260.0, 256.0, 290.0]), 300.0, 0.01) == 5
    # 400, 350, 320, 302, 301.6
    assert settling_blocks(np.array([400.0, 300.0, 260.0, 248.0, 300.0]), 300.0, 0.01) == 4
    assert settling_blocks(np.array([300.0, 310.0]), 300.0, 0.01) == np.inf


def test_the_interval_of_settling_holds_the_times_of_repeated_runs():
    """Independent blocks after a cold start: the bootstrap of one run gives the spread of the times of many."""
    rng = np.random.default_rng(3)

    def runs(count):
        warm = 300 + 30 * rng.normal(size=(count, 400))
        return np.concatenate([np.full((count, 4), 200.0), warm], axis=1)

    truth = settling_blocks(runs(4000), 300.0, 0.01)
    _, low, high = settling_interval(runs(1)[0], 4, 5, 300.0, 0.01, rng)
    assert low == pytest.approx(np.quantile(truth, 0.025), rel=0.3)
    inside = np.mean((truth >= low) & (truth <= high))
    assert 0.85 <= inside <= 1.0


def test_the_time_of_settling_of_a_run(crystal):
    rows = summary(Run(crystal, N_ATOMS, SETTINGS, BATH)).set_index("quantity")["value"]
    low, settled, high = (rows[f"temperature_settled_from{end}"] for end in ("_low", "", "_high"))
    assert 0 < low < high
    assert low <= settled
    short = summary(Run(crystal[:1500], N_ATOMS, SETTINGS, BATH)).set_index("quantity")
    assert "are needed" in short["reason"]["temperature_settled_from"]
