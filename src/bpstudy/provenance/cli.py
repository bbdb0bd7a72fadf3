"""`bpstudy audit`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bpstudy.provenance import page, show
from bpstudy.provenance.audit import RESULTS, Auditor
from bpstudy.provenance.edges import Edge, Verdict, verdict_of
from bpstudy.provenance.recompute import Compared, RecomputeError, recompute
from bpstudy.provenance.why import why_different


def audit(
    files: Annotated[
        list[Path] | None, typer.Argument(help="figures, tables, models, the paper, or copies of them")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="all of results/")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print every edge as JSON")] = False,
    html: Annotated[Path | None, typer.Option(help="HTML page to write; with --all, a folder of pages")] = None,
    why: Annotated[bool, typer.Option("--why", help="explain at which step two files first differ")] = False,
    again: Annotated[bool, typer.Option("--recompute", help="run the last step again and compare")] = False,
    start: Annotated[
        str | None, typer.Option("--from", help="with --recompute: the stage or rule to start from")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="tolerance of recomputed numbers, relative to the largest in the column")
    ] = 1e-9,
    cores: Annotated[int, typer.Option(help="number of cores for --recompute")] = 1,
) -> None:
    """Trace results back to the settings, hashing every step again. Exits with 0 if all is OK, otherwise with 1."""
    named = files or []
    if bool(named) == everything:
        raise typer.BadParameter("name files, or use --all")
    if (why and len(named) != 2) or ((again or (html and not everything)) and len(named) != 1):
        raise typer.BadParameter("--why takes two files, --recompute and --html take one")
    if start and not again:
        raise typer.BadParameter("--from belongs to --recompute")
    auditor, console = Auditor(), Console(highlight=False)
    try:
        found = auditor.everything() if everything else [auditor.file(file) for file in named]
        if why:
            console.print(why_different(auditor.store, *found))
            return
        compared = recompute(found[0], RESULTS, start, tolerance, cores) if again else []
    except (ValueError, RecomputeError) as error:
        Console(stderr=True).print(f"error: {error}", style="red", highlight=False, markup=False)
        raise typer.Exit(1) from None
    if html and everything:
        page.write_pages(html, found)
    elif html:
        page.write_page(html, found[0])
    if as_json:
        json.dump(show.as_json(found, compared), sys.stdout, indent=1, ensure_ascii=False)
    else:
        _print(console, found, compared, everything)
    verdicts = {verdict_of(found), *(made.verdict for made in compared)}
    raise typer.Exit(0 if found and verdicts == {Verdict.OK} else 1)


def _print(console: Console, found: list[Edge], compared: list[Compared], everything: bool) -> None:
    for line in show.problems(found) if everything else map(show.tree, found):
        console.print(line)
    console.print(show.summary(found))
    for line in show.recomputed(compared):
        console.print(line)


def crate(folder: Annotated[Path, typer.Argument(help="new folder to copy the run to")]) -> None:
    """Write the run as a Workflow Run RO-Crate: workflow, configuration, inputs, results and their records."""
    from bpstudy.provenance.crate import CrateError, write_crate  # half a second, for this command only

    try:
        write_crate(folder, Auditor().everything())
    except CrateError as error:
        Console(stderr=True).print(f"error: {error}", style="red", highlight=False, markup=False)
        raise typer.Exit(1) from None
    print(f"{folder}: {sum(path.is_file() for path in folder.rglob('*'))} files")
