"""`make docs`: bring what `make run` found into README.md and docs/: pictures, the ledger, the fits with forces."""

import json
import shutil
import sys
from pathlib import Path

import pandas as pd

from tools import far, mlearn
from tools.findings import findings
from tools.potential import dynamics_table, sets_table
from tools.tables import between, renew

ROOT = Path(__file__).parents[1]
RESULTS, DOCS = ROOT / "results", ROOT / "docs"
PROPERTIES = ["| property | unit | DFT | networks: median (range) | deviation |", "|---|---|---|---|---|"]


def with_range(row: dict, column: str) -> str:
    ends = [f"{x:.3g}" for x in (row[f"{column}_least"], row[f"{column}_greatest"])]
    return f"{row[column]:.3g} ({'–'.join(ends)})"


def force_row(row: dict) -> str:
    energy, force = "rmse_mev_per_atom", "force_rmse_mev_per_angstrom"
    cells = (row["pair"], row["fit"], with_range(row, energy), f"{row['ridge_rmse_mev_per_atom']:.3g}")
    cells += (with_range(row, force), f"{row['force_ridge_rmse_mev_per_angstrom']:.3g}")
    return f"| {' | '.join(cells)} |"


def coverage_row(row: dict) -> str:
    unit = "meV per cell" if row["quantity"] == "energy" else "meV/Å"
    shares = (f"{100 * row[key]:.1f} %" for key in ("coverage", "coverage_uncalibrated"))
    cells = (row["quantity"], f"{row['members']}", f"{row['factor']:.3g}", *shares)
    return f"| {' | '.join(cells)} | {row['half_width_median']:.3g} {unit} | {row['rmse']:.3g} {unit} |"


def property_row(row: dict) -> str:
    cells = (row["property"], row["unit"], f"{row['dft']:.3g}")
    cells += (f"{row['median']:.3g} ({row['lowest']:.3g}–{row['highest']:.3g})", f"{100 * row['deviation']:+.1f} %")
    return f"| {' | '.join(cells)} |"


def run_rows(profiles: list[dict]) -> list[str]:
    """Of whole runs, as `benchmarks.run_profile` measured them."""
    parts = {
        "jobs": lambda of: f"{of['jobs']}",
        "minutes by the clock": lambda of: f"{of['command']['clock'] / 60:.1f}",
        "minutes of processor time": lambda of: f"{of['command']['processor'] / 60:.1f}",
        "start of interpreters and imports, minutes": lambda of: f"{of['start_up'] / 60:.1f}" if of["start_up"] else "",
        "Snakemake itself, minutes": lambda of: f"{of['snakemake'] / 60:.1f}" if of["snakemake"] else "",
    }
    head = ["| `make run` | 824590a | now |", "|---|---|---|"]
    return head + [f"| {name} | {' | '.join(cell(of) for of in profiles)} |" for name, cell in parts.items()]


for needed in ("claims.json", "evaluation/with_forces_summary.csv", "properties/table.csv"):
    if not (RESULTS / needed).exists():
        sys.exit(f"results/{needed} is missing: make run first")

shutil.copy(RESULTS / "claims.json", DOCS / "claims.json")
claims = json.loads((DOCS / "claims.json").read_text())
columns = ("id", "claim", "paper", "ours", "verdict")
renew(DOCS / "results.md", r"\| [CFS]\d+ \|", (f"| {' | '.join(c[column] for column in columns)} |" for c in claims))

between(ROOT / "README.md", "findings", findings(RESULTS))

shutil.copy(RESULTS / "evaluation/with_forces_summary.csv", DOCS / "with_forces.csv")
fits = pd.read_csv(DOCS / "with_forces.csv").to_dict("records")
renew(DOCS / "forces.md", r"\| \S+ \| energies (alone|and forces) \|", map(force_row, fits))

far.renew(RESULTS)

table = RESULTS / "potential/coverage.csv"
if table.exists():
    shutil.copy(table, DOCS / "coverage.csv")
    renew(DOCS / "uncertainty.md", r"\| (energy|forces) \|", map(coverage_row, pd.read_csv(table).to_dict("records")))

shutil.copy(RESULTS / "properties/table.csv", DOCS / "properties.csv")
between(
    DOCS / "potential.md",
    "properties",
    [*PROPERTIES, *map(property_row, pd.read_csv(DOCS / "properties.csv").to_dict("records"))],
)

measured = json.loads((ROOT / "benchmarks/potential.json").read_text())
faster = f"A step of 27 atoms takes the DFT {measured['dft_over_network']:.0f} times as long in the same run."
between(DOCS / "benchmarks.md", "sets", sets_table(measured["sets"]))
between(DOCS / "benchmarks.md", "dynamics", [*dynamics_table(measured["rows"]), "", faster])

profiles = [json.loads((ROOT / f"benchmarks/profiles/{name}.json").read_text()) for name in ("before", "after")]
between(DOCS / "benchmarks.md", "runs", run_rows(profiles))

thermal = pd.read_csv(ROOT / "resources/properties/thermal_volume.csv").set_index("quantity")
volume, away = thermal.loc["volume"], 100 * thermal.loc["volume of the DFT, relative", ["value", "standard_error"]]
between(
    DOCS / "potential.md",
    "thermal",
    [
        f"**{volume['value']:.2f} Å³ per atom; by DFT {away['value']:+.2f} ± {away['standard_error']:.2f} %.**".replace(
            "-", "−"
        )
    ],
)

mlearn.renew()

for picture in sorted((DOCS / "images").glob("*.png")):
    drawn = RESULTS / "figures" / picture.name
    if drawn.exists():
        shutil.copy(drawn, picture)
    else:
        print(f"{picture.name} stays as it was: results/figures has none")
