"""Audits of a small project: all is OK as it was made, and each way to tamper with it is named by file and edge."""

import base64
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from PIL import Image
from pypdf import PdfReader, PdfWriter
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.provenance import record as records
from bpstudy.provenance.audit import Auditor
from bpstudy.provenance.commit import git
from bpstudy.provenance.edges import Verdict, edges_of, verdict_of
from bpstudy.provenance.embed import embed, embedded
from bpstudy.provenance.environment import locked
from bpstudy.provenance.judge import environment_edge, settings_edge
from bpstudy.provenance.store import Record, Store
from bpstudy.provenance.workflow import Planned, comparable
from tests.unit import small_project

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "src/bpstudy/provenance/record.schema.json").read_text())
OK, CHANGED, MISSING, UNVERIFIABLE = Verdict
TABLE, FIGURE = Path("results/tables/one.csv"), Path("results/figures/one.png")


def wrong(*files) -> dict[tuple[str, str], tuple[str, str]]:
    """{(kind, name): (verdict, detail)} of every edge of these files, or of all, that is not OK."""
    auditor = Auditor()
    found = [auditor.file(Path(file)) for file in files] if files else auditor.everything()
    assert found
    return {(e.kind, e.name): (e.verdict, e.detail) for e in edges_of(found) if e.verdict is not OK}


def flip(path, place=-20):
    content = bytearray(Path(path).read_bytes())
    content[place] ^= 1
    Path(path).write_bytes(content)


def test_all_is_ok_as_it_was_made(project):
    assert wrong() == {}
    edge = Auditor().file(FIGURE)
    assert [maker.record.rule for maker in (edge.job, edge.job.edges[0].job)] == ["figure", "table"]
    kinds = [e.kind for e in edges_of([edge])]
    assert sorted(set(kinds)) == ["code", "environment", "file", "input", "settings"]
    assert kinds.count("settings") == 2


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_copy_elsewhere_under_another_name_is_ok(project, tmp_path, kind):
    copy = tmp_path / f"for-a-talk.{kind}"
    shutil.copy(FIGURE.with_suffix(f".{kind}"), copy)
    edge = Auditor().file(copy)
    assert verdict_of([edge]) is OK
    assert edge.detail == f"a copy of results/figures/one.{kind}"


@pytest.mark.parametrize(
    "file",
    ["data.txt", "results/tables/one.csv", "results/figures/one.png", "results/figures/one.svg", "code/table.py"],
)
def test_a_flipped_byte_is_named(project, file):
    flip(file, -2 if file.endswith((".py", "txt")) else -20)
    found = wrong()
    assert {name for _, name in found} == {file}
    assert {verdict for verdict, _ in found.values()} == {CHANGED}


@pytest.mark.parametrize(
    ("file", "kind"), [("data.txt", "input"), ("results/tables/one.csv", "input"), ("code/table.py", "code")]
)
def test_a_file_that_is_gone_is_missing(project, file, kind):
    Path(file).unlink()
    assert wrong(FIGURE)[kind, file][0] is MISSING


def test_a_deleted_figure_is_missed_by_the_audit_of_all(project):
    FIGURE.unlink()
    assert wrong() == {("file", str(FIGURE)): (MISSING, "there is no such file; figure made it")}


@pytest.mark.parametrize(
    ("old", "new", "rule", "what"),
    [
        ("one: 1", "one: 7", "table", "seed: 1 then, 7 now"),
        ("size: 5", "size: 6", "table", "size: 5 then, 6 now"),
        ("dpi: 50", "dpi: 100", "figure", "dpi: 50 then, 100 now"),
    ],
)
def test_an_edited_seed_or_parameter_is_named(project, old, new, rule, what):
    Path("config.yaml").write_text(small_project.CONFIG.replace(old, new))
    assert wrong(FIGURE) == {("settings", rule): (CHANGED, what)}


def test_a_job_that_the_workflow_no_longer_has_is_missing(project):
    Path("config.yaml").write_text(small_project.CONFIG.replace("one: 1, ", ""))
    assert wrong(FIGURE)["settings", "table"][0] is MISSING
    assert wrong("results/figures/two.png") == {}


def test_an_input_that_the_job_did_not_have_is_named(project):
    snakefile = Path("Snakefile").read_text()
    Path("Snakefile").write_text(snakefile.replace('data="data.txt"', 'data="data.txt", more="config.yaml"'))
    assert wrong(TABLE) == {("settings", "table"): (CHANGED, "config.yaml was not an input then")}


def test_a_workflow_that_cannot_be_read_makes_settings_unverifiable(project):
    Path("config.yaml").write_text("seeds: [")
    assert {verdict for verdict, _ in wrong(FIGURE).values()} == {UNVERIFIABLE}
    Path("Snakefile").unlink()
    assert "Snakefile: not found" in wrong(FIGURE)["settings", "figure"][1]


def test_a_swapped_table_is_named_with_what_it_is(project):
    shutil.copy("results/tables/two.csv", TABLE)
    found = wrong(FIGURE)
    assert found.keys() == {("input", str(TABLE))}
    assert found["input", str(TABLE)][1].endswith("it is results/tables/two.csv")
    verdict, detail = wrong(TABLE)["file", str(TABLE)]
    assert verdict is CHANGED
    assert "is results/tables/two.csv, made by table" in detail


def test_touching_hides_nothing(project):
    """What `--touch` does: a change of content, and dates that let Snakemake think all is new."""
    flip(TABLE, -2)
    for path in [TABLE, *Path("results/figures").iterdir()]:
        os.utime(path)
    assert wrong(FIGURE)["input", str(TABLE)][0] is CHANGED


def test_a_figure_of_an_earlier_run_is_named(project):
    earlier = FIGURE.read_bytes()
    Path("config.yaml").write_text(small_project.CONFIG.replace("one: 1", "one: 7"))
    small_project.run_table("one", 7)
    small_project.run_figure("one")
    assert wrong() == {}
    FIGURE.write_bytes(earlier)
    found = wrong(FIGURE)
    assert found.keys() == {("file", str(FIGURE))}
    assert "is from an earlier run of figure" in found["file", str(FIGURE)][1]


def test_a_figure_of_another_run_cannot_be_verified(project):
    shutil.copy(FIGURE, "other.png")
    shutil.rmtree("results/provenance")
    found = wrong("other.png")
    assert found["file", "other.png"][0] is UNVERIFIABLE
    assert "made by figure in another run" in found["file", "other.png"][1]
    assert ("input", str(TABLE)) in found  # its content is right, but nothing tells how it was made
    flip(TABLE)
    assert wrong("other.png")["input", str(TABLE)][0] is CHANGED


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_stripped_metadata_are_noticed(project, tmp_path, kind):
    figure, stripped = FIGURE.with_suffix(f".{kind}"), tmp_path / f"stripped.{kind}"
    if kind == "png":
        with Image.open(figure) as image:
            image.info.clear()
            image.save(stripped)
    elif kind == "svg":
        stripped.write_text(figure.read_text().replace("bpstudy-lineage", "x"))
    else:
        writer = PdfWriter()
        writer.add_page(PdfReader(figure).pages[0])
        writer.write(stripped)
    verdict, detail = wrong(stripped)["file", str(stripped)]
    assert (verdict, detail) == (UNVERIFIABLE, "its content is in no record and it carries no lineage")
    shutil.copy(stripped, figure)
    verdict, detail = wrong(figure)["file", str(figure)]
    assert (verdict, detail) == (CHANGED, "is not what figure wrote, and carries no lineage")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_pasted_metadata_are_noticed(project, tmp_path, kind):
    figure, pasted = (Path(f"results/figures/{name}.{kind}") for name in ("one", "two"))
    elsewhere = tmp_path / f"pasted.{kind}"
    shutil.copy(pasted, elsewhere)
    embed(elsewhere, embedded(figure))
    verdict, detail = wrong(elsewhere)["file", str(elsewhere)]
    assert verdict is CHANGED
    assert "carries the lineage of results/figures/one" in detail
    shutil.copy(elsewhere, pasted)
    assert "carries another lineage" in wrong(pasted)["file", str(pasted)][1]


def test_what_is_not_a_lineage_is_not_taken_for_one(project, tmp_path):
    copy = tmp_path / "a.png"
    shutil.copy(FIGURE, copy)
    embed(copy, "[]")
    assert wrong(copy) == {("file", str(copy)): (CHANGED, "its embedded text is not a lineage")}


def test_a_file_that_no_job_made_is_unverifiable(project):
    Path("results/tables/by-hand.csv").write_text("a,b\n1,2\n")
    assert wrong() == {("file", "results/tables/by-hand.csv"): (UNVERIFIABLE, "its content is in no record")}


def test_a_job_that_copies_its_input_is_not_taken_for_the_inputs_maker(project):
    Path("code/table.py").write_text(
        "import shutil\nfrom bpstudy.provenance.recording import recorded\n"
        "with recorded(snakemake):\n    shutil.copy(snakemake.input.data, snakemake.output[0])\n"
    )
    small_project.run_table("one", 1)
    assert wrong(TABLE) == {}
    assert [edge.detail for edge in Auditor().file(TABLE).job.edges if edge.kind == "input"] == ["source"]


def test_an_input_without_a_record_is_unverifiable(project):
    for path in Path("results/provenance/records").rglob("*.json"):
        if "bpstudy/table" in path.read_text():
            path.unlink()
    assert wrong(FIGURE) == {("input", str(TABLE)): (UNVERIFIABLE, "there is no record of how it was made")}


def test_an_edited_record_is_named(project):
    path = next(p for p in Path("results/provenance/records").rglob("*.json") if '"dpi"' in p.read_text())
    path.write_text(path.read_text().replace('"dpi": 50', '"dpi": 100'))
    assert ("record", path.stem) in wrong()
    path.write_text("{}")
    ended = CliRunner().invoke(app, ["audit", "--all"])
    assert ended.exit_code == 1
    assert "is not a record of provenance" in ended.output


def test_a_figure_from_a_dirty_tree_is_unverifiable(project, monkeypatch):
    small_project.commit(project)
    monkeypatch.undo()
    monkeypatch.chdir(project)
    monkeypatch.setattr("bpstudy.provenance.recording._script", list)
    monkeypatch.setattr(records.bpstudy, "__file__", str(project / "src/bpstudy/__init__.py"))
    small_project.run_figure("one")
    assert wrong(FIGURE) == {}
    with Path("Snakefile").open("a") as snakefile:
        snakefile.write("# in work\n")
    small_project.run_figure("one")
    (((kind, _), (verdict, detail)),) = wrong(FIGURE).items()
    assert (kind, verdict) == ("commit", UNVERIFIABLE)
    assert "changes that were not committed" in detail


def test_an_archived_chunk_from_a_dirty_tree_is_ok_if_its_sources_are_those_of_the_commit(project):
    small_project.commit(project)
    head = git(project, "rev-parse", "HEAD").decode().strip()
    content = json.loads(json.dumps(Store(Path("results")).records[0].content))
    named = content["predicate"]["buildDefinition"]["resolvedDependencies"]
    named.append({"name": "bpstudy", "digest": {"gitCommit": head, "uncommittedSha256": "0" * 64}})
    (edge,) = Auditor()._commit_of_chunk(Record("", content, True))
    assert (edge.verdict, edge.name) == (OK, head)
    for entry in named:
        if entry.get("annotations", {}).get("kind") == "code":
            entry["digest"]["sha256"] = "0" * 64
    (edge,) = Auditor()._commit_of_chunk(Record("", content, True))
    assert edge.verdict is UNVERIFIABLE


def test_an_archived_job_outlives_its_source_files_and_packages_that_it_does_not_use(project):
    record = Store(Path("results")).records[0]
    name, version = next((p.name, p.version) for p in locked(Path("requirements.lock")) if p.name in record.versions)
    Path("envs").mkdir(exist_ok=True)
    environment = Path("envs/dft.yaml")
    planned = Planned(comparable(record), (*record.inputs, *record.code, "src/moved.py"), environment.name)
    assert settings_edge(record, planned).verdict is CHANGED
    assert settings_edge(record, planned, archived=True).verdict is OK
    gone = Planned(planned.parameters, tuple(record.code), environment.name)
    assert settings_edge(record, gone, archived=True).verdict is (CHANGED if record.inputs else OK)
    Path("requirements.lock").write_text(f"{name}==0.0.1\n")
    environment.write_text("dependencies: [another=1.0]\n")
    assert environment_edge(record, planned).verdict is CHANGED
    assert environment_edge(record, planned, archived=True).verdict is OK
    environment.write_text(f"dependencies: [{name}={version}]\n")
    assert environment_edge(record, planned, archived=True).verdict is CHANGED


def test_another_version_than_the_lock_is_named(project):
    lock = Path("requirements.lock")
    version = Store(Path("results")).records[0].versions["numpy"]
    lock.write_text(lock.read_text().replace(f"numpy=={version}", "numpy==1.0.0"))
    assert wrong(TABLE) == {("environment", "requirements.lock"): (CHANGED, f"numpy 1.0.0: is numpy {version}")}


@pytest.mark.parametrize(
    ("pins", "build", "said"),
    [
        (None, "py311h1_0", ""),
        (None, "py312h1_0", "numpy 2.4.6 py311*: is numpy 2.4.6 py312h1_0"),
        ("py311h1_0", "py311h1_0", ""),
        ("py311h1_0", "py311h2_0", "numpy 2.4.6 py311h1_0: is numpy 2.4.6 py311h2_0"),
    ],
)
def test_a_broken_conda_pin_is_named(project, tmp_path, monkeypatch, pins, build, said):
    """Snakemake silently makes the environment from the YAML where the pin file fails: the builds are then others."""
    if pins:
        Path("envs/table.linux-64.pin.txt").write_text(f"@EXPLICIT\nplace/numpy-2.4.6-{pins}.conda#0\n")
    (tmp_path / "prefix/conda-meta").mkdir(parents=True)
    package = {"name": "numpy", "version": "2.4.6", "build": build}
    (tmp_path / "prefix/conda-meta/numpy.json").write_text(json.dumps(package))
    monkeypatch.setattr("sys.prefix", str(tmp_path / "prefix"))
    small_project.run_table("one", 1)
    pinned = f"envs/table.{'linux-64.pin.txt' if pins else 'yaml'}"
    assert wrong(TABLE) == ({("environment", pinned): (CHANGED, said)} if said else {})


def test_equal_inputs_give_equal_pictures_and_other_inputs_another_lineage(project):
    pictures = sorted(Path("results/figures").glob("one.*"))
    before = [path.read_bytes() for path in pictures]
    small_project.run_figure("one")
    assert [path.read_bytes() for path in pictures] == before
    assert len({embedded(path) for path in pictures}) == 1
    assert embedded(FIGURE) != embedded(Path("results/figures/two.png"))


def test_pictures_stay_readable(project):
    with Image.open(FIGURE) as image:
        assert image.size == (100, 100)
        assert json.loads(image.text["bpstudy-lineage"])["rule"] == "figure"
    assert json.loads(PdfReader(FIGURE.with_suffix(".pdf")).metadata["/bpstudy-lineage"])["rule"] == "figure"


def test_a_job_whose_input_changes_meanwhile_is_an_error(project, monkeypatch):
    monkeypatch.setattr("pandas.DataFrame.to_csv", lambda *_: Path("data.txt").write_text("4\n"))
    with pytest.raises(ValueError, match=r"data\.txt: changed while the job ran"):
        small_project.run_table("one", 1)
    assert len(Store(Path("results")).records) == 4


def test_a_job_that_fails_leaves_no_record(project, monkeypatch):
    monkeypatch.setattr("pandas.DataFrame.to_csv", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        small_project.run_table("one", 1)
    assert len(Store(Path("results")).records) == 4


def test_records_are_of_the_schema(project, monkeypatch):
    Draft202012Validator.check_schema(SCHEMA)
    validator = Draft202012Validator(SCHEMA)
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    small_project.run_figure("one")
    written = Store(Path("results")).records
    assert written[-1].internal["slurm"] == {"SLURM_JOB_ID": "12"}
    for record in written:
        validator.validate(record.content)
    for path in sorted((ROOT / "resources").rglob("*.record.json")):
        validator.validate(json.loads(path.read_text()))
    wrong = json.loads(json.dumps(written[0].content))
    wrong["subject"][0]["digest"]["sha256"] = "0"
    assert not validator.is_valid(wrong)


class TestCommand:
    def test_all_is_one_line_and_success(self, project):
        ended = CliRunner().invoke(app, ["audit", "--all"])
        assert ended.exit_code == 0
        assert ended.output.startswith("OK: 8 files, 4 jobs")

    def test_the_tree_names_each_step(self, project):
        ended = CliRunner().invoke(app, ["audit", str(FIGURE)], env={"COLUMNS": "200"})
        assert ended.exit_code == 0
        lines = ended.output.splitlines()
        order = ["OK results/figures/one.png", "figure", "OK results/tables/one.csv", "table", "OK data.txt a source"]
        assert [text for text, line in zip(order, lines, strict=False) if text in line] == order

    def test_what_is_wrong_is_shown_and_ends_with_an_error(self, project):
        flip("data.txt", 0)
        ended = CliRunner().invoke(app, ["audit", str(FIGURE)], env={"COLUMNS": "200"})
        assert ended.exit_code == 1
        assert "CHANGED input data.txt" in ended.output

    def test_json_holds_every_edge(self, project):
        flip("data.txt", 0)
        ended = CliRunner().invoke(app, ["audit", "--json", str(FIGURE)])
        found = json.loads(ended.output)
        assert ended.exit_code == 1
        assert found["verdict"] == "CHANGED"
        assert found["files"][0]["verdict"] == "OK"
        edges = [edge for job in found["jobs"].values() for edge in job["edges"]]
        assert [e["name"] for e in edges if e["verdict"] == "CHANGED"] == ["data.txt"]

    @pytest.mark.parametrize("arguments", [[], ["--all", str(FIGURE)]])
    def test_files_or_all(self, project, arguments):
        assert CliRunner().invoke(app, ["audit", *arguments]).exit_code == 2

    def test_a_file_that_is_not_there(self, project):
        ended = CliRunner().invoke(app, ["audit", "results/figures/nothing.png"])
        assert ended.exit_code == 1
        assert "MISSING" in ended.output

    def test_without_results_there_is_nothing_to_call_ok(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        ended = CliRunner().invoke(app, ["audit", "--all"])
        assert ended.exit_code == 1
        assert "OK" not in ended.output


class TestWhy:
    def explain(self, *files):
        ended = CliRunner().invoke(app, ["audit", "--why", *map(str, files)], env={"COLUMNS": "300"})
        return ended.exit_code, " ".join(ended.output.split())

    def test_the_first_parameter_that_differs(self, project):
        found = self.explain(FIGURE, "results/figures/two.png")
        assert found == (0, "the first difference: results/tables/one.csv → figure parameter seed: 1, 2")

    def test_the_source_that_differs(self, project, tmp_path):
        shutil.copy(FIGURE, tmp_path / "before.png")
        Path("data.txt").write_text("9\n")
        small_project.run_table("one", 1)
        small_project.run_figure("one")
        assert "the first difference: data.txt → table → figure" in self.explain(tmp_path / "before.png", FIGURE)[1]

    def test_the_code_that_differs(self, project, tmp_path):
        shutil.copy(TABLE, tmp_path / "before.csv")
        with Path("code/table.py").open("a") as script:
            script.write("# no matter what\n")
        small_project.run_table("one", 1, size=6)
        code, text = self.explain(tmp_path / "before.csv", TABLE)
        assert code == 0
        assert "parameter size: 5, 6" in text
        assert "code code/table.py: " in text

    def test_a_job_that_is_not_deterministic(self, project, tmp_path, monkeypatch):
        shutil.copy(FIGURE, tmp_path / "before.png")
        monkeypatch.setattr("numpy.random.default_rng", lambda seed, make=np.random.default_rng: make(seed + 1))
        small_project.run_table("one", 1)
        small_project.run_figure("one")
        assert "different content: not deterministic" in self.explain(tmp_path / "before.png", FIGURE)[1]

    def test_equal_files(self, project, tmp_path):
        shutil.copy(FIGURE, tmp_path / "copy.png")
        assert "have the same content" in self.explain(FIGURE, tmp_path / "copy.png")[1]

    def test_a_file_of_which_nothing_is_known(self, project):
        Path("other.csv").write_text("1")
        code, text = self.explain(TABLE, "other.csv")
        assert code == 1
        assert "other.csv: UNVERIFIABLE: its content is in no record" in text


class TestPage:
    def test_the_page_holds_the_picture_and_every_step(self, project, tmp_path):
        ended = CliRunner().invoke(app, ["audit", str(FIGURE), "--html", str(tmp_path / "page.html")])
        assert ended.exit_code == 0
        page = (tmp_path / "page.html").read_text()
        assert base64.b64encode(FIGURE.read_bytes()).decode() in page
        assert not re.search(r"(src|href)=.(?!data:|#)", page)  # complete in itself
        for text in ("results/tables/one.csv", "data.txt", '"seed": 1', "numpy", "Can be run again identically."):
            assert text in page

    def test_the_page_names_what_is_wrong(self, project, tmp_path):
        Path("data.txt").unlink()
        CliRunner().invoke(app, ["audit", str(FIGURE), "--html", str(tmp_path / "page.html")])
        page = (tmp_path / "page.html").read_text()
        assert "Cannot be run again: data.txt is missing." in page
        assert '<strong class="MISSING">' in page

    def test_names_are_not_markup(self, project, tmp_path):
        name = Path("results/tables/<b>&[red].csv")
        name.write_text("1")
        ended = CliRunner().invoke(app, ["audit", str(name), "--html", str(tmp_path / "page.html")])
        assert "<b>&[red].csv" in ended.output
        assert "&lt;b&gt;&amp;[red].csv" in (tmp_path / "page.html").read_text()

    def test_all_have_an_index_whose_links_exist(self, project):
        ended = CliRunner().invoke(app, ["audit", "--all", "--html", "results/audit"])
        assert ended.exit_code == 0
        index = Path("results/audit/index.html").read_text()
        links = [link for link in re.findall(r'href="([^"]+)"', index) if not link.startswith("data:")]
        assert links == [
            f"{folder}.html" for folder in ("figures/one.png", "figures/two.png", "tables/one.csv", "tables/two.csv")
        ]
        assert all(Path("results/audit", link).is_file() for link in links)
        assert CliRunner().invoke(app, ["audit", "--all"]).exit_code == 0  # the pages are no results


@pytest.mark.parametrize(
    "arguments", [["--why", "a"], ["--recompute", "a", "b"], ["--html", "p", "a", "b"], ["--from", "x", "a"]]
)
def test_options_that_do_not_fit_together(project, arguments):
    assert CliRunner().invoke(app, ["audit", *arguments]).exit_code == 2


class TestRecompute:
    def again(self, *arguments):
        ended = CliRunner().invoke(app, ["audit", "--recompute", *map(str, arguments)], env={"COLUMNS": "300"})
        return ended.exit_code, [line for line in ended.output.splitlines() if "recomputed" in line or "error" in line]

    def test_the_last_step_gives_the_same_bytes(self, project):
        code, lines = self.again(FIGURE)
        assert code == 0
        assert lines == [f"OK recomputed results/figures/one.{kind} the same bytes" for kind in ("pdf", "png", "svg")]

    def test_all_from_an_earlier_stage(self, project):
        before = {path: path.read_bytes() for path in Path("results").rglob("*.*")}
        code, lines = self.again(FIGURE, "--from", "tables")
        assert code == 0
        assert len(lines) == 4
        assert {path: path.read_bytes() for path in Path("results").rglob("*.*")} == before  # nothing here is touched

    def test_other_values_are_told(self, project):
        script = Path("code/table.py")
        script.write_text(script.read_text().replace("values =", "values = 1e-7 +"))
        code, (line,) = self.again(TABLE)
        assert code == 1
        assert line.startswith("CHANGED recomputed results/tables/one.csv different values, by ")
        code, (line,) = self.again(TABLE, "--tolerance", "1e-6")
        assert code == 1  # its code is not what it was
        assert line.startswith("OK recomputed results/tables/one.csv the same values within ")

    def test_a_step_that_fails_tells_why(self, project):
        Path("code/table.py").write_text("raise ValueError('no more')")
        code, lines = self.again(TABLE)
        assert code == 1
        assert "the steps cannot be run again" in lines[0]

    def test_a_missing_input_and_an_unknown_stage(self, project):
        assert (
            "--from training: not behind this file; allowed: figure, figures, table, tables"
            in self.again(FIGURE, "--from", "training")[1][0]
        )
        TABLE.unlink()
        assert f"{TABLE} is missing" in self.again(FIGURE)[1][0]

    def test_a_file_that_no_record_knows(self, project):
        Path("by-hand.csv").write_text("1")
        assert "nothing can be run again" in self.again("by-hand.csv")[1][0]
