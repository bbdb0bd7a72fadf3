"""The numbers of README and docs are those that were measured, their pictures and commands exist."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from snakemake.utils import update_config

from benchmarks.features import table
from bpstudy.config.study import load
from tools.potential import dynamics_table, sets_table

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BENCHMARKS, RESULTS, OWN_DATA = (
    (ROOT / f"docs/{name}.md").read_text() for name in ("benchmarks", "results", "own_data")
)


def test_the_table_of_speed_is_the_committed_measurement():
    measured = json.loads((ROOT / "benchmarks/features.json").read_text())
    assert "\n".join(table(measured["against_dscribe"])) in BENCHMARKS
    memory = measured["memory"]
    assert f"{memory['cpu_seconds']:.0f} processor seconds and at most {memory['peak_mb']:.0f} MB" in BENCHMARKS


def test_the_table_of_training_is_the_committed_measurement():
    measured = json.loads((ROOT / "benchmarks/training.json").read_text())
    for name, key in (("Levenberg–Marquardt", "levenberg-marquardt"), ("L-BFGS", "lbfgs"), ("Adam", "adam")):
        fit = measured[key]
        assert f"| {name} | {fit['iterations']} | {fit['wall_s']:.1f} |" in BENCHMARKS


def test_the_tables_of_potentials_are_the_committed_measurement():
    measured = json.loads((ROOT / "benchmarks/potential.json").read_text())
    assert len(measured["rows"]) >= 4
    for lines in (dynamics_table(measured["rows"]), sets_table(measured["sets"])):
        assert "\n".join(lines) in BENCHMARKS
    assert all(row["n2p2_over_ours"] > 1 for row in measured["sets"])


def test_the_table_of_whole_runs_is_the_committed_measurement():
    before, after = (json.loads((ROOT / f"benchmarks/profiles/{of}.json").read_text()) for of in ("before", "after"))
    minutes = [f"{of['command']['processor'] / 60:.1f}" for of in (before, after)]
    assert f"| minutes of processor time | {' | '.join(minutes)} |" in BENCHMARKS


def test_the_ledger_of_claims_is_the_committed_result():
    for c in json.loads((ROOT / "docs/claims.json").read_text()):
        row = (c["id"], c["claim"], c["paper"], c["ours"], c["verdict"])
        assert f"| {' | '.join(row)} |" in RESULTS, c["id"]


def test_the_table_of_forces_is_the_committed_result():
    text = (ROOT / "docs/forces.md").read_text()
    table = pd.read_csv(ROOT / "docs/with_forces.csv")
    assert len(table) == 28
    for row in table.to_dict("records"):
        line = next(line for line in text.splitlines() if line.startswith(f"| {row['pair']} | {row['fit']} |"))
        energy, ridge, force, ridge_force = (float(cell.split()[0]) for cell in line.strip("| ").split("|")[2:])
        assert energy == pytest.approx(row["rmse_mev_per_atom"], rel=5e-3)
        assert force == pytest.approx(row["force_rmse_mev_per_angstrom"], rel=5e-3)
        assert ridge == pytest.approx(row["ridge_rmse_mev_per_atom"], rel=5e-3)
        assert ridge_force == pytest.approx(row["force_ridge_rmse_mev_per_angstrom"], rel=5e-3)


def test_links_and_pictures_exist():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_overlay_of_ones_own_crystal_is_valid_and_computes_nothing_else():
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", OWN_DATA, re.DOTALL)]
    imported = next(block for block in blocks if "trajectory" in block.get("systems", {}).get("mine", {}))
    chosen = next(block for block in blocks if "unit_functions" in block)
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    for overlay in (imported, chosen):
        update_config(values, overlay)
    study = load(values)
    assert set(study.used_systems) == {"mine"}
    assert max(frames.needed for frames in study.frames.values()) <= 3000


def test_the_badges_name_the_locked_versions():
    lock = (ROOT / "requirements.lock").read_text()
    badges = re.findall(r"badge/(snakemake|gpaw|ase)-([\d.]+)-", README)
    assert len(badges) == 3
    for package, version in badges:
        assert re.search(rf"^{package}=={re.escape(version)}\.", lock, re.MULTILINE), package


def test_nothing_is_left_to_be_filled_in():
    assert "@@" not in README


def test_the_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE)):
        assert f"\n{target}:" in makefile, target
