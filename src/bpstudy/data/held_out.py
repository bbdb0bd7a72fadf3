"""Held-out frames share nothing with the frames of a fit or a choice: no frame, no neighbour in time, no copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bpstudy.config.study import Config
from bpstudy.data.copies import copies
from bpstudy.data.inspection import Inspection

Chosen = Mapping[str, Sequence[int]]  # numbers of frames by the name of the choice


def held_out_problems(study: Config, inspections: Mapping[str, Inspection], chosen: Chosen) -> list[str]:
    """A line for each set of frames that is not held out.

    Args:
        inspections: of the systems whose frames exist.
        chosen: frames of each choice of these systems.
    """
    if not inspections:
        return []
    starts, first_copy = _joined(inspections)
    problems = []
    for fit, named in _fits(study):
        seen: dict[str, list[int]] = {}
        for key, name in named.items():
            if name not in chosen:
                continue
            system = study.frames[name].system
            if problem := _problem(study, inspections, chosen, name, seen, starts, first_copy):
                problems.append(f"{fit}.{key}: {problem}")
            if not key.startswith("held_out"):
                seen.setdefault(system, []).extend(chosen[name])
    return list(dict.fromkeys(problems))


def _fits(study: Config) -> Iterator[tuple[str, dict[str, str]]]:
    done = set()
    for name, experiment in study.experiments.items():
        named = experiment.named_frames()
        if tuple(named.items()) not in done:
            done.add(tuple(named.items()))
            yield f"experiments.{name}", named
    curves = study.learning_curves
    yield "learning_curves", {"frames": curves.frames, "held_out": curves.held_out}


def _joined(inspections: Mapping[str, Inspection]) -> tuple[dict[str, int], np.ndarray]:
    """Where each system's frames begin among all, and for each of all frames the first that it is a copy of."""
    starts, total = {}, 0
    for name, of in inspections.items():
        starts[name] = total
        total += len(of)
    kinds = [kind for of in inspections.values() for kind in of.kinds]
    n_atoms = np.concatenate([of.table["n_atoms"] for of in inspections.values()])
    return starts, copies(kinds, np.concatenate([of.fingerprints for of in inspections.values()]), n_atoms)


def _problem(
    study: Config,
    inspections: Mapping[str, Inspection],
    chosen: Chosen,
    name: str,
    seen: Mapping[str, Sequence[int]],
    starts: Mapping[str, int],
    first_copy: np.ndarray,
) -> str | None:
    """What is wrong with the frames `name` beside those that were seen before."""
    choice = study.frames[name]
    numbers, before = np.array(chosen[name]), np.array(seen.get(choice.system, []), dtype=int)
    of = inspections[choice.system]
    if before.size:
        both = np.intersect1d(numbers, before)
        if both.size:
            return f"frames.{name}: {of.named(both[0])}, and {both.size - 1} more, are trained on or validated on too"
        apart = int(np.abs(numbers[:, None] - np.unique(before)).min())
        if of.declared.trajectory and choice.part is None and apart <= study.held_out_gap_frames:
            return (
                f"frames.{name}: frames {apart} after or before one trained on or validated on; "
                f"more than held_out_gap_frames = {study.held_out_gap_frames} are needed"
            )
    owners = {
        int(first_copy[starts[system] + number]): (system, number)
        for system, all_numbers in seen.items()
        for number in all_numbers
    }
    for number in numbers:
        owner = owners.get(int(first_copy[starts[choice.system] + number]))
        if owner is not None:
            return (
                f"frames.{name}: {of.named(number)} is a copy of {inspections[owner[0]].named(owner[1])}, which is "
                "trained on or validated on; leave one of the two out"
            )
    return None
