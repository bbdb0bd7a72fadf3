"""Figure 1 as the workflow makes it of the archive, audited: what Snakemake does not see is found."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.small_project import git
from tests.workflow import browser
from tests.workflow.project import PROJECT, ROOT, environment, snakemake

ARCHIVE = "resources/trajectories"
FIGURE = "results/figures/fig01.png"
THERMO = "results/dynamics/cu4/thermo.csv"
PROFILE = ("--workflow-profile", "archived")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the commits of the archived chunks are in the repository"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A clone with the working tree's files, committed, in which figure 1 was made."""
    folder = tmp_path_factory.mktemp("audited") / "project"
    git(ROOT, "clone", "-q", "--shared", ROOT, folder)
    for name in [*PROJECT, "requirements.lock", "resources"]:
        if (ROOT / name).is_dir():
            shutil.rmtree(folder / name)
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "as it is")
    run = snakemake(folder, "--cores", "1", *PROFILE, "--", FIGURE)
    assert run.returncode == 0, run.stderr[-3000:]
    return folder


def audit(project, *arguments):
    command = [sys.executable, "-m", "bpstudy.cli", "audit", "--json", *arguments]
    ended = subprocess.run(command, cwd=project, env=environment(project), capture_output=True, text=True)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def wrong(project, *arguments):
    """(kind, name, verdict) of every edge that is not OK; the details are in the second."""
    code, found = audit(project, *arguments)
    edges = [*found["files"], *(edge for job in found["jobs"].values() for edge in job["edges"])]
    bad = [edge for edge in edges if edge["verdict"] != "OK"]
    assert (code == 0) == (not bad)
    return {(e["kind"], e["name"], e["verdict"]) for e in bad}, " ".join(e["detail"] for e in bad)


def records(project):
    return (project / "results/provenance/records").rglob("*.json")


@contextmanager
def changed(path: Path, change):
    """A file whose content is changed for a while, its dates and all."""
    content, state = path.read_bytes(), path.stat()
    path.write_bytes(change(content))
    try:
        yield
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_the_archived_chunks_and_their_settings_are_behind_the_figure(project):
    code, found = audit(project, FIGURE)
    assert (code, found["verdict"]) == (0, "OK")
    rules = sorted(job["rule"] for job in found["jobs"].values())
    assert rules == ["archived_trajectory", *["dynamics_chunk"] * 4, "energy_figure"]
    chunk = next(job for job in found["jobs"].values() if job["rule"] == "dynamics_chunk")
    assert {"archive", "output", "settings", "environment", "commit"} <= {edge["kind"] for edge in chunk["edges"]}
    figure = next(job for job in found["jobs"].values() if job["rule"] == "energy_figure")
    code = {edge["name"] for edge in figure["edges"] if edge["kind"] == "code"}
    assert {"src/bpstudy/figures/energy.py", "workflow/scripts/figures/energy.py"} <= code


def test_a_file_of_the_archive_is_audited_as_well(project):
    assert wrong(project, f"{ARCHIVE}/cu4/0003.traj.xz") == (set(), "")


def test_restored_chunks_lead_to_the_archive(project):
    chunks = project / "results/dynamics/cu4/chunks"
    before = set(records(project))
    command = [sys.executable, "-m", "bpstudy.cli", "restore", "cu4"]
    try:
        subprocess.run(command, cwd=project, env=environment(project), check=True, capture_output=True)
        files = sorted(str(path.relative_to(project)) for path in chunks.iterdir())
        assert len(files) == 12
        assert wrong(project, *files) == (set(), "")
        _, found = audit(project, files[2])
        names = {edge["name"] for job in found["jobs"].values() for edge in job["edges"]}
        assert f"{ARCHIVE}/cu4/0000.traj.xz" in names
    finally:
        shutil.rmtree(chunks)
        for path in set(records(project)) - before:  # or the audit of all would miss the chunks
            path.unlink()


def test_a_changed_table_that_snakemake_was_told_to_take_as_new_is_found(project):
    with changed(project / THERMO, lambda content: content.replace(b"1", b"2", 1)):
        touched = snakemake(project, "--cores", "1", *PROFILE, "--touch", "--", FIGURE)
        assert touched.returncode == 0, touched.stderr
        again = snakemake(project, "-n", *PROFILE, "--", FIGURE)
        assert "Nothing to be done" in again.stdout + again.stderr
        bad, _ = wrong(project, FIGURE)
    assert bad == {("input", THERMO, "CHANGED")}


def test_an_edited_parameter_that_snakemake_was_told_to_ignore_is_found(project):
    with changed(project / "config.yaml", lambda content: content.replace(b"width_cm: 16.0", b"width_cm: 12.0")):
        plan = snakemake(project, "-n", *PROFILE, "--rerun-triggers", "mtime", "--", FIGURE)
        assert "Nothing to be done" in plan.stdout + plan.stderr
        bad, details = wrong(project, FIGURE)
    assert bad == {("settings", "energy_figure", "CHANGED")}
    assert details == "width_cm: 16.0 then, 12.0 now"


def test_an_edited_seed_of_the_dynamics_is_found_in_every_chunk(project):
    with changed(project / "config.yaml", lambda content: content.replace(b"733.0", b"734.0")):
        bad, details = wrong(project, FIGURE)
    assert bad == {("settings", "dynamics_chunk", "CHANGED"), ("settings", "archived_trajectory", "CHANGED")}
    assert details.count("temperature_kelvin: 733.0 then, 734.0 now") == 5


def test_changed_code_is_found(project):
    source = "src/bpstudy/figures/energy.py"
    with changed(project / source, lambda content: content + b"# changed\n"):
        bad, _ = wrong(project, FIGURE)
    assert bad == {("code", source, "CHANGED")}


def test_a_swapped_trajectory_is_found(project):
    """A chunk of lithium in the place of one of copper; with a manifest that was made to fit it is found as well."""
    chunk = project / ARCHIVE / "cu4/0002.traj.xz"
    other = (project / ARCHIVE / "li27/0002.traj.xz").read_bytes()
    with changed(chunk, lambda _: other):
        bad, details = wrong(project, FIGURE)
        assert ("input", f"{ARCHIVE}/cu4/0002.traj.xz", "CHANGED") in bad
        assert ("archive", f"{ARCHIVE}/cu4/SHA256SUMS", "CHANGED") in bad
        assert "0002.traj.xz: is damaged" in details
        fitting = subprocess.run(
            "sha256sum *.json *.xz", shell=True, cwd=chunk.parent, capture_output=True, check=True
        ).stdout
        with changed(chunk.with_name("SHA256SUMS"), lambda _: fitting):
            bad, _ = wrong(project, FIGURE)
    assert bad == {("input", f"{ARCHIVE}/cu4/0002.traj.xz", "CHANGED")}


def test_the_figure_is_drawn_again_to_the_byte(project):
    code, found = audit(project, "--recompute", FIGURE)
    assert code == 0
    assert {made["detail"] for made in found["recomputed"]} == {"the same bytes"}


def test_all_results_are_ok(project):
    assert wrong(project, "--all") == (set(), "")


def test_the_records_tell_where_what_was_laid_over_the_configuration_lies(project):
    _, found = audit(project, FIGURE)
    records = [project / f"results/provenance/records/{name[:2]}/{name}.json" for name in found["jobs"]]
    made = [json.loads(path.read_text()) for path in records if path.exists()]
    assert len(made) == 2
    for record in made:
        told = record["predicate"]["buildDefinition"]["internalParameters"]["configuration"]
        assert told == {"files": ["profiles/archived/study.yaml"], "values": {}}


EVERY_RESULT = """
while (!app) await pause();
const shown = [];
for (const path of Object.keys(results)) {
  app.showResultInfo(path);
  await pause();
  const link = [...document.querySelectorAll("a")].find((a) => a.textContent.startsWith("Where it comes from"));
  app.setView({ content: "img", contentPath: results[path].data_uri, resultPath: path });
  await pause();
  const widths = [...document.querySelectorAll("img")].map((image) => image.naturalWidth);
  shown.push({ path, link: link ? link.getAttribute("href") : null, width: Math.max(...widths) });
}
return shown;
"""
THE_PAGE = """
const broken = [...document.querySelectorAll("a")].map((a) => a.getAttribute("href"))
  .filter((link) => !link.startsWith("#") || !document.getElementById(link.slice(1)));
return { title: document.title, width: document.querySelector("img").naturalWidth, broken };
"""


@pytest.mark.skipif(not browser.CHROMIUM, reason="needs Chromium: sudo apt-get install chromium")
def test_the_report_shows_the_figure_and_leads_to_its_audit(project, tmp_path):
    report = snakemake(project, *PROFILE, "--report", "results/report.html", "--", FIGURE)
    assert report.returncode == 0, report.stderr[-3000:]
    code, _ = audit(project, "--all", "--html", "results/audit")
    assert code == 0

    found, console = browser.visit(project / "results/report.html", EVERY_RESULT, tmp_path / "profile")
    assert console == []
    assert [(entry["path"], entry["link"]) for entry in found] == [(FIGURE, "audit/figures/fig01.png.html")]
    assert found[0]["width"] > 1000  # the figure itself, at its resolution in print

    page, console = browser.visit(project / "results" / found[0]["link"], THE_PAGE, tmp_path / "profile")
    assert console == []
    assert page["title"] == f"{FIGURE}: where it comes from"
    assert page["width"] > 1000
    assert page["broken"] == []


@pytest.mark.skipif(not browser.CHROMIUM, reason="needs Chromium: sudo apt-get install chromium")
def test_an_error_on_a_page_is_seen(tmp_path):
    """The check of the console is a check."""
    page = tmp_path / "page.html"
    page.write_text("<html><body><script>nothing()</script></body></html>")
    _, console = browser.visit(page, "return 1;", tmp_path / "profile")
    assert any("nothing is not defined" in line for line in console)
