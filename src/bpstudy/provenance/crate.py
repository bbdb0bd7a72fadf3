"""A run as a Workflow Run RO-Crate: https://w3id.org/ro/wfrun/workflow/0.5, https://w3id.org/ro/crate/1.1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rocrate.model import ContextEntity
from rocrate.model.computationalworkflow import ComputationalWorkflow
from rocrate.model.file import File
from rocrate.rocrate import ROCrate

import bpstudy
from bpstudy.provenance.audit import RESULTS
from bpstudy.provenance.edges import Edge, Verdict, jobs_of, verdict_of
from bpstudy.provenance.store import FOLDER, Record

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
SHA256 = "https://w3id.org/ro/terms/workflow-run#sha256"
LICENCE = "https://spdx.org/licenses/MIT"
FORMATS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".keras": "application/zip",
    ".npy": "application/x-npy",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}


class CrateError(ValueError):
    """The run cannot be packaged; the message says why."""


def write_crate(folder: Path, found: Sequence[Edge]) -> None:
    """Copy a run into a new folder and describe it there: workflow, configuration, inputs, results, records.

    Args:
        found: all results, audited (`Auditor.everything`).

    Raises:
        CrateError: there are no results, not all their edges are OK, or the folder is not empty.
    """
    verdict = verdict_of(found)
    if not found or verdict is not Verdict.OK:
        raise CrateError(f"the results are {verdict if found else 'missing'}; see `bpstudy audit --all`")
    if folder.exists() and any(folder.iterdir()):
        raise CrateError(f"{folder} is not empty; choose a new folder")
    records = [job.record for job in jobs_of(found)]
    digests = {name: digest for record in records for of in (record.inputs, record.code) for name, digest in of.items()}
    digests |= {name: digest for record in records for name, digest in record.outputs.items()}
    results = [edge.name for edge in found]
    laid_over = [name for record in records for name in record.internal.get("configuration", {}).get("files", [])]
    sources = sorted(
        {"config.yaml", *laid_over, *(name for record in records for name in record.inputs)} - set(results)
    )
    code = sorted({name for record in records for name in record.code} | set(map(str, Path("workflow").rglob("*.smk"))))

    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms["sha256"] = SHA256
    crate.name = "A run of bpstudy"
    crate.description = f"{len(records)} recorded jobs: what they read and what they made, every edge of it checked."
    crate.license = crate.add(_entity(crate, LICENCE, "CreativeWork", name="MIT licence", identifier=LICENCE))

    def files(names: Sequence[str]) -> list[File]:
        return [_file(crate, name, digests.get(name)) for name in names if Path(name).is_file()]

    versions = {record.versions["snakemake"] for record in records if "snakemake" in record.versions}
    workflow = crate.add_workflow("Snakefile", "Snakefile", main=True, lang="snakemake", lang_version=max(versions))
    workflow["name"], workflow["version"] = "bpstudy", bpstudy.__version__
    workflow["input"] = [_parameter(crate, "configuration", "the settings of the study, and what it reads")]
    workflow["output"] = [_parameter(crate, "results", "figures, tables, models, the paper")]
    given, made = files(sources), files(results)
    files(code)
    files([str(RESULTS / FOLDER / "records" / record.id[:2] / f"{record.id}.json") for record in records])
    _run(crate, workflow, records, given, made)
    crate.root_dataset["conformsTo"] = [
        crate.add(_entity(crate, address, "CreativeWork", name=name, version=address.rsplit("/", 1)[1]))
        for address, name in PROFILES.items()
    ]
    crate.write(folder)


def _run(
    crate: ROCrate, workflow: ComputationalWorkflow, records: Sequence[Record], given: list[File], made: list[File]
) -> None:
    """The run itself: when, of what, to what."""
    run = crate.add(
        _entity(
            crate,
            "#run",
            "CreateAction",
            name="the run of the workflow",
            startTime=min(record.started for record in records),
            endTime=max(record.finished for record in records),
            actionStatus="http://schema.org/CompletedActionStatus",
        )
    )
    run["instrument"], run["object"], run["result"] = workflow, given, made
    crate.root_dataset["mentions"] = [run]


def _file(crate: ROCrate, name: str, digest: str | None) -> File:
    """A file of the project, at the same place in the crate."""
    path = Path(name)
    told = {"name": name, "contentSize": str(path.stat().st_size)}
    if digest is not None:
        told["sha256"] = digest
    if path.suffix in FORMATS:
        told["encodingFormat"] = FORMATS[path.suffix]
    return crate.add_file(name, name, properties=told)


def _parameter(crate: ROCrate, name: str, description: str) -> ContextEntity:
    told = {"name": name, "description": description, "additionalType": "File", "conformsTo": {"@id": PARAMETER}}
    return crate.add(_entity(crate, f"#{name}", "FormalParameter", **told))


def _entity(crate: ROCrate, identifier: str, kind: str, /, **told: object) -> ContextEntity:
    return ContextEntity(crate, identifier, properties={"@type": kind, **told})
