"""An audit shown as a tree of the workflow's rules, or as JSON for programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from bpstudy.provenance.edges import Edge, Job, Verdict, edges_of, jobs_of, verdict_of
from bpstudy.provenance.recompute import Compared

STYLES = {Verdict.OK: "green", Verdict.CHANGED: "bold red", Verdict.MISSING: "bold red", Verdict.UNVERIFIABLE: "yellow"}
KINDS = ("record", "archive", "output", "settings", "code", "environment", "commit")  # of edges that lead to no job


def tree(edge: Edge) -> Tree:
    """A file and everything behind it: below each rule the rules that made its inputs; jobs of a rule are grouped.

    The inputs of a rule are shown where it appears first. Every edge that is not OK has a line of its own.
    """
    shown = Tree(_line(edge.verdict, edge.name, edge.detail))
    if edge.job:
        _grow(shown, [edge.job], set())
    return shown


def _grow(parent: Tree, jobs: Sequence[Job], seen: set[str]) -> None:
    """The jobs of one rule, and below them those that made their inputs."""
    rule = jobs[0].record.rule
    count = f"{len(jobs)} × " if len(jobs) > 1 else ""
    if rule in seen:
        parent.add(f"{count}[bold]{escape(rule)}[/bold] [dim](its inputs: see above)[/dim]")
        return
    seen.add(rule)
    branch = parent.add(f"{count}[bold]{escape(rule)}[/bold]  {_settings_summary(jobs)}")
    edges = [edge for job in jobs for edge in job.edges]
    for edge in edges:
        if edge.verdict is not Verdict.OK:
            branch.add(_line(edge.verdict, f"{edge.kind} {edge.name}", edge.detail))
    made_by: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        if edge.kind == "input":
            made_by[edge.job.record.rule if edge.job else ""].append(edge)
    for maker, inputs in made_by.items():
        files = list(dict.fromkeys(edge.name for edge in inputs))
        line = _line(verdict_of_these(inputs), _few(files), "" if maker else "a source")
        place = branch.add(line) if maker != rule else branch
        makers = list({id(edge.job): edge.job for edge in inputs if edge.job}.values())
        if makers and maker != rule:
            _grow(place, makers, seen)


def _settings_summary(jobs: Iterable[Job]) -> str:
    edges = [edge for job in jobs for edge in job.edges]
    parts = []
    for kind in KINDS:
        of_kind = {edge.name: edge for edge in edges if edge.kind == kind}
        if of_kind:
            verdict = verdict_of_these(edge for edge in edges if edge.kind == kind)
            files = f" ({len(of_kind)} files)" if kind == "code" else ""
            parts.append(f"[dim]{kind}{files}[/dim] [{STYLES[verdict]}]{verdict}[/]")
    return " ".join(parts)


def verdict_of_these(edges: Iterable[Edge]) -> Verdict:
    """The worst verdict of these edges alone."""
    return verdict_of([Edge(edge.kind, edge.name, edge.verdict) for edge in edges])


def _line(verdict: Verdict, name: str, detail: str = "") -> str:
    return f"[{STYLES[verdict]}]{verdict}[/] {escape(name)}" + (f" [dim]{escape(detail)}[/dim]" if detail else "")


def _few(names: Sequence[str]) -> str:
    """A single file by name, several by their number and kinds."""
    if len(names) == 1:
        return names[0]
    kinds = sorted({Path(name).name for name in names})
    return f"{len(names)} files: {', '.join(kinds[:3])}{', …' if len(kinds) > 3 else ''}"


def summary(found: Sequence[Edge]) -> str:
    """One line with the numbers of files, jobs and edges, and the overall verdict."""
    if not found:
        return "there are no results here"
    edges = list(edges_of(found))
    counts = {verdict: sum(edge.verdict is verdict for edge in edges) for verdict in Verdict}
    said = ", ".join(f"[{STYLES[verdict]}]{count} {verdict}[/]" for verdict, count in counts.items() if count)
    overall = verdict_of(found)
    return (
        f"[{STYLES[overall]}]{overall}[/]: {len(found)} file{'s' * (len(found) != 1)}, {len(jobs_of(found))} jobs, "
        f"{len(edges)} edges: {said}"
    )


def problems(found: Sequence[Edge]) -> list[str]:
    """One line per edge that is not OK: the file, the job that relied on it, and what is wrong."""
    lines = [_line(edge.verdict, edge.name, edge.detail) for edge in found if edge.verdict is not Verdict.OK]
    for job in jobs_of(found):
        made = _few(list(job.record.outputs)) or "elsewhere"
        for edge in job.edges:
            if edge.verdict is not Verdict.OK:
                where = f"{edge.detail}; {edge.kind} of {job.record.rule} → {made}"
                lines.append(_line(edge.verdict, edge.name, where))
    return lines


def recomputed(compared: Sequence[Compared]) -> list[str]:
    """One line per recomputed file."""
    return [_line(made.verdict, f"recomputed {made.name}", made.detail) for made in compared]


def as_json(found: Sequence[Edge], compared: Sequence[Compared] = ()) -> dict[str, Any]:
    """Files, the jobs behind them by the id of their records, the verdict, and recomputed files."""
    return {
        "verdict": verdict_of(found),
        "files": [_edge(edge) | {"all": verdict_of([edge])} for edge in found],
        "jobs": {
            job.record.id: {
                "rule": job.record.rule,
                "lineage": job.record.lineage,
                "parameters": job.record.parameters,
                "outputs": job.record.outputs,
                "finished": job.record.finished,
                "edges": [_edge(edge) for edge in job.edges],
            }
            for job in jobs_of(found)
        },
        "recomputed": [asdict(made) for made in compared],
    }


def _edge(edge: Edge) -> dict[str, Any]:
    described = {"kind": edge.kind, "name": edge.name, "verdict": edge.verdict, "detail": edge.detail}
    return described | {"job": edge.job.record.id if edge.job else None}
