"""The tables of faults tried: each test marked `fault` is a row, docs/faults.md shows what its last run gave."""

import json
from pathlib import Path

HEAD = """# Faults tried

What goes wrong on real machines and in users' hands, provoked by the tests, and what happens then.
`make test-faults` (one machine), `make test-slurm` (a SLURM of one node) and `make test-inputs` (inputs) write this
file from the outcome of each test; do not edit it.

## Machines

| where | fault | what must happen | tried | survived | last run |
|---|---|---|---|---|---|
"""
INPUTS = "input"
INPUTS_HEAD = """
## Inputs

Mistakes in files, structures, configurations and options, and input that is easily misread. Each leads to the correct
result or to an error before the first job that names the file, the frame or the key.

| input | what must happen | what happens now | held | last run |
|---|---|---|---|---|
"""


def table(rows: dict) -> str:
    """The rows, by name of their test, as Markdown."""
    ordered = sorted(rows.items(), key=lambda item: (item[1]["where"], item[0]))
    machines = [
        f"| {row['where']} | {row['fault']} | {row['expected']} | {row['tried']} | {_yes(row)} | {row['date']} |"
        for _, row in ordered
        if row["where"] != INPUTS
    ]
    inputs = [
        f"| {row['fault']} | {row['expected']} | {cell(row.get('now', ''))} | {_yes(row)} | {row['date']} |"
        for _, row in ordered
        if row["where"] == INPUTS
    ]
    return HEAD + "\n".join(machines) + "\n" + (INPUTS_HEAD + "\n".join(inputs) + "\n" if inputs else "")


def _yes(row: dict) -> str:
    return "yes" if row["survived"] else "**no**"


def cell(text: str, longest: int = 240) -> str:
    """Text of a message in a cell of a table: one line, as code."""
    line = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    return f"`{line}`" if line else ""


def key_of(nodeid: str, where: str, fault: str) -> str:
    """Of a row: the test, whose parameters share a row; of inputs, the input as well."""
    test = nodeid.split("[")[0]
    return f"{test}: {fault}" if where == INPUTS else test


def keep(file: Path, rows: dict) -> None:
    """Put rows into the JSON file, in the place of older ones of the same tests, and write the table beside it."""
    known = json.loads(file.read_text()) if file.exists() else {}
    known |= rows
    file.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    file.with_suffix(".md").write_text(table(known))
