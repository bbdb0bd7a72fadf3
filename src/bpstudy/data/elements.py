"""Elements: those that functions are made for, and those that networks are trained for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ase.formula import Formula

from bpstudy.config.datasets import Imported
from bpstudy.config.study import Config
from bpstudy.data.inspection import Inspection


def elements_by_system(study: Config, inspections: Mapping[str, Inspection]) -> dict[str, list[str]]:
    """Elements of each system and of those that stand in one experiment with it: all have the same functions."""
    own = {name: _own(study, inspections, name) for name in study.used_systems}
    named = [[study.frames[frames].system for frames in e.sets.values()] for e in study.experiments.values()]
    curves = study.learning_curves
    named.append([study.frames[frames].system for frames in (curves.frames, curves.held_out)])
    found = {name: set(elements) for name, elements in own.items()}
    for _ in named:  # until nothing changes, at the most once for each experiment
        before = {name: set(elements) for name, elements in found.items()}
        for systems in named:
            together = set().union(*(found[name] for name in systems))
            for name in systems:
                found[name] |= together
        if found == before:
            break
    return {name: sorted(elements) for name, elements in found.items()}


def _own(study: Config, inspections: Mapping[str, Inspection], name: str) -> set[str]:
    system = study.systems[name]
    if isinstance(system, Imported):
        return elements_of(inspections[name].table["formula"].unique().tolist())
    return {system.crystal.element}


def elements_of(formulas: Sequence[str]) -> set[str]:
    """All elements of some formulas."""
    return {symbol for formula in formulas for symbol in Formula(formula).count()}


def untrained_elements(
    study: Config, inspections: Mapping[str, Inspection], chosen: Mapping[str, Sequence[int]]
) -> list[str]:
    """A line for each set of frames with elements that no training frame has."""
    problems = []
    for name, experiment in study.experiments.items():
        there = {
            key: elements_of(
                inspections[study.frames[frames].system].table["formula"].iloc[list(chosen[frames])].unique().tolist()
            )
            for key, frames in experiment.named_frames().items()
            if frames in chosen
        }
        for key, elements in there.items():
            if extra := elements - there.get("frames", elements):
                frames = experiment.named_frames()[key]
                problems.append(
                    f"experiments.{name}.{key}: frames.{frames} have {', '.join(sorted(extra))}, those trained on not"
                )
    return problems
