"""docs/faults.md is what the last runs of the fault tests gave, and nothing else."""

import json
from pathlib import Path

from tests import faults

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_is_made_of_the_last_runs():
    rows = json.loads((DOCS / "faults.json").read_text())
    assert (DOCS / "faults.md").read_text() == faults.table(rows)
    assert all(row["survived"] for row in rows.values())


def test_rows_are_kept_by_test(tmp_path):
    row = {"where": "SLURM", "fault": "f", "expected": "e", "tried": 1, "survived": True, "date": "2026-01-01"}
    faults.keep(tmp_path / "faults.json", {"a": row})
    faults.keep(tmp_path / "faults.json", {"b": row, "a": row | {"survived": False}})
    table = (tmp_path / "faults.md").read_text()
    assert table.count("| SLURM |") == 2
    assert "| **no** |" in table
