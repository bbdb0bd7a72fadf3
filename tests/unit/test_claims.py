"""Each claim of the paper is decided by its rule, whichever way the results fall."""

import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from bpstudy.claims import (
    CLAIMS,
    NO,
    NO_FORCES,
    NO_THERMAL,
    PARTLY,
    UNDECIDABLE,
    YES,
    Choice,
    Evidence,
    below,
    ledger,
    median_interval,
)
from bpstudy.config.analysis import FITS, Reported, WithForces
from bpstudy.config.lists import expanded
from bpstudy.config.selection import HALVES, Selection

STUDY = expanded(yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text()))
REPORTED = Reported.model_validate(STUDY["reported"])
FORCES = WithForces.model_validate(STUDY["with_forces"])
SELECTION = Selection.model_validate(STUDY["selection"])
SEEDS = range(10)
TYPES = STUDY["comparisons"]["groups"]["types"]
NUMBERS = np.random.default_rng(0)


def metrics(**changes):
    """Figures of the networks as the paper would have them; `changes` are {experiment: {column: values}}."""
    paper = {
        "strided": {"r2": 0.2, "hidden": "2-2", "trained_on": "372"},
        "dense": {"mse_ev2": 5e-6, "operations": 10.0, "iterations": 10, "r2": 0.999},
        "few-neurons": {"mse_ev2": 1.4e-5, "operations": 9.5, "hidden": "13-13"},
        "few-functions": {"iterations": 40, "functions": "6G2+6G5"},
        "cutoff-timing-8": {"operations": 6.0, "hidden": "12-12", "cutoff_angstrom": 8.0},
        "cutoff-timing-20": {"operations": 10.0, "hidden": "12-12", "mse_ev2": 1e-5},
        "short-cutoff": {"cutoff_angstrom": 8.0},
    }
    same = {
        "functions": "25G2+25G5",
        "cutoff_angstrom": 20.0,
        "hidden": "27-27",
        "trained_on": "2000",
        "optimizer": "lm",
        "set": "train",
        "seed": list(SEEDS),
        "mse_ev2": 5e-6,
        "r2": 0.999,
        "operations": 10.0,
        "iterations": 10,
    }
    tables = []
    for name, figures in paper.items():
        table = pd.DataFrame(same | figures | changes.get(name.replace("-", "_"), {})).assign(experiment=name)
        tables.append(table.assign(operations=table["operations"] * (1 + 0.01 * NUMBERS.random(len(table)))))
    return pd.concat(tables, ignore_index=True)


def smoothness(short=2.0, few=0.5):
    levels = {"dense": 1.0, "short-cutoff": short, "few-functions": few}
    return pd.concat(
        [
            pd.DataFrame({"seed": SEEDS, "rms_above_mev_per_atom": level * (1 + 0.01 * NUMBERS.random(10))}).assign(
                experiment=name, set="train"
            )
            for name, level in levels.items()
        ]
    )


def ranking(best=REPORTED.best, worst=REPORTED.worst, sure=0.99):
    order = [best, *(name for name in TYPES if name not in (best, worst)), worst]
    table = pd.DataFrame({"experiment": order, "rank": range(1, 10), "rmse_mev_per_atom": np.linspace(1, 2, 9)})
    table = table.assign(group="types", set="independent", low=0.9, high=2.1)
    rest = (1 - sure) / 8
    return table.assign(
        probability_best=[sure] + [rest] * 8,
        probability_worst=[rest] * 8 + [sure],
    )


def unit_scatter(tells="G3"):
    names = ["+".join(c) for n in range(1, 6) for c in combinations(["G1", "G2", "G3", "G4", "G5"], n)]
    return pd.DataFrame({"sum": names, "scatter": [0.2 if tells in name else 0.9 for name in names]})


def hierarchy(order=REPORTED.magnitudes, elsewhere=REPORTED.magnitudes):
    rows = [
        ("angstrom", cutoff, kind, rank)
        for cutoff, kinds in ((6.0, order), (8.0, elsewhere))
        for rank, kind in enumerate(kinds, start=1)
    ]
    return pd.DataFrame(rows, columns=["length_unit", "cutoff_angstrom", "function", "rank"])


def sums(tells=False):
    energy = NUMBERS.normal(size=200)
    loose = pd.DataFrame({"energy_ev": energy, "sum": energy if tells else NUMBERS.normal(size=200)})
    return {"strided": loose, "dense": loose}


def with_forces(energies=0.5, forces=0.1, network=0.05, order=1, ridge=0.8, seeds=SEEDS):
    """`energies`, `forces`: errors relative to those without; `network` of the best, meV/atom and 80 meV/Å; `ridge`:
    relative to it; `order` -1: the other way round without forces."""
    rows = []
    for place, pair in enumerate(FORCES.types):
        for seed in seeds:
            level = network * (1 + place)
            before = level if order > 0 else network * (9 - place)
            for fit, energy, force in (
                (FITS[0], before / energies, 80 * before / forces),
                (FITS[1], level, 80 * level),
            ):
                noisy = 1 + 0.01 * NUMBERS.random()
                rows.append(("types", pair, fit, seed, energy * noisy, force * noisy, energy / ridge, force / ridge))
    names = ["rmse_mev_per_atom", "force_rmse_mev_per_angstrom"]
    ridges = ["ridge_rmse_mev_per_atom", "force_ridge_rmse_mev_per_angstrom"]
    return pd.DataFrame(rows, columns=["section", "pair", "fit", "seed", *names, *ridges])


def thermal(settled=20e3, low=15e3, high=30e3, reason=None):
    ends = {"": settled, "_low": low, "_high": high}
    rows = [(f"temperature_settled_from{end}", value, reason) for end, value in ends.items()]
    return pd.DataFrame(rows, columns=["quantity", "value", "reason"])


def choice(largest=0.5, smallest=0.8, spread=0.05, jaccard=0.6, half=1.0, forces=True):
    """`largest`, `smallest`: errors of the main method's sets, of which the combinations have 1 to 1.8 and others more;
    `half`: of sets chosen on halves, relative to these; `spread`: half of the width of all intervals."""
    main, budgets = SELECTION.main_method, sorted(SELECTION.budgets)
    errors = {name: 2 + 0.1 * n for n, name in enumerate(SELECTION.chosen)}
    errors |= {name: 1 + 0.1 * n for n, name in enumerate(SELECTION.combinations)}
    halves = []
    for budget, error in zip(budgets, (smallest, largest), strict=True):
        names = [f"{main}-{budget}", *(f"{main}-{budget}-{part}" for part in HALVES)]
        errors |= dict(zip(names, (error, half * error, half * error), strict=True))
        halves.append((main, budget, *names, 6, jaccard))
    rows = [
        (
            a,
            b,
            quantity,
            errors[a],
            errors[b],
            errors[a] - errors[b],
            errors[a] - errors[b] - spread,
            errors[a] - errors[b] + spread,
        )
        for a, b in combinations(errors, 2)
        for quantity in ("energy", "forces", "score")
        if forces or quantity != "forces"
    ]
    table = pd.DataFrame({"name": list(errors), "model": "network", "energy_rmse_mev_per_atom": list(errors.values())})
    if forces:
        table["force_rmse_ev_per_angstrom"] = table["energy_rmse_mev_per_atom"] / 1000
    return Choice(
        SELECTION,
        table,
        pd.DataFrame(
            rows, columns=["first", "second", "quantity", "first_rmse", "second_rmse", "difference", "low", "high"]
        ),
        pd.DataFrame(halves, columns=["method", "budget", "whole", "first_half", "second_half", "common", "jaccard"]),
    )


def properties(*deviations):
    rows = [(f"C{n}", deviation, 0.1) for n, deviation in enumerate(deviations)]
    return pd.DataFrame(rows, columns=["property", "deviation", "goal"])


def evidence(**changes):
    tables = {
        "properties": properties(0.01, -0.1),
        "thermal": thermal(),
        "metrics": metrics(),
        "with_forces": with_forces(),
        "smoothness": smoothness(),
        "ranking": ranking(),
        "hierarchy": hierarchy(),
        "unit_scatter": unit_scatter(),
        "sums": sums(),
        "choice": choice(),
    }
    return Evidence(
        REPORTED, FORCES, **(tables | changes), cutoff_angstrom=6.0, bins=10, combinations=("types", "independent")
    )


def verdict(name, **changes):
    row = next(row for row in ledger(evidence(**changes)) if row["id"] == name)
    return row["verdict"]


def test_results_like_the_papers_reproduce_all_of_it():
    rows = ledger(evidence())
    assert [row["id"] for row in rows] == [
        *(f"C{n}" for n in range(13)),
        *(f"F{n}" for n in range(1, 7)),
        *(f"S{n}" for n in range(1, 5)),
    ]
    assert [row["id"] for row in rows] == list(CLAIMS)
    assert {row["id"]: row["verdict"] for row in rows} == {row["id"]: YES for row in rows}
    assert all(row["claim"] and row["ours"] and row["rule"] for row in rows)
    assert all(row["paper"] for row in rows if row["id"].startswith("C"))


SWAPPED = ("G3", "G1", "G2", "G5", "G4")
OTHER = "types-12G2-12G5"
LATE = {"few_neurons": {"mse_ev2": 5e-6}}


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("C0", {"thermal": thermal(high=40e3)}, PARTLY),
        ("C0", {"thermal": thermal(settled=38e3, high=math.inf)}, UNDECIDABLE),
        ("C0", {"thermal": thermal(settled=50e3, low=36e3, high=math.inf)}, NO),
        ("C0", {"thermal": thermal(*[math.nan] * 3, reason="too short")}, UNDECIDABLE),
        ("C0", {"thermal": NO_THERMAL}, UNDECIDABLE),
        ("F1", {"with_forces": with_forces(energies=1.2)}, NO),
        ("F1", {"with_forces": with_forces(seeds=[0, 1])}, UNDECIDABLE),
        ("F2", {"with_forces": with_forces(forces=1.5)}, NO),
        ("F3", {"with_forces": with_forces(network=0.08)}, PARTLY),
        ("F3", {"with_forces": with_forces(network=0.2)}, NO),
        ("F4", {"with_forces": with_forces(ridge=1.3)}, NO),
        ("F5", {"with_forces": with_forces(order=-1)}, NO),
        ("F5", {"with_forces": with_forces(seeds=[0, 1])}, UNDECIDABLE),
        ("F6", {"properties": properties(0.01, -0.2)}, PARTLY),
        ("F6", {"properties": properties(0.3, -0.2)}, NO),
        ("F6", {"properties": None}, UNDECIDABLE),
        ("S1", {"choice": choice(largest=1.25)}, PARTLY),
        ("S1", {"choice": choice(largest=3.0)}, NO),
        ("S1", {"choice": choice(forces=False)}, YES),
        ("S2", {"choice": choice(smallest=0.98)}, YES),  # the interval ends at 0.03 of the best's error
        ("S2", {"choice": choice(smallest=1.02)}, PARTLY),
        ("S2", {"choice": choice(smallest=1.08)}, UNDECIDABLE),
        ("S2", {"choice": choice(smallest=1.2)}, NO),
        ("S3", {"choice": choice(spread=9.0)}, PARTLY),
        ("S3", {"choice": choice(smallest=9.0)}, PARTLY),
        ("S3", {"choice": choice(smallest=9.0, spread=9.0)}, NO),
        ("S4", {"choice": choice(jaccard=0.3)}, PARTLY),
        ("S4", {"choice": choice(half=1.5)}, PARTLY),
        ("S4", {"choice": choice(half=1.5, jaccard=0.3)}, NO),
        ("C1", {"hierarchy": hierarchy(elsewhere=SWAPPED)}, PARTLY),
        ("C1", {"hierarchy": hierarchy(order=SWAPPED)}, NO),
        ("C2", {"unit_scatter": unit_scatter("G2")}, NO),
        ("C3", {"metrics": metrics(strided={"r2": 0.99})}, PARTLY),
        ("C3", {"metrics": metrics(strided={"r2": 0.99 + 0.001 * np.arange(10)}), "sums": sums(tells=True)}, NO),
        ("C4", {"metrics": metrics(dense={"mse_ev2": [5e-6] * 9 + [7e-6]})}, PARTLY),
        ("C4", {"metrics": metrics(dense={"mse_ev2": 7e-6})}, NO),
        ("C5", {"metrics": metrics(cutoff_timing_8={"operations": 11.0})}, NO),
        ("C5", {"metrics": metrics(cutoff_timing_8={"operations": [6.0] * 6 + [20.0] * 4})}, PARTLY),
        ("C6", {"smoothness": smoothness(short=0.5)}, NO),
        ("C7", {"ranking": ranking(worst=OTHER)}, NO),
        ("C7", {"ranking": ranking(sure=0.5)}, PARTLY),
        ("C7", {"ranking": ranking(worst=OTHER, sure=0.4)}, UNDECIDABLE),
        ("C8", {"ranking": ranking(best=OTHER)}, NO),
        ("C8", {"ranking": ranking(sure=0.5)}, PARTLY),
        ("C9", {"smoothness": smoothness(few=2.0)}, PARTLY),
        (
            "C9",
            {"smoothness": smoothness(few=2.0), "metrics": metrics(few_functions={"iterations": [5] * 9 + [6]})},
            NO,
        ),
        ("C10", {"metrics": metrics(few_neurons={"mse_ev2": 5e-6, "operations": 2.0})}, NO),
        ("C10", {"metrics": metrics(few_neurons={"mse_ev2": 5e-6})}, PARTLY),
        ("C11", {"metrics": metrics(**LATE)}, NO),
        ("C11", {"metrics": metrics(dense={"mse_ev2": 7e-6})}, UNDECIDABLE),
        ("C12", {"sums": sums(tells=True)}, PARTLY),
        ("C12", {"sums": sums(tells=True), "metrics": metrics(dense={"r2": 0.5})}, NO),
    ],
)
def test_other_results_fall_otherwise(name, changes, expected):
    assert verdict(name, **changes) == expected


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("C4", {"metrics": metrics().query("experiment != 'dense'")}),
        ("C6", {"smoothness": smoothness().query("experiment != 'dense'")}),
        ("C8", {"ranking": ranking().query("experiment != @REPORTED.best")}),
        ("C12", {"sums": {}}),
        *((f"F{n}", {"with_forces": NO_FORCES}) for n in range(1, 6)),
        *((f"S{n}", {"choice": None}) for n in range(1, 5)),
        ("C3", {"sums": {"strided": sums()["strided"].head(15)}}),
    ],
)
def test_without_evidence_a_claim_is_undecidable_and_says_why(name, missing):
    row = next(row for row in ledger(evidence(**missing)) if row["id"] == name)
    assert row["verdict"] == UNDECIDABLE
    assert row["value"] is None
    assert len(row["ours"]) > 10


def test_two_seeds_decide_nothing_about_a_median():
    assert median_interval(np.array([1.0, 2.0])) == (1.5, None)
    assert below(1.5, None, 2.0) == UNDECIDABLE


def test_the_interval_of_the_median_covers_it():
    rng = np.random.default_rng(1)
    covered = [low <= 0 <= high for low, high in (median_interval(rng.normal(size=10))[1] for _ in range(200))]
    assert 0.88 < np.mean(covered) <= 1

    middle, (low, high) = median_interval(np.arange(11.0))
    assert middle == 5
    assert 0 < low < 5 < high < 10


def test_a_claim_without_its_reported_figure_is_an_error_of_the_configuration():
    with pytest.raises(KeyError):
        ledger(replace(evidence(), reported=REPORTED.model_copy(update={"seconds": {}})))
