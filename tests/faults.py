"""The table of faults tried: each test marked `fault` is a row, docs/faults.md is made of what its last run gave."""

import json
from pathlib import Path

HEAD = """# Faults tried

What goes wrong on real machines, done on purpose by the tests, and what the study made of it. `make test-faults` (one
machine) and `make test-slurm` (a SLURM of one node) write this file from the outcome of each test; do not edit it.

| where | fault | what must happen | tried | survived | last run |
|---|---|---|---|---|---|
"""


def table(rows: dict) -> str:
    """The rows, by name of their test, as Markdown."""
    lines = [
        f"| {row['where']} | {row['fault']} | {row['expected']} | {row['tried']} | "
        f"{'yes' if row['survived'] else '**no**'} | {row['date']} |"
        for _, row in sorted(rows.items(), key=lambda item: (item[1]["where"], item[0]))
    ]
    return HEAD + "\n".join(lines) + "\n"


def keep(file: Path, rows: dict) -> None:
    """Put rows into the JSON file, in the place of older ones of the same tests, and write the table beside it."""
    known = json.loads(file.read_text()) if file.exists() else {}
    known |= rows
    file.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    file.with_suffix(".md").write_text(table(known))
