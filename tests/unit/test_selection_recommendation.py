"""The recommendation: from errors of known size; files read back by the project's own importers; costs; judgement."""

import json

import numpy as np
import pytest
from ase.units import Bohr

from bpstudy.selection.cost import function_costs_us, measure_us, model_us, surroundings
from bpstudy.selection.judge import judge
from bpstudy.selection.pool import make_pool
from bpstudy.selection.recommendation import Candidate, recommend, to_json
from bpstudy.selection.writers import dscribe_parameters, n2p2_lines
from bpstudy.symmetry import G1, G2, G3, G4, G5, SymmetryFunctions, from_dscribe, from_n2p2
from tests.unit.selection_data import SMALL, crystals

SET = SymmetryFunctions(
    [
        G1(5.0, "Cu"),
        G2(0.7, 2.5, 6.0, "Cu"),
        G4(0.02, 4.0, -1, 6.0, species=("Cu", "Cu")),
        G5(0.1, 1.0, 1, 5.0, species=("Cu", "Cu")),
    ]
)


def candidate(scale, cost, budget=8, method="m", seeds=3, frames=40, noise=0.05):
    """Errors that are `scale` times those common to all, but for some noise."""
    common = np.random.default_rng(0).normal(size=(seeds, frames))
    own = np.random.default_rng(int(cost * 100)).normal(size=(seeds, frames))
    errors = scale * (common + noise * own)
    return Candidate(method, budget, "network", SET, cost, 1e-3 * errors, 0.1 * np.abs(errors))


def test_the_cheapest_not_significantly_worse_is_taken():
    sets = [candidate(1.0, 50.0), candidate(1.002, 20.0), candidate(1.5, 5.0), candidate(1.4, 10.0, budget=16)]
    ranking = recommend(sets, np.random.default_rng(0))
    assert ranking.overall == 1
    assert ranking.by_budget == {8: 1, 16: 3}
    assert ranking.table["significantly_worse"].tolist() == [False, False, True, False]
    assert ranking.table["pareto"].tolist() == [True, True, True, True]
    assert ranking.table["recommended"].tolist() == [False, True, False, True]
    assert (ranking.table["score_low"] <= ranking.table["score"]).all()


def test_a_dearer_and_worse_set_is_not_on_the_front():
    ranking = recommend([candidate(1.0, 10.0), candidate(1.2, 30.0)], np.random.default_rng(0))
    assert ranking.table["pareto"].tolist() == [True, False]


def test_sets_are_compared_with_random_ones_in_pairs():
    # the same frames are hard for both: each interval is wider than the difference, which is sure
    ranking = recommend([candidate(1.0, 10.0), candidate(1.2, 10.0, method="random")], np.random.default_rng(0))
    own, other = ranking.table.iloc[0], ranking.table.iloc[1]
    assert own["score_high"] > other["score_low"]
    assert own["behind_random_high"] < 0
    assert own["behind_random"] == pytest.approx(own["score"] - other["score"])
    alone = recommend([candidate(1.0, 10.0), candidate(1.2, 10.0)], np.random.default_rng(0))
    assert alone.table["behind_random"].isna().all()


def test_repeats_and_takes_fits_without_seeds():
    linear = candidate(2.0, 3.0, seeds=1)
    sets = [candidate(1.0, 10.0), linear]
    one, two = (recommend(sets, np.random.default_rng(5)).table for _ in range(2))
    assert one.equals(two)
    assert one["significantly_worse"].tolist() == [False, True]


def test_what_cannot_be_compared_is_an_error():
    with pytest.raises(ValueError, match="no sets"):
        recommend([], np.random.default_rng(0))
    with pytest.raises(ValueError, match="same frames"):
        recommend([candidate(1, 1.0), candidate(1, 2.0, frames=30)], np.random.default_rng(0))
    bare = Candidate("m", 8, "network", SET, 1.0, np.ones((3, 40)))
    with pytest.raises(ValueError, match="forces"):
        recommend([candidate(1, 1.0), bare], np.random.default_rng(0))


def test_json_holds_the_set_and_what_others_lack():
    with_g3 = Candidate(
        "x", 16, "linear", SymmetryFunctions([G3(1.0, 5.0, "Cu")]), 1.0, np.ones((1, 9)), np.ones((1, 9))
    )
    sets = [candidate(1.0, 10.0, frames=9), with_g3]
    data = json.loads(to_json(sets, recommend(sets, np.random.default_rng(0)), ["Cu"]))
    assert SymmetryFunctions.from_json(json.dumps(data["by_budget"]["8"]["symmetry_functions"])) == SET
    assert data["by_budget"]["16"]["n2p2"] is None
    assert "no G3" in data["by_budget"]["16"]["n2p2_missing"]


@pytest.mark.parametrize(("unit", "length"), [("angstrom", 1.0), ("bohr", Bohr)])
def test_n2p2_lines_are_read_back(unit, length):
    frame = crystals(2)[1]
    read = from_n2p2(n2p2_lines(SET.functions, ["Cu"], unit), length)["Cu"]
    np.testing.assert_allclose(read.compute(frame), SET.compute(frame), rtol=1e-9)


def test_n2p2_lines_of_two_elements():
    functions = make_pool(crystals(alloy=True), SMALL).functions
    kept = [f for f in functions.functions if not isinstance(f, G3)]
    read = from_n2p2(n2p2_lines(kept, ["Cu", "Al"]), 1.0)
    assert set(read) == {"Al", "Cu"}
    frame = crystals(2, alloy=True)[1]
    np.testing.assert_allclose(read["Al"].compute(frame), SymmetryFunctions(kept).compute(frame), rtol=1e-9, atol=1e-12)


def test_dscribe_parameters_are_read_back():
    for alloy in (False, True):
        functions = make_pool(crystals(alloy=alloy), SMALL).functions
        frame = crystals(2, alloy=alloy)[1]
        values = functions.compute(frame)
        seen = np.zeros(len(functions), bool)
        for part in dscribe_parameters(functions, sorted(set(frame.get_chemical_symbols()))):
            columns, rows = part.pop("columns"), part.pop("functions")
            np.testing.assert_allclose(from_dscribe(**part).compute(frame)[:, columns], values[:, rows], rtol=1e-9)
            seen[rows] = True
        assert seen.all()


def test_functions_that_others_do_not_have():
    with pytest.raises(ValueError, match="no G3"):
        n2p2_lines([G3(1.0, 5.0, "Cu")], ["Cu"])
    with pytest.raises(ValueError, match="j < k"):
        n2p2_lines([G5(0.1, 1.0, 1, 5.0, "ordered")], ["Cu"])
    with pytest.raises(ValueError, match="counts all elements"):
        n2p2_lines([G1(5.0)], ["Cu", "Al"])
    with pytest.raises(ValueError, match="unit"):
        n2p2_lines(SET.functions, ["Cu"], "nm")
    with pytest.raises(ValueError, match="unordered"):
        dscribe_parameters(SymmetryFunctions([G5(0.1, 1.0, 1, 5.0, "fortnet")]), ["Cu"])


def test_model_of_the_cost():
    frames = crystals(4)
    pool = make_pool(frames, SMALL).functions
    around = surroundings(frames, pool.cutoff)
    one, all_of_them = model_us(pool.functions[:1], around), model_us(pool.functions, around)
    assert 0 < one < all_of_them
    assert model_us(pool.functions[::-1], around) == pytest.approx(all_of_them)
    assert (function_costs_us(pool, around) > 0).all()
    near = pool.neighbors(frames[0])
    assert surroundings(frames[:1], pool.cutoff).neighbours(pool.cutoff) == pytest.approx(
        len(near.atom) / len(frames[0])
    )


def test_measured_cost_grows_with_the_set():
    frames = crystals(2)
    pool = make_pool(frames, SMALL).functions
    few, many = measure_us([SymmetryFunctions(pool.functions[:1]), pool], frames, repeats=3, seconds=0.01)
    assert 0 < few < many


def test_a_strangers_set_is_judged():
    good = [G2(1.0, 2.5, 5.0, "Cu"), G5(0.05, 1.0, -1, 5.0, species=("Cu", "Cu"))]
    dead, double = G2(50.0, 0.5, 5.0, "Cu"), G2(1.0 + 1e-6, 2.5, 5.0, "Cu")
    functions = SymmetryFunctions([*good, dead, double])
    verdict = judge(functions, crystals(12))
    assert verdict.table["dead"].tolist() == [False, False, True, False]
    assert verdict.table["double_of"].tolist() == ["", "", "", functions.labels[0]]
    assert verdict.kept == SymmetryFunctions(good)
    assert verdict.table["drop"].tolist() == [False, False, True, True]
    assert (verdict.table["loss_without"].dropna() > 1e-3).all()
    assert any("1 dead" in line for line in verdict.lines())


def test_a_set_without_data_is_priced():
    verdict = judge(SET)
    assert verdict.rank is None
    assert verdict.cost_us > 0
    assert "no data" in verdict.lines()[-1]
