"""The quick profile, as a user runs it: real DFT, every stage, every figure; and what the full study plans."""

import json
import resource
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import datetime

import pandas as pd
import pytest
import yaml
from PIL import Image
from pypdf import PdfReader

from bpstudy.config.study import load
from tests.workflow.project import ROOT, copied, environment, snakemake

FIGURES = [*(f"fig{number:02d}" for number in range(1, 18)), *(f"figS{number}" for number in (1, 2, 3, *range(5, 10)))]

EXPERIMENTS = len(load(yaml.safe_load((ROOT / "config.yaml").read_text())).experiments)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = copied(tmp_path_factory.mktemp("a project"))
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


@pytest.fixture(scope="module")
def results(project):
    run = snakemake(project, "--workflow-profile", "quick")
    assert run.returncode == 0, run.stderr[-5000:]
    return project / "results"


def test_the_full_study_is_planned(project):
    plan = snakemake(project, "-n", "--cores", "12")
    assert plan.returncode == 0, plan.stderr
    jobs = dict(
        line.split() for line in plan.stdout.splitlines() if len(line.split()) == 2 and line.split()[1].isdigit()
    )
    assert int(jobs["dynamics_chunk"]) == 35000 // 250 + 1000 // 250 + 6000 // 250
    assert int(jobs["train"]) + int(jobs["train_with_forces"]) == EXPERIMENTS  # each of ten seeds


def test_a_wrong_configuration_stops_before_any_job(project):
    (project / "wrong.yaml").write_text("seeds: [0, 0]")
    run = snakemake(project, "--cores", "1", "--configfile", "wrong.yaml")
    assert run.returncode != 0
    assert "seeds = [0, 0]: duplicate seed" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.gpaw
@pytest.mark.timeout(3600)  # of the run, beside other tests on a slow machine
class TestQuickStudy:
    @pytest.mark.parametrize("name", FIGURES)
    def test_every_figure_is_there_and_can_be_read(self, results, name):
        with Image.open(results / f"figures/{name}.png") as image:
            assert image.width > 1000
            assert len(image.convert("L").getcolors(256)) > 2  # something is drawn
        assert ET.parse(results / f"figures/{name}.svg").getroot().tag.endswith("svg")
        assert len(PdfReader(results / f"figures/{name}.pdf").pages) == 1

    def test_the_paper_is_there(self, results):
        assert len(PdfReader(results / "paper/paper.pdf").pages) > 2

    def test_each_network_is_scored_on_what_it_has_seen_and_not_seen(self, results):
        metrics = pd.read_csv(results / "evaluation/metrics.csv")
        assert metrics.groupby("experiment")["seed"].nunique().eq(2).all()
        assert metrics["experiment"].nunique() == EXPERIMENTS
        assert set(metrics["set"]) == {"train", "validation", "later", "independent", "strained-test"}
        assert metrics.loc[metrics["set"] == "train", "rmse_over_sd"].median() < 0.5

    def test_each_claim_has_a_verdict(self, results):
        claims = json.loads((results / "claims.json").read_text())
        ours = [f"F{number}" for number in range(1, 7)]  # on fits with forces
        ours += [f"S{number}" for number in range(1, 5)]  # on the choice of functions
        assert [claim["id"] for claim in claims] == [*(f"C{number}" for number in range(13)), *ours]
        verdicts = {"reproduced", "reproduced in part", "not reproduced", "undecidable"}
        assert all(claim["verdict"] in verdicts and claim["ours"] for claim in claims)

    def test_the_dynamics_are_real_and_whole(self, results):
        for system, steps in (("cu4", 40), ("li27", 60), ("li27-b", 20)):
            thermo = pd.read_csv(results / f"dynamics/{system}/thermo.csv")
            assert thermo["step"].tolist() == list(range(steps + 1))
            assert (thermo["free_ev"] < thermo["potential_ev"]).all()
            assert thermo["temperature_kelvin"].gt(0).all()

    def test_the_papers_hierarchy_is_computed(self, results):
        hierarchy = pd.read_csv(results / "normalization/hierarchy.csv")
        at_six = hierarchy.query("cutoff_angstrom == 6 and length_unit == 'angstrom'").sort_values("rank")
        assert at_six["function"].tolist() == ["G1", "G3", "G2", "G5", "G4"]
        assert len(pd.read_csv(results / "normalization/scatter.csv")) == 31

    def test_properties_stand_beside_those_of_dft(self, results):
        table = pd.read_csv(results / "properties/table.csv").set_index("property")
        assert {"volume", "B", "C11", "C12", "C44", "vacancy"} <= set(table.index)
        assert table[["dft", "median", "deviation"]].notna().all(axis=None)
        assert 10 < table.loc["volume", "dft"] < 30  # Å³ per atom of lithium, for which it is about 20

    def test_the_coverage_of_a_committee_is_measured(self, results):
        coverage = pd.read_csv(results / "potential/coverage.csv")
        assert set(coverage["quantity"]) == {"energy", "forces"}
        assert coverage["coverage"].dropna().between(0, 1).all()
        assert (coverage["rmse"] > 0).all()

    def test_chosen_sets_stand_beside_the_combinations(self, results):
        table = pd.read_csv(results / "selection/comparison.csv")
        networks = table[table["model"] == "network"]
        assert set(networks["kind"]) == {"method", "control", "combination"}
        assert (networks["kind"] == "combination").sum() == 9
        assert set(networks.loc[networks["kind"] == "method", "functions"]) == {3, 6}
        recommended = json.loads((results / "selection/recommended.json").read_text())
        assert len(recommended["overall"]["symmetry_functions"]["functions"]) == recommended["overall"]["functions"]

    def test_a_second_run_has_nothing_to_do(self, project, results):
        again = snakemake(project, "--workflow-profile", "quick")
        assert again.returncode == 0
        assert "Nothing to be done" in again.stderr

    def test_every_result_is_audited_in_a_minute_of_processor_time(self, project, results):
        command = [sys.executable, "-m", "bpstudy.cli", "audit", "--all"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        audit = subprocess.run(command, cwd=project, env=environment(project), capture_output=True, text=True)
        assert audit.returncode == 0, audit.stdout
        assert audit.stdout.startswith("OK: ")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 60

    def test_recording_costs_at_most_a_fiftieth_of_the_study(self, results):
        jobs = [json.loads(path.read_text()) for path in (results / "provenance/records").rglob("*.json")]
        chunks = [json.loads(path.read_text()) for path in results.glob("dynamics/*/chunks/*.record.json")]
        told = [record["predicate"]["runDetails"]["metadata"] for record in jobs + chunks]
        began, ended = (
            pick(datetime.fromisoformat(entry[key]) for entry in told)
            for pick, key in ((min, "startedOn"), (max, "finishedOn"))
        )
        recording = sum(entry.get("recordingSeconds", 0.0) for entry in told)
        cores = 2  # of the profile
        assert 0 < recording / cores < 0.02 * (ended - began).total_seconds()

    def test_the_report_shows_every_figure_with_its_caption(self, project, results):
        run = snakemake(project, "--workflow-profile", "quick", "--report", "results/report.html")
        assert run.returncode == 0, run.stderr[-3000:]
        page = (results / "report.html").read_text()
        for name in FIGURES:
            assert f"{name}.png" in page
        assert "Levenberg" in page or "symmetry functions" in page

    def test_a_changed_module_makes_stale_only_what_depends_on_it(self, project, results):
        module = project / "src/bpstudy/figures/energy.py"
        module.write_text(module.read_text() + "\n# changed\n")
        plan = snakemake(project, "-n", "--workflow-profile", "quick", "--quiet", "rules")
        assert "energy_figure" in plan.stdout + plan.stderr
        assert "train" not in (plan.stdout + plan.stderr).split("Reasons:")[0]
