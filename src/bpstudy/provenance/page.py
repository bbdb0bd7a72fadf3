"""A self-contained page that shows a figure and its full provenance."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

from bpstudy.files import atomic_path
from bpstudy.provenance.audit import RESULTS
from bpstudy.provenance.edges import Edge, Job, Verdict, edges_of, verdict_of
from bpstudy.provenance.embed import FORMATS
from bpstudy.provenance.record import now

KINDS = {".png": "image/png", ".svg": "image/svg+xml"}
TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("bpstudy.provenance", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def write_page(path: Path, file: Edge) -> None:
    """The page of one audited file."""
    kind = KINDS.get(Path(file.name).suffix)
    picture = None
    if kind and Path(file.name).is_file():
        picture = f"data:{kind};base64,{base64.b64encode(Path(file.name).read_bytes()).decode()}"
    jobs = _in_order(file)
    environments: list[Mapping[str, str]] = []
    for job in jobs:
        if job.record.versions not in environments:
            environments.append(job.record.versions)
    with atomic_path(path) as temporary:
        temporary.write_text(
            TEMPLATES.get_template("page.html.j2").render(
                file=file,
                verdict=verdict_of([file]),
                jobs=jobs,
                environments=environments,
                edges=list(edges_of([file])),
                picture=picture,
                when=_when(),
                again=_again,
            )
        )


def write_pages(folder: Path, files: Sequence[Edge]) -> None:
    """One page per figure and table (results/figures/a.png: figures/a.png.html), and an index."""
    pages = {file.name: f"{Path(file.name).relative_to(RESULTS)}.html" for file in files if _is_shown(file)}
    for file in files:
        if file.name in pages:
            write_page(folder / pages[file.name], file)
    index = TEMPLATES.get_template("index.html.j2").render(
        files=[(file, verdict_of([file]), pages.get(file.name)) for file in files],
        verdict=verdict_of(files),
        when=_when(),
    )
    with atomic_path(folder / "index.html") as temporary:
        temporary.write_text(index)


def _is_shown(file: Edge) -> bool:
    """Whether the file is the first output of its job, and a figure, the paper or a table."""
    first = next(iter(file.job.record.outputs), None) if file.job else None
    return file.name == first and Path(file.name).suffix in (*FORMATS, ".csv")


def _when() -> str:
    return now()[:19].replace("T", " ") + " UTC"


def _in_order(file: Edge) -> list[Job]:
    """All jobs, each before those that made its inputs."""
    found: dict[int, Job] = {}

    def visit(job: Job) -> None:
        if id(job) not in found:
            for edge in job.edges:
                if edge.job is not None:
                    visit(edge.job)
            found[id(job)] = job

    if file.job is not None:
        visit(file.job)
    return list(reversed(found.values()))


def _again(job: Job) -> str:
    """Whether the job can be run again on this machine with the files that are here."""
    needed = [edge for edge in job.edges if edge.kind in ("input", "code", "settings")]
    absent = [edge.name for edge in needed if edge.verdict is Verdict.MISSING]
    other = [edge.name for edge in needed if edge.verdict is Verdict.CHANGED]
    if absent:
        return f"Cannot be run again: {', '.join(absent)} is missing."
    if other:
        return f"Can be run again, but not identically: {', '.join(other)} has changed."
    return "Can be run again identically."
