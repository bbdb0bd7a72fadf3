"""A run as a Workflow Run RO-Crate: valid, whole, and only of a run that holds."""

import importlib.resources
import io
import json
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from rocrate.rocrate import ROCrate
from rocrate_validator import services
from rocrate_validator.models import Severity
from typer.testing import CliRunner
from urllib3 import HTTPResponse

from bpstudy.checksums import sha256
from bpstudy.cli import app

# As RO-Crate 1.1 has them; the context that rocrate ships is that of 1.3.
TERMS_OF_1_1 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}


@pytest.fixture
def crate(project, tmp_path):
    """The crate of the small project."""
    result = CliRunner().invoke(app, ["crate", str(tmp_path / "crate")])
    assert result.exit_code == 0, result.output
    return tmp_path / "crate"


@pytest.fixture
def offline(monkeypatch):
    """The one file that the validator fetches, the context of RO-Crate 1.1, from here."""
    context = json.loads((importlib.resources.files("rocrate") / "data/ro-crate.jsonld").read_text())
    context["@context"] |= TERMS_OF_1_1
    kind = {"Content-Type": "application/ld+json"}

    def send(adapter, request, **options):
        if request.url != "https://w3id.org/ro/crate/1.1/context":
            raise requests.ConnectionError(request.url)
        response = requests.Response()
        response.status_code, response.url, response.request = 200, request.url, request
        body = io.BytesIO(json.dumps(context).encode())
        response.raw = HTTPResponse(body, status=200, headers=kind, preload_content=False)
        response.headers.update(kind)
        return response

    monkeypatch.setattr(HTTPAdapter, "send", send)


def issues(crate: Path, cache: Path) -> list[str]:
    settings = {"rocrate_uri": str(crate), "profile_identifier": "workflow-run-crate", "cache_path": str(cache)}
    found = services.validate({**settings, "requirement_severity": Severity.REQUIRED})
    return [f"{issue.check.identifier}: {issue.message}" for issue in found.get_issues()]


def test_the_crate_is_a_valid_workflow_run(crate, offline, tmp_path):
    assert issues(crate, tmp_path / "cache") == []


def test_the_validator_sees_what_is_missing(crate, offline, tmp_path):
    metadata = crate / "ro-crate-metadata.json"
    described = json.loads(metadata.read_text())
    for entity in described["@graph"]:
        if entity["@type"] == "CreateAction":
            del entity["instrument"]
    metadata.write_text(json.dumps(described))
    assert issues(crate, tmp_path / "cache") != []


def test_every_result_is_in_it_with_its_hash(crate, project):
    files = {entity.id: entity for entity in ROCrate(crate).data_entities}
    results = [path for folder in ("tables", "figures") for path in sorted((project / "results" / folder).iterdir())]
    assert len(results) == 8
    for path in results:
        name = str(path.relative_to(project))
        assert files[name]["sha256"] == sha256(path) == sha256(crate / name)
    run = next(e for e in ROCrate(crate).get_entities() if e.type == "CreateAction")
    assert {entity.id for entity in run["result"]} == {str(path.relative_to(project)) for path in results}
    assert {"config.yaml", "data.txt"} <= {entity.id for entity in run["object"]}
    assert {"Snakefile", "code/table.py"} <= set(files)
    assert sum(name.startswith("results/provenance/records/") for name in files) == 4


def test_a_run_that_does_not_hold_is_no_crate(project, tmp_path):
    (project / "results/tables/one.csv").write_text("value\n1\n")
    result = CliRunner().invoke(app, ["crate", str(tmp_path / "crate")])
    assert result.exit_code == 1
    assert "the results are CHANGED; see `bpstudy audit --all`" in " ".join(result.output.split())
    assert not (tmp_path / "crate").exists()


def test_a_folder_that_is_not_empty_is_left_alone(project, tmp_path):
    (tmp_path / "crate").mkdir()
    (tmp_path / "crate/mine").write_text("")
    result = CliRunner().invoke(app, ["crate", str(tmp_path / "crate")])
    assert result.exit_code == 1
    assert "is not empty" in " ".join(result.output.split())
    assert [path.name for path in (tmp_path / "crate").iterdir()] == ["mine"]
