"""A configuration for a user's own data: which frames train, validate and test, and what is left as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bpstudy.config.datasets import BLOCKS, FILE, Imported
from bpstudy.config.study import Config, load
from bpstudy.config.systems import Strained
from bpstudy.data import formats, names
from bpstudy.data.errors import TrajectoryError
from bpstudy.data.inspection import inspect

FEWEST_FRAMES = 40
FEWEST_GROUPS, LARGEST_GROUP = 8, 0.6  # groups that can be split: so many, none with more than this share
TESTED = 12  # frames that a test set has at the least: ten are needed to compare experiments
MOST_STEPS = {"levenberg-marquardt": 60, "lbfgs": 1000, "adam": 1000}
MOST_ROWS = 20_000  # atoms in all of the frames trained on: with more, a fit takes minutes
COUNTERS = (None, r"\d+ of \d+", r"(?i)\b(snapshot|frame|step|image|configuration)\W*\d+")  # numbers of a snapshot
MINE, TEST = "mine", "mine-test"


@dataclass(frozen=True)
class Proposal:
    """The overlay as text, and what it says of the data."""

    text: str
    described: str


def propose(values: Mapping[str, Any], files: Sequence[str], test: str | None, named: Mapping[str, Any]) -> Proposal:
    """An overlay on the configuration `values` that studies these files.

    Args:
        files: of the frames to train, validate and test on; `test`: a file that is only tested on.
        named: keys of `systems.<name>` that the user gave: energy, forces, units, format.

    Raises:
        TrajectoryError: frames that cannot be used, or too few.
    """
    study = load(values)
    inspected = inspect(Imported.model_validate({"files": list(files), **named}))
    count = len(inspected)
    if count < FEWEST_FRAMES:
        raise TrajectoryError(f"{count} frames: at least {FEWEST_FRAMES} are needed to train, validate and test")
    first = next(iter(formats.read_raw(Path(files[0]), inspected.declared.format, inspected.declared.elements)))
    found = names.find_names(first, f"{files[0]}, frame 0", named.get("energy"), named.get("forces"))
    system = {"files": list(files), "energy": found.energy}
    if found.forces:
        system["forces"] = found.forces
    system |= {key: value for key, value in named.items() if key not in ("energy", "forces")}
    share = round(min(0.3, max(0.1, TESTED / count)), 2)
    splitting = _splitting(files, inspected.declared)
    split = splitting | {"validation": round(min(0.2, max(0.1, 6 / count)), 2), "test": share}
    if splitting["by"] == BLOCKS:
        split["gap_frames"] = max(1, count // 100)
    described = _described(inspected.table, bool(found.forces))
    lines = [
        "# Your data, laid over config.yaml: `snakemake --cores 2 --configfile mine.yaml`. What is not named stays.",
        f"# {described}",
        "systems:",
        f"  {MINE}:",
        *(f"    {key}: {_plain(value)}" for key, value in system.items()),
        f"    split: {_plain(split)} # what shares `by` stays together",
    ]
    if test is not None:
        lines.append(f"  {TEST}: {_plain(system | {'files': [test]})}")
    lines += [f"  {name}: null # the study's own, and what is fitted to it" for name in _strained(study)]
    lines += [
        f"unit_functions: {{system: {MINE}}}",
        "frames: # of parts of the split; `count` (at the most) or `share` take fewer, null leaves a test out",
        *(f"  {name}: {_plain(choice)}" for name, choice in _choices(study, test is not None, inspected.table).items()),
        "seeds: [0, 1, 2] # of the networks; more give narrower intervals",
        f"optimizers: {_plain(_steps(study))} # at the most",
    ]
    if study.with_forces is not None:
        lines.append(f"with_forces: {f'{{runs: {{reference: {MINE}}}}}' if found.forces else 'null # no forces'}")
    return Proposal("\n".join(lines) + "\n", described)


def _choices(study: Config, tested: bool, table: pd.DataFrame) -> dict[str, dict[str, Any] | None]:
    """What each choice of frames of the study becomes, by what it is for."""
    curves, forces = study.learning_curves, study.with_forces
    deciding = {study.comparisons.decided_on, curves.held_out} | ({forces.held_out} if forces else set())
    deciding |= {study.selection.held_out} if study.selection else set()
    held_out = {name for experiment in study.experiments.values() for name in experiment.held_out} | deciding
    validating = {experiment.validation for experiment in study.experiments.values()}
    found: dict[str, dict[str, Any] | None] = {}
    most = max(FEWEST_FRAMES, round(MOST_ROWS / table["n_atoms"].mean()))
    for name, frames in study.frames.items():
        if frames.system in _strained(study):
            continue
        if name in deciding and tested:
            found[name] = {"system": TEST, "part": "all"}
        elif name in held_out:
            found[name] = {"system": MINE, "part": "test"} if tested or name in deciding else None
        else:
            many = most < min(len(table), frames.count or len(table)) and name != curves.frames
            fewer = {"count": most} if many else {}  # learning curves say themselves how many frames they take
            found[name] = {"system": MINE, "part": "validation" if name in validating else "train"} | fewer
    return found


def _strained(study: Config) -> list[str]:
    """Strained cells of a crystal that is not the user's."""
    return [name for name, system in study.systems.items() if isinstance(system, Strained)]


def _steps(study: Config) -> dict[str, dict[str, int]]:
    """Fewer steps of the optimizers than the paper's, where it has more: they suit data of hundreds of frames."""
    return {
        name: {"max_iterations": MOST_STEPS[of.name]}
        for name, of in study.optimizers.items()
        if of.max_iterations > MOST_STEPS[of.name] and any(e.optimizer == name for e in study.experiments.values())
    }


def _splitting(files: Sequence[str], declared: Imported) -> dict[str, str]:
    """The coarsest key that makes groups enough to split by; else blocks of consecutive frames."""
    rows: list[dict[str, str]] = []
    for file in files:
        for atoms in formats.read_raw(Path(file), declared.format, declared.elements):
            rows.append(
                {name: value for name, value in names.held(atoms).items() if isinstance(value, str)} | {FILE: file}
            )
    table = pd.DataFrame(rows)
    best: tuple[int, dict[str, str]] | None = None
    for key in table.columns[table.notna().all()]:
        for counter in COUNTERS if key != FILE else (None,):
            texts = table[key].map(lambda text, counter=counter: re.sub(counter, "", text) if counter else text)
            sizes = texts.value_counts()
            enough = len(sizes) >= FEWEST_GROUPS and sizes.iloc[0] <= LARGEST_GROUP * len(table)
            if enough and (best is None or len(sizes) < best[0]):
                best = (len(sizes), {"by": key} | ({"ignore": counter} if counter else {}))
    return best[1] if best else {"by": BLOCKS}


def _described(table: pd.DataFrame, forces: bool) -> str:
    elements = sorted(
        {symbol for formula in table["formula"].unique() for symbol in re.findall("[A-Z][a-z]?", formula)}
    )
    sizes = sorted({int(table["n_atoms"].min()), int(table["n_atoms"].max())})
    atoms = " to ".join(map(str, sizes))
    return f"{len(table)} frames of {', '.join(elements)}, {atoms} atoms, {'with' if forces else 'without'} forces."


def _plain(value: Any) -> str:
    """A value as YAML in one line."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_plain(of)}" for key, of in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", value) and value.lower() not in _WORDS:
        return value
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else json.dumps(value)


_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"))  # YAML reads them otherwise
