"""`bpstudy choose`."""

from pathlib import Path
from typing import Annotated

import typer

from bpstudy.cli.messages import fail

SHARE_OF_THE_END = 0.3  # of the time until the first fit: what the files, the page and the potential take at the end


def choose(
    data: Annotated[list[Path], typer.Argument(help="training frames with energies (and forces), any format of ASE")],
    test: Annotated[list[Path] | None, typer.Option(help="test frames; default: part of the data is held out")] = None,
    budget: Annotated[list[int] | None, typer.Option(help="number of functions; may be repeated", min=1)] = None,
    method: Annotated[list[str] | None, typer.Option(help="selection method; may be repeated")] = None,
    minutes: Annotated[float, typer.Option(help="total time; the less, the fewer seeds and sets", min=0)] = 10.0,
    seeds: Annotated[int, typer.Option(help="networks per set; 0: linear potentials only", min=0)] = 3,
    cutoff: Annotated[
        float | None, typer.Option(help="largest cutoff, Å; default: 2.3 nearest-neighbour distances")
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="type to leave out, e.g. G3 for n2p2")] = None,
    group: Annotated[
        str | None, typer.Option(help="key of the frames, e.g. config_type, by which they are grouped when split")
    ] = None,
    energy: Annotated[str | None, typer.Option(help="name of the energies, if the files have several")] = None,
    threads: Annotated[
        int | None, typer.Option(help="number of threads; default: all cores; results do not depend on it", min=1)
    ] = None,
    potential: Annotated[bool, typer.Option(help="fit a potential on the recommended set and write it")] = True,
    members: Annotated[
        int,
        typer.Option(
            help="networks in that potential; of several, the mean predicts and the spread is the uncertainty", min=1
        ),
    ] = 1,
    output: Annotated[Path, typer.Option(help="folder to write to")] = Path("chosen"),
) -> None:
    """Which symmetry functions for these data? Choose by several methods, fit, test, and recommend."""
    import os
    import time

    started, spent = time.monotonic(), dict[str, float]()

    from rich.console import Console

    from bpstudy.figures.selection_report import write_report
    from bpstudy.selection.methods import METHODS
    from bpstudy.selection.output import potential_line, summary, write
    from bpstudy.selection.pool import PoolSettings, make_pool
    from bpstudy.selection.potential import save_potential
    from bpstudy.selection.reading import apart, blocks, groups, held_out, read_data
    from bpstudy.selection.run import METHODS_OF_A_CHOICE, check_budgets, run
    from bpstudy.selection.setting import prepare
    from bpstudy.selection.trial import trial_fit
    from bpstudy.symmetry.functions import TYPES

    threads = threads or len(os.sched_getaffinity(0))

    def lap(what: str) -> float:
        """Minutes so far; those since the last call were of `what`."""
        elapsed = (time.monotonic() - started) / 60
        spent[what] = elapsed - sum(spent.values())
        return elapsed

    console = Console(stderr=True, highlight=False)
    try:
        for given, allowed, option in ((method, METHODS, "method"), (without, TYPES, "without")):
            if unknown := sorted(set(given or ()) - set(allowed)):
                raise ValueError(f"{option}: {unknown[0]!r}; allowed are {', '.join(sorted(allowed))}")
        frames = read_data(data, group, energy)
        if test:
            train, deciding = frames, read_data(test, group, energy)
        else:
            out = held_out(frames)
            train = [f for f, held in zip(frames, out, strict=True) if not held]
            deciding = [f for f, held in zip(frames, out, strict=True) if held]
        deciding, said = apart(train, deciding)
        budgets = budget or [8, 16, 24]
        types = tuple(kind for kind in PoolSettings().types if kind not in (without or ()))
        with console.status("functions of the pool") as status:
            folds = blocks(groups(train), min(5, len(train)))
            pool = make_pool(train, PoolSettings(cutoff=cutoff, types=types))
            check_budgets(pool, budgets)
            setting = prepare(train, folds, pool, threads=threads)
            before = lap("pool and equations")
            answer = run(
                setting,
                deciding,
                budgets,
                method or METHODS_OF_A_CHOICE,
                trial_fit() if seeds else None,
                range(seeds),
                minutes - before * (1 + SHARE_OF_THE_END),
                fits_after=members if potential else 0,
                say=status.update,
            )
        lap("choices and fits")
        files = write(answer, setting, output)
        lines = [*said, *summary(answer, setting, len(deciding))]
        if potential:
            with console.status("potential of the recommended set"):
                best = answer.candidates[answer.ranking.overall].functions
                units, place = setting.problem.tolerances, output / "potential"
                errors = save_potential(best, train, folds, units, deciding, place, members, threads=threads)
                lines.append(potential_line(errors, members))
                files.append(place)
        files.append(output / "report.html")
        write_report(answer, setting, lines, files[-1])
        elapsed = lap("files and potential" if potential else "files")
    except (OSError, ValueError) as error:
        fail(error)
    print("\n".join(lines))
    parts = ", ".join(f"{what} {took:.1f}" for what, took in spent.items())
    late = f"; {minutes:g} were given, too few for the first answer" if elapsed > 1.05 * minutes else ""
    print(f"minutes: {elapsed:.1f} ({parts}){late}")
    print(f"written: {', '.join(str(file) for file in files)}")
