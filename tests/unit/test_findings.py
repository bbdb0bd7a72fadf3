"""The findings in README.md follow the tables: what they say changes with the verdicts and numbers."""

import json

import pandas as pd
import pytest

from tools.findings import findings, ordinal
from tools.tables import between

NAMES = ["types-a", "types-b", "types-c"]


@pytest.fixture
def results(tmp_path):
    def make(verdict="not reproduced", ranks=(3, 1, 2)):
        for folder in ("evaluation", "paper"):
            (tmp_path / folder).mkdir(exist_ok=True)
        claims = [
            {"id": name, "verdict": verdict, "value": 0.25, "ours": "better than 2 of 3"} for name in ("C7", "C8")
        ]
        claims += [{**claims[0], "id": name} for name in ("F1", "F2", "S1")]
        claims.append({"id": "F6", "paper": "within 10% of the DFT", "value": 0.5, "ours": "6 of 12; not B"})
        (tmp_path / "claims.json").write_text(json.dumps(claims))
        study = {
            "reported": {"best": "types-a", "worst": "types-c"},
            "comparisons": {"decided_on": "independent", "combinations": "types"},
        }
        (tmp_path / "paper/config.json").write_text(json.dumps(study))
        of_types = [("types", name, rank, float(rank)) for name, rank in zip(NAMES, ranks, strict=True)]
        spread = [
            ("consecutive-or-strided", "strided-372", 1, 0.5),
            ("consecutive-or-strided", "consecutive-372", 2, 2),
        ]
        table = pd.DataFrame(of_types + spread, columns=["group", "experiment", "rank", "rmse_mev_per_atom"])
        table.assign(set="independent").to_csv(tmp_path / "evaluation/ranking.csv", index=False)
        errors = [(name, "train", float(rank)) for name, rank in zip(NAMES, (3, 1, 2), strict=True)]
        frame = pd.DataFrame(errors, columns=["experiment", "set", "rmse_mev_per_atom"])
        frame.to_csv(tmp_path / "evaluation/metrics.csv", index=False)
        return tmp_path

    return make


def test_the_findings_are_those_of_the_tables(results):
    ranked, training, spread, forces, chosen, properties = findings(results())
    assert "does not hold" in ranked
    assert "best is 3rd of 3" in ranked
    assert "worst is 2nd" in ranked
    assert "correlation is 1.00" in training
    assert "0.50 meV/atom" in spread
    assert "2.00" in spread
    assert "fall to 25% (energies)" in forces
    assert "do not beat" in chosen
    assert "Better than 2 of 3 (S1)" in chosen
    assert "within 10% of the DFT: 6 of 12; not B (F6)" in properties


def test_they_turn_with_the_verdicts(results):
    ranked, training, *_, chosen, _ = findings(results("reproduced", (1, 3, 2)))
    assert "function types holds" in ranked
    assert "correlation is −1.00" in training
    assert "beat hand-made sets" in chosen


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
)
def test_ordinals(number, text):
    assert ordinal(number) == text


def test_only_what_stands_between_the_marks_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- found -->\nold\n<!-- /found -->\nafter\n")
    between(page, "found", ["new", "newer"])
    assert page.read_text() == "before\n<!-- found -->\nnew\nnewer\n<!-- /found -->\nafter\n"
