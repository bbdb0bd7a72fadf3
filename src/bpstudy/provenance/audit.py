"""Traces a result back to the settings, hashes everything again, and gives a verdict on every edge."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bpstudy.checksums import sha256
from bpstudy.dynamics import archive
from bpstudy.provenance.commit import has_commit, holds, refusal
from bpstudy.provenance.edges import Edge, Job, Verdict
from bpstudy.provenance.embed import FORMATS, embedded
from bpstudy.provenance.judge import environment_edge, settings_edge
from bpstudy.provenance.lineage import lineage_id
from bpstudy.provenance.store import FOLDER, Record, Store, read_record, record_of_lineage
from bpstudy.provenance.workflow import CurrentWorkflow, PlanError

RESULTS = Path("results")
NOT_RESULTS = (FOLDER, "logs", "benchmarks", "audit", "report.html", "crate")  # of the folder: they describe results
PLAIN: Mapping[str, Any] = {"files": [], "values": {}}  # config.yaml with nothing laid over it


class Auditor:
    """Audits files of the project in the working directory, with the records of its results folder."""

    def __init__(self, results: Path = RESULTS) -> None:
        self.results = results
        self.store = Store(results)
        self._hashes: dict[str, str | None] = {}
        self._jobs: dict[tuple[str, str], Job] = {}
        self._workflows: dict[str, CurrentWorkflow] = {}

    def hash_all(self) -> None:
        """Hash every file of the results and of their records at once, on all cores."""
        named = {name for record in self.store.records for name in (*record.outputs, *record.inputs, *record.code)}
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            list(pool.map(self._hash, named | {str(path) for path in self._files()}))

    def everything(self) -> list[Edge]:
        """Every result, and every missing file that a job of the current workflow made."""
        self.hash_all()
        there = [str(path) for path in self._files()]
        gone = sorted(set(self.store.names()) - set(there))
        found = [self.file(Path(name)) for name in there]
        found += [self.file(Path(name)) for name in gone if self._is_planned(name)]
        return found

    def file(self, path: Path) -> Edge:
        """A figure, table, model, trajectory or the paper, wherever it is and whatever its name."""
        name = self._name(path)
        digest = self._hash(name)
        last = self.store.last_to_write(name)
        if digest is None:
            made = f"; {last.rule} made it" if last else ""
            return Edge("file", name, Verdict.MISSING, f"there is no such file{made}")
        try:
            lineage = embedded(path)
        except ValueError as error:
            lineage, damage = None, f" ({error})"
        else:
            damage = ""
        record = self.store.made(digest, name, lineage_id(lineage) if lineage else None)
        if last and last.outputs[name] != digest:
            return self._other_content(name, last, record, lineage, damage)
        if record:
            copied = "" if name in record.outputs else f"a copy of {_written_as(record, digest)}"
            if path.suffix in FORMATS and (lineage is None or lineage_id(lineage) != record.lineage):
                return Edge(
                    "file", name, Verdict.CHANGED, "its lineage differs from that of its record", self.job(record)
                )
            return Edge("file", name, Verdict.OK, copied, self.job(record))
        if known := self.store.by_id(digest):
            return Edge("file", name, Verdict.OK, "the record itself", self.job(known))
        if number := _archived(path):
            return Edge("file", name, Verdict.OK, "archived", self._archived_chunk(path.parent, number, PLAIN))
        return self._unknown(name, path, lineage, damage)

    def _other_content(self, name: str, last: Record, record: Record | None, lineage: str | None, damage: str) -> Edge:
        """A file of the results that differs from what the last job wrote there."""
        if record and name in record.outputs:
            text = f"is from an earlier run of {record.rule} ({record.finished}), not the last ({last.finished})"
        elif record:
            text = f"is {next(iter(record.outputs))}, made by {record.rule}; {last.rule} wrote something else here"
        elif lineage and lineage_id(lineage) != last.lineage:
            text = f"is not what {last.rule} wrote, and carries another lineage"
        elif lineage is None and Path(name).suffix in FORMATS:
            text = f"is not what {last.rule} wrote, and carries no lineage{damage}"
        else:
            text = f"is not what {last.rule} wrote"
        return Edge("file", name, Verdict.CHANGED, text, self.job(last))

    def _unknown(self, name: str, path: Path, lineage: str | None, damage: str) -> Edge:
        """A file whose content is in no record."""
        if lineage is None:
            missing = f" and it carries no lineage{damage}" if path.suffix in FORMATS else ""
            return Edge("file", name, Verdict.UNVERIFIABLE, f"its content is in no record{missing}")
        record = self.store.of_lineage(lineage_id(lineage))
        if record:
            text = f"carries the lineage of {next(iter(record.outputs))}, but is not what {record.rule} wrote"
            return Edge("file", name, Verdict.CHANGED, text, self.job(record))
        try:
            told = record_of_lineage(lineage)
        except ValueError as error:
            return Edge("file", name, Verdict.CHANGED, str(error))
        text = f"made by {told.rule} in another run: its content is in no record here"
        return Edge("file", name, Verdict.UNVERIFIABLE, text, self.job(told))

    def job(self, record: Record, configuration: Mapping[str, Any] | None = None) -> Job:
        """A job and everything it depended on.

        Args:
            configuration: that of the dependent job, for a record without its own.
        """
        configuration = record.internal.get("configuration") or configuration or PLAIN
        key = (record.id, repr(configuration))
        if key not in self._jobs:
            edges = [
                *self._record(record),
                *(self._input(name, digest, configuration) for name, digest in record.inputs.items()),
                *(self._content("code", name, digest) for name, digest in record.code.items()),
                *self._settings(record, configuration),
                *self._commit(record),
            ]
            self._jobs[key] = Job(record, tuple(edges))
        return self._jobs[key]

    def _record(self, record: Record) -> Iterator[Edge]:
        if not record.intact:
            yield Edge("record", record.id, Verdict.CHANGED, "its content does not match its name, which is its hash")

    def _content(self, kind: str, name: str, digest: str, job: Job | None = None, detail: str = "") -> Edge:
        found = self._hash(name)
        if found is None:
            return Edge(kind, name, Verdict.MISSING, "the file no longer exists", job)
        if found != digest:
            text = f"sha256 {found[:12]}…, it was {digest[:12]}…"
            known = self.store.made(found)
            if known and name not in known.outputs:
                text += f"; it is {_written_as(known, found)}"
            return Edge(kind, name, Verdict.CHANGED, text, job)
        return Edge(kind, name, Verdict.OK, detail, job)

    def _input(self, name: str, digest: str, configuration: Mapping[str, Any]) -> Edge:
        maker = self.store.wrote(name, digest)
        if maker:
            return self._content("input", name, digest, self.job(maker, configuration))
        if number := _archived(Path(name)):
            return self._content("input", name, digest, self._archived_chunk(Path(name).parent, number, configuration))
        edge = self._content("input", name, digest, detail="source")
        if edge.verdict is Verdict.OK and Path(name).is_relative_to(self.results):
            return Edge("input", name, Verdict.UNVERIFIABLE, "there is no record of how it was made")
        return edge

    def _settings(self, record: Record, configuration: Mapping[str, Any], *, archived: bool = False) -> Iterator[Edge]:
        """The parameters, the names of inputs and the environment, compared with the current workflow."""
        try:
            planned = self._workflow(configuration).planned(record)
        except PlanError as error:
            yield Edge("settings", record.rule, Verdict.UNVERIFIABLE, str(error))
            planned = None
        else:
            yield settings_edge(record, planned, archived=archived)
        yield environment_edge(record, planned, archived=archived)

    def _commit(self, record: Record) -> Iterator[Edge]:
        """Outside a repository there is no edge: the source files are compared one by one in any case."""
        commit = record.repository.get("gitCommit")
        if commit is None:
            if reason := record.internal.get("commitUnknown"):
                yield Edge("commit", "not recorded", Verdict.UNVERIFIABLE, f"git gave no commit to the job: {reason}")
            return
        if uncommitted := record.repository.get("uncommittedSha256"):
            text = f"made from a tree with changes that were not committed ({uncommitted[:12]}…)"
            yield Edge("commit", commit, Verdict.UNVERIFIABLE, text)
        elif has_commit(commit):
            yield Edge("commit", commit, Verdict.OK)
        elif reason := refusal(Path.cwd()):
            yield Edge("commit", commit, Verdict.UNVERIFIABLE, f"git cannot be asked for it: {reason}")
        else:
            yield Edge("commit", commit, Verdict.UNVERIFIABLE, "this repository does not contain that commit")

    def _commit_of_chunk(self, record: Record) -> Iterator[Edge]:
        """As `_commit`; but all that an archived chunk depends on in the repository are the source files it names."""
        commit = record.repository.get("gitCommit", "")
        if "uncommittedSha256" in record.repository and record.code and holds(commit, record.code):
            detail = "there were uncommitted changes beside the source files, which are those of the commit"
            yield Edge("commit", commit, Verdict.OK, detail)
        else:
            yield from self._commit(record)

    def _archived_chunk(self, folder: Path, number: str, configuration: Mapping[str, Any]) -> Job:
        """An archived chunk: its files are compared with the manifest, its state and its start with its record."""
        key = (f"{folder}/{number}", repr(configuration))
        if key in self._jobs:
            return self._jobs[key]
        path = folder / f"{number}.record.json"
        try:
            record = read_record(path)
        except (OSError, ValueError) as error:
            nothing = record_of_lineage('{"rule": "dynamics_chunk"}')
            return Job(nothing, (Edge("record", str(path), Verdict.UNVERIFIABLE, str(error)),))
        edges = []
        try:
            archive.verify(folder, number, archive.suffixes_of(record.rule))
        except archive.ArchiveError as error:
            edges.append(Edge("archive", str(folder / archive.MANIFEST), Verdict.CHANGED, str(error)))
        else:
            edges.append(Edge("archive", str(folder / archive.MANIFEST), Verdict.OK, "files as archived"))
        for name, digest in record.outputs.items():
            if name.endswith(".state.json"):  # the frames are kept in single precision: the manifest vouches for them
                edges.append(self._content("output", str(folder / f"{number}.state.json"), digest))
        for name, digest in record.inputs.items():
            before = Path(name).name
            started_from = self._archived_chunk(folder, before.split(".")[0], configuration)
            edges.append(self._content("input", str(folder / before), digest, started_from))
        edges += [*self._settings(record, configuration, archived=True), *self._commit_of_chunk(record)]
        self._jobs[key] = Job(record, tuple(edges))
        return self._jobs[key]

    def _workflow(self, configuration: Mapping[str, Any]) -> CurrentWorkflow:
        return self._workflows.setdefault(repr(configuration), CurrentWorkflow(configuration))

    def _is_planned(self, name: str) -> bool:
        record = self.store.last_to_write(name)
        if record is None:
            return False
        try:
            return self._workflow(record.internal.get("configuration") or PLAIN).planned(record) is not None
        except PlanError:
            return True

    def _files(self) -> list[Path]:
        """All results, without their records, logs and reports."""
        found = (path for path in self.results.rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path for path in found if path.relative_to(self.results).parts[0] not in NOT_RESULTS)

    def _hash(self, name: str) -> str | None:
        if name not in self._hashes:
            self._hashes[name] = sha256(name) if Path(name).is_file() else None
        return self._hashes[name]

    @staticmethod
    def _name(path: Path) -> str:
        """The name of a project file in records; other files keep theirs."""
        absolute, here = path.absolute(), Path.cwd()
        return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(path)


def _written_as(record: Record, digest: str) -> str:
    return next(name for name, written in record.outputs.items() if written == digest)


def _archived(path: Path) -> str | None:
    """The number of the chunk that a file of an archive belongs to."""
    kind = next((suffix for suffix in archive.SUFFIXES if path.name.endswith(suffix)), None)
    if kind is None or not (path.parent / archive.MANIFEST).is_file():
        return None
    return path.name.removesuffix(kind)
