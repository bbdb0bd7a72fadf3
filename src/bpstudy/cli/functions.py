"""`bpstudy functions`."""

from pathlib import Path
from typing import Annotated

import typer

from bpstudy.cli.messages import fail


def functions(
    file: Annotated[Path, typer.Argument(help="`symfunction_short` lines (n2p2, RuNNer), or a set as JSON")],
    data: Annotated[
        list[Path] | None, typer.Option(help="structures on which to judge the set, any format of ASE; may be repeated")
    ] = None,
    unit: Annotated[str, typer.Option(help="unit of length in the file: bohr or angstrom")] = "bohr",
    frames: Annotated[int, typer.Option(help="maximum number of frames, evenly spaced", min=1)] = 100,
    csv: Annotated[Path | None, typer.Option(help="table to write, one row per function")] = None,
) -> None:
    """Examine a set of symmetry functions: dead, duplicate and costly functions, its rank, and what can be dropped."""
    import numpy as np
    import pandas as pd
    from rich.console import Console

    from bpstudy.files import check_output, read_text, write_table
    from bpstudy.selection.judge import judge
    from bpstudy.selection.reading import read_frames
    from bpstudy.selection.writers import UNITS
    from bpstudy.symmetry import SymmetryFunctions, from_n2p2

    try:
        if unit not in UNITS:
            raise ValueError(f"unit: {unit!r}; allowed are {', '.join(UNITS)}")
        if csv is not None:
            check_output(csv, "--csv", [file, *(data or [])])
        text = read_text(file)
        try:
            is_json = text.lstrip().startswith("{")
            sets = {"": SymmetryFunctions.from_json(text)} if is_json else from_n2p2(text, UNITS[unit])
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
        known = read_frames(data) if data else []
        there = {symbol for frame in known for symbol in frame.get_chemical_symbols()}
        if missing := sorted(set(sets) - {""} - there if known else set()):
            raise ValueError(
                f"{file}: has functions of {', '.join(missing)}; the frames of --data have {', '.join(sorted(there))}"
            )
        chosen = [known[k] for k in np.unique(np.linspace(0, len(known) - 1, min(frames, len(known))).astype(int))]
        console, tables = Console(width=200, highlight=False), []
        for element, of in sets.items():
            verdict = judge(of, chosen)
            for line in verdict.lines():
                console.print(f"{element + ': ' if element else ''}{line}", markup=False)
            tables.append(verdict.table.assign(element=element))
    except (OSError, ValueError) as error:
        fail(error)
    if csv is not None:
        write_table(csv, pd.concat(tables, ignore_index=True))
        print(f"written: {csv}")
