"""The records of all jobs, looked up by what they wrote.

A record is a file named by the hash of its content; that of a chunk of dynamics is stored beside the chunk.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bpstudy.files import atomic_path
from bpstudy.provenance import record as records
from bpstudy.provenance.lineage import lineage_id, lineage_of

FOLDER = "provenance"


@dataclass(frozen=True)
class Record:
    """What a job made, and from what."""

    id: str
    content: Mapping[str, Any]
    intact: bool = True

    @property
    def _definition(self) -> Mapping[str, Any]:
        return self.content["predicate"]["buildDefinition"]

    @property
    def rule(self) -> str:
        return self._definition["buildType"].removeprefix("bpstudy/")

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self._definition["externalParameters"]

    @property
    def internal(self) -> Mapping[str, Any]:
        return self._definition["internalParameters"]

    @property
    def outputs(self) -> dict[str, str]:
        """{file: sha256}"""
        return {entry["name"]: entry["digest"]["sha256"] for entry in self.content["subject"]}

    @property
    def inputs(self) -> dict[str, str]:
        """{file: sha256} of the data it read."""
        return self._files(None)

    @property
    def code(self) -> dict[str, str]:
        """{file: sha256} of the source files it depends on."""
        return self._files("code")

    def _files(self, kind: str | None) -> dict[str, str]:
        return {
            entry["name"]: entry["digest"]["sha256"]
            for entry in self._definition["resolvedDependencies"]
            if "sha256" in entry["digest"] and entry.get("annotations", {}).get("kind") == kind
        }

    @property
    def repository(self) -> Mapping[str, str]:
        """Its commit as `gitCommit` and, if the tree was not clean, `uncommittedSha256`."""
        for entry in self._definition["resolvedDependencies"]:
            if "gitCommit" in entry["digest"]:
                return entry["digest"]
        return {}

    @property
    def versions(self) -> Mapping[str, str]:
        return self.content["predicate"]["runDetails"]["builder"]["version"]

    @property
    def started(self) -> str:
        return self.content["predicate"]["runDetails"]["metadata"]["startedOn"]

    @property
    def finished(self) -> str:
        return self.content["predicate"]["runDetails"]["metadata"]["finishedOn"]

    @cached_property
    def lineage(self) -> str:
        """The id of the lineage that the job's pictures carry."""
        wildcards = self.internal.get("wildcards", {})
        return lineage_id(lineage_of(self.rule, wildcards, self.parameters, self.inputs, self.code))


def read_record(path: Path, *, named_by_hash: bool = False) -> Record:
    """A record from its file, marked as not intact if its name must be its hash and is not.

    Raises:
        ValueError: it is not a record.
    """
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    try:
        record = Record(
            path.stem if named_by_hash else found, json.loads(content), not named_by_hash or path.stem == found
        )
        record.outputs, record.inputs, record.parameters, record.versions, record.finished  # noqa: B018
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{path}: is not a record of provenance") from None
    return record


def record_of_lineage(lineage: str) -> Record:
    """What the lineage embedded in a picture says about its job, when the record itself is not available.

    Raises:
        ValueError: it is not a lineage.
    """
    try:
        told = json.loads(lineage)
        dependencies = [records.resource(name, digest) for name, digest in told.get("inputs", {}).items()]
        dependencies += [records.resource(name, digest, "code") for name, digest in told.get("code", {}).items()]
        definition = {
            "buildType": f"bpstudy/{told['rule']}",
            "externalParameters": told.get("parameters", {}),
            "internalParameters": {"wildcards": told.get("wildcards", {}), "threads": None},
            "resolvedDependencies": dependencies,
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("its embedded text is not a lineage") from None
    details = {"builder": {"version": {}}, "metadata": {"startedOn": "", "finishedOn": ""}}
    return Record(
        lineage_id(lineage), {"subject": [], "predicate": {"buildDefinition": definition, "runDetails": details}}
    )


class Store:
    """The records of a results folder, read once on first use."""

    def __init__(self, results: Path) -> None:
        self.results = results

    def add(self, record: Mapping[str, Any]) -> Path:
        """Write a record under the hash of its content."""
        content = records.as_json(record)
        name = hashlib.sha256(content).hexdigest()
        path = self.results / FOLDER / "records" / name[:2] / f"{name}.json"
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
        return path

    @cached_property
    def records(self) -> list[Record]:
        """All records, oldest first."""
        of_jobs = [read_record(path, named_by_hash=True) for path in self.results.glob(f"{FOLDER}/records/??/*.json")]
        of_chunks = map(read_record, self.results.glob("dynamics/*/chunks/*.record.json"))
        return sorted([*of_jobs, *of_chunks], key=lambda record: (record.finished, record.id))

    @cached_property
    def _by_digest(self) -> dict[str, list[Record]]:
        return _grouped((digest, record) for record in self.records for digest in record.outputs.values())

    @cached_property
    def _by_name(self) -> dict[str, list[Record]]:
        return _grouped((name, record) for record in self.records for name in record.outputs)

    @cached_property
    def _by_lineage(self) -> dict[str, list[Record]]:
        return _grouped((record.lineage, record) for record in self.records)

    def made(self, digest: str, name: str | None = None, lineage: str | None = None) -> Record | None:
        """The newest job that wrote this content; of several, one that wrote it to `name` or with that lineage."""
        found = self._by_digest.get(digest, [])
        named = [record for record in found if record.outputs.get(name or "") == digest]
        alike = [record for record in found if record.lineage == lineage]
        return next(reversed(named or alike or found), None)

    def wrote(self, name: str, digest: str) -> Record | None:
        """The newest job that wrote this content to this file; one that wrote it elsewhere did not make this file."""
        return next(
            (record for record in reversed(self._by_name.get(name, [])) if record.outputs[name] == digest), None
        )

    def last_to_write(self, name: str) -> Record | None:
        """The newest job that wrote a file of this name, whatever its content."""
        return next(reversed(self._by_name.get(name, [])), None)

    def of_lineage(self, lineage: str) -> Record | None:
        """The newest job of this lineage."""
        return next(reversed(self._by_lineage.get(lineage, [])), None)

    def by_id(self, identifier: str) -> Record | None:
        """The record of this id."""
        return next((record for record in self.records if record.id == identifier), None)

    def names(self) -> Iterable[str]:
        """Every file that a job wrote."""
        return self._by_name.keys()


def _grouped(pairs: Iterable[tuple[str, Record]]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for key, record in pairs:
        groups[key].append(record)
    return groups
