"""The study of the choice: sets of all methods, fits of all seeds, a paired comparison on held-out frames."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bpstudy.config.selection import (
    COMBINATIONS,
    CONTROLS,
    METHODS,
    REACH,
    CandidatePool,
    Selection,
    TrialNetworks,
)
from bpstudy.selection.comparison import compare_sets
from bpstudy.selection.fits import LINEAR, NETWORK, Remembered, fit_set
from bpstudy.selection.frames import with_free_energy
from bpstudy.selection.methods import METHODS as REGISTERED
from bpstudy.selection.methods import choose
from bpstudy.selection.pool import PoolSettings, make_pool, proposals
from bpstudy.selection.sets import choose_sets, pool_settings, read_sets
from bpstudy.selection.setting import prepare
from bpstudy.statistics.splits import folds_in_time
from bpstudy.symmetry import SymmetryFunctions, grid
from tests.unit.selection_data import crystals

COMPARISONS = SimpleNamespace(draws=200, confidence=0.95, seed=0, block_fs=1.0)
POOL = CandidatePool(
    cutoff_angstrom=4.2,
    fractions=(1.0,),
    types=("G1", "G2", "G5"),
    widths=(0.16,),
    angular_etas=(0.3,),
    zetas=(1.0, 4.0),
    largest_correlation=0.9999,
)
SELECTION = Selection(
    frames="spread",
    held_out="independent",
    tested=20,
    budgets=(2, 4),
    methods=("forward", "random"),
    main_method="forward",
    random_sets=4,
    seeds=(0, 1),
    combinations=("a-grid",),
    pool=POOL,
    network=TrialNetworks(hidden=(3, 3), max_iterations=3, patience=3, weight_decay=1e-3, components=6),
    threads=1,
)


@pytest.fixture(scope="module")
def sets():
    grids = {"a-grid": SymmetryFunctions(grid("G2", 4, 4.2, "fortnet"))}
    return choose_sets(crystals(20), SELECTION, grids, say=lambda text: None)


@pytest.fixture(scope="module")
def errors(sets):
    train, test = crystals(20), crystals(20, seed=7)
    return pd.concat(
        fit_set(name, of, train, test, sets.tolerances, SELECTION, say=lambda text: None)
        for name, of in sets.sets.items()
    )


@pytest.fixture(scope="module")
def compared(sets, errors):
    return compare_sets(sets, errors, np.nan, COMPARISONS)


def test_every_set_has_its_size_and_repeats(sets):
    assert set(sets.sets) == {*SELECTION.chosen, "a-grid"}
    assert {name for names in SELECTION.groups.values() for name in names} == set(sets.sets)
    for of in sets.sets.values():
        assert all(len(functions) == of.budget for functions in of.draws)
    assert len(set(sets.sets["random-4"].draws)) == 4
    again = choose_sets(crystals(20), SELECTION, {}, say=lambda text: None)
    assert {name: of.draws for name, of in again.sets.items()} == {
        name: of.draws for name, of in sets.sets.items() if name != "a-grid"
    }


def test_sets_are_read_back(sets):
    read = read_sets(sets.to_json(), sets.pool)
    assert read.tolerances == sets.tolerances
    for name, of in sets.sets.items():
        assert read.sets[name].draws == of.draws
        assert (read.sets[name].method, read.sets[name].cost_us) == (of.method, of.cost_us)


def test_halves_are_chosen_on_their_own_frames(sets):
    """A half's set is what the method chooses of those frames with the pool and the tolerances of all."""
    frames = crystals(20)
    pool = make_pool(frames, pool_settings(POOL))
    for part, own in (("first-half", frames[:10]), ("second-half", frames[10:])):
        problem = prepare(own, folds_in_time(10), pool, sets.tolerances).problem
        assert sets.sets[f"forward-4-{part}"].draws == (choose("forward", problem, 4),)


def test_fits_are_paired(errors):
    networks = errors[errors["model"] == NETWORK]
    assert set(networks["seed"]) == {0, 1}
    assert networks.groupby("set")["frame"].nunique().eq(20).all()
    assert networks[networks["set"] == "random-4"].groupby("seed")["draw"].nunique().eq(2).all()
    assert errors[errors["model"] == LINEAR]["seed"].eq(-1).all()
    assert np.isfinite(errors["force_rmse_ev_per_angstrom"]).all()


def test_what_is_remembered_is_what_is_computed():
    functions, frame = (
        SymmetryFunctions([*grid("G2", 3, 4.2, "fortnet"), *grid("G5", 4, 4.2, "fortnet")]),
        crystals(2)[1],
    )
    kept = Remembered(functions)
    for _ in range(2):
        np.testing.assert_array_equal(kept.compute(frame), functions.compute(frame))
        mask = np.arange(len(frame)) % 2 == 0
        for centres in (None, mask):
            expected = functions.summed_gradients(frame, centres=centres)
            np.testing.assert_allclose(kept.summed_gradients(frame, centres=centres), expected, atol=1e-12)
        weights = np.random.default_rng(0).normal(size=(len(frame), len(functions)))
        expected = functions.contract(frame, weights)[0]
        np.testing.assert_allclose(kept.contract(frame, weights)[0], expected, atol=1e-12)


def test_the_comparison(sets, errors, compared):
    table = compared.table.set_index(["name", "model"])
    assert set(table["kind"]) == {"method", "control", "combination"}
    assert not any("half" in name for name, _ in table.index)
    rows = errors[(errors["set"] == "forward-4") & (errors["model"] == NETWORK)]
    expected = np.mean([(of["energy_error_ev_per_atom"] ** 2).mean() ** 0.5 for _, of in rows.groupby("seed")])
    assert table.loc[("forward-4", NETWORK), "energy_rmse_mev_per_atom"] == pytest.approx(1000 * expected)
    pair = compared.differences.query("first == 'forward-4' and second == 'a-grid' and quantity == 'energy'").iloc[0]
    assert pair["first_rmse"] == pytest.approx(1000 * expected)
    assert pair["low"] <= pair["difference"] <= pair["high"]
    assert pair["difference"] == pytest.approx(pair["first_rmse"] - pair["second_rmse"])
    assert set(compared.halves["budget"]) == {2, 4}
    assert compared.halves["jaccard"].between(0, 1).all()
    assert json.loads(compared.recommended)["by_budget"].keys() == {"2", "4"}
    assert compared.pool["chosen_by"].sum() == 6
    assert compared.blocks >= 5


def test_random_sets_count_by_their_root_mean_square(sets, errors, compared):
    rows = errors[(errors["set"] == "random-4") & (errors["model"] == NETWORK)]
    by_seed = [(of["energy_error_ev_per_atom"] ** 2).mean() ** 0.5 for _, of in rows.groupby("seed")]
    row = compared.table.query("name == 'random-4' and model == 'network'").iloc[0]
    assert row["energy_rmse_mev_per_atom"] == pytest.approx(1000 * np.mean(by_seed))


def test_without_forces_energies_decide(sets, errors):
    bare = compare_sets(sets, errors.assign(force_rmse_ev_per_angstrom=np.nan), np.nan, COMPARISONS)
    assert set(bare.differences["quantity"]) == {"energy", "score"}
    assert "force_rmse_ev_per_angstrom" not in bare.table


def test_data_without_forces_are_chosen_by_energies():
    said = []
    one = SELECTION.model_copy(update={"methods": ("forward",), "budgets": (2,), "combinations": ()})
    choose_sets(crystals(20, forces=False), one, {}, say=said.append)
    assert any("no forces" in text for text in said)


def test_a_budget_above_what_is_left_of_the_pool_is_an_error():
    large = SELECTION.model_copy(update={"budgets": (90,), "combinations": ()})
    with pytest.raises(ValueError, match=r"selection.budgets: 90 functions; \d+ candidates are left"):
        choose_sets(crystals(20), large, {}, say=lambda text: None)


def test_a_set_without_fits_is_named(sets, errors):
    with pytest.raises(ValueError, match="no network errors of the set forward-2"):
        compare_sets(sets, errors[errors["set"] != "forward-2"], np.nan, COMPARISONS)


def test_the_energy_is_the_one_that_forces_belong_to():
    frame = crystals(1)[0]
    assert with_free_energy(frame).get_potential_energy() == frame.get_potential_energy()
    frame.calc.results["free_energy"] = 1.25
    assert with_free_energy(frame).get_potential_energy() == 1.25
    assert with_free_energy(frame).calc is not frame.calc


def test_the_configuration_knows_the_methods_and_the_default_reach():
    assert set(METHODS) == set(REGISTERED)
    assert set(CONTROLS) < set(METHODS)
    assert PoolSettings().reach == REACH
    assert COMBINATIONS not in METHODS


@pytest.mark.parametrize("elements", [["Li"], ["Li", "Cu", "Al"]])
@pytest.mark.parametrize("cutoff", [None, 8.0, 5.0])
def test_the_bound_on_the_pool_holds_and_is_close(elements, cutoff):
    pool = POOL.model_copy(
        update={"cutoff_angstrom": cutoff, "fractions": (0.6, 1.0), "types": ("G1", "G2", "G3", "G4", "G5")}
    )
    count = len(proposals(elements, 2.8, pool_settings(pool)))
    assert count <= pool.most(len(elements), 2.8) <= 1.1 * count
    radial = replace(pool_settings(pool), types=("G1", "G3"))
    assert len(proposals(elements, 2.8, radial)) <= pool.model_copy(update={"types": ("G1", "G3")}).most(
        len(elements), 2.8
    )
