"""What an audit says: verdicts, edges between results and what they were made of, and walks along them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from bpstudy.provenance.store import Record


class Verdict(StrEnum):
    """Verdict on an edge. OK means that it was checked, and nothing else."""

    OK = "OK"
    CHANGED = "CHANGED"
    MISSING = "MISSING"
    UNVERIFIABLE = "UNVERIFIABLE"


@dataclass(frozen=True)
class Edge:
    """Something a job (or, for kind `file`, the user) relied on, and whether it is unchanged."""

    kind: str
    name: str
    verdict: Verdict
    detail: str = ""
    job: Job | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Job:
    """A recorded job with everything it depended on."""

    record: Record
    edges: tuple[Edge, ...]


def edges_of(found: Iterable[Edge]) -> Iterator[Edge]:
    """These edges and all edges behind them, those of each job once."""
    waiting, seen = list(found), set()
    while waiting:
        edge = waiting.pop()
        yield edge
        if edge.job is not None and id(edge.job) not in seen:
            seen.add(id(edge.job))
            waiting.extend(edge.job.edges)


def jobs_of(found: Iterable[Edge]) -> list[Job]:
    """All jobs behind these edges, each once."""
    return list({id(edge.job): edge.job for edge in edges_of(found) if edge.job is not None}.values())


def verdict_of(found: Iterable[Edge]) -> Verdict:
    """The worst verdict of all edges: known faults before what cannot be verified."""
    verdicts = {edge.verdict for edge in edges_of(found)}
    worst = (Verdict.CHANGED, Verdict.MISSING, Verdict.UNVERIFIABLE)
    return next((verdict for verdict in worst if verdict in verdicts), Verdict.OK)
