"""Checks of sections of the configuration against each other: names, numbers of frames, what experiments need."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bpstudy.config.analysis import FEWEST_COMPARED
from bpstudy.config.base import not_one_of
from bpstudy.config.checks import convergence_problems
from bpstudy.config.plausible import implausible
from bpstudy.config.systems import Simulated, Strained

if TYPE_CHECKING:
    from bpstudy.config.study import Config


def inconsistent(study: Config) -> list[str]:
    """Problems that the first failing check finds, one line each; later checks rely on the earlier ones."""
    checks = (
        _unknown_names,
        _variants_of_the_dft,
        _too_few_frames,
        _held_out_too_near,
        _learning_curves,
        _too_few_compared,
        _pairs_without_forces,
        _weight_decays,
        _no_stress,
        _no_crystal,
        implausible,
        _coverage,
    )
    return next((problems for check in checks if (problems := list(check(study)))), [])


def _unknown_names(study: Config) -> Iterator[str]:
    for key, name, section in _named(study):
        if name not in (known := getattr(study, section)):
            yield f"{key} = {name!r}: {not_one_of(name, section, known)}"


def _named(study: Config) -> Iterator[tuple[str, str, str]]:
    """Key, name, and the section that must define the name."""
    yield "unit_functions.system", study.unit_functions.system, "systems"
    for name, frames in study.frames.items():
        yield f"frames.{name}.system", frames.system, "systems"
    for name, experiment in study.experiments.items():
        yield f"experiments.{name}.optimizer", experiment.optimizer, "optimizers"
        for key, chosen in experiment.named_frames().items():
            yield f"experiments.{name}.{key}", chosen, "frames"
    for section in (study.figures, study.comparisons, study.with_forces):
        for key, name in section.experiments().items() if section is not None else ():
            yield key, name, "experiments"
    if study.with_forces is not None:
        yield "with_forces.held_out", study.with_forces.held_out, "frames"
        if (runs := study.with_forces.runs) is not None:
            yield "with_forces.runs.experiment", runs.experiment, "experiments"
            yield "with_forces.runs.reference", runs.reference, "systems"
        if (committee := study.with_forces.coverage) is not None:
            yield "with_forces.coverage.experiment", committee.experiment, "experiments"
    if (properties := study.properties) is not None:
        yield "properties.system", properties.system, "systems"
        yield "properties.experiment", properties.experiment, "experiments"
    yield "reported.worst", study.reported.worst, "experiments"
    yield "reported.best", study.reported.best, "experiments"
    curves = study.learning_curves
    yield "learning_curves.experiment", curves.experiment, "experiments"
    yield "learning_curves.optimizer", curves.optimizer, "optimizers"
    yield "learning_curves.frames", curves.frames, "frames"
    yield "learning_curves.held_out", curves.held_out, "frames"
    for number, name in enumerate(study.information.heat_maps):
        yield f"information.heat_maps[{number}]", name, "experiments"
    yield "information.experiment", study.information.experiment, "experiments"
    yield "information.frames", study.information.frames, "frames"
    if (selection := study.selection) is not None:
        yield "selection.frames", selection.frames, "frames"
        yield "selection.held_out", selection.held_out, "frames"
        for number, name in enumerate(selection.combinations):
            yield f"selection.combinations[{number}]", name, "experiments"


def _variants_of_the_dft(study: Config) -> Iterable[str]:
    return convergence_problems(study.dft_convergence, study.systems)


def _too_few_frames(study: Config) -> Iterator[str]:
    for name, frames in study.frames.items():
        system = study.systems[frames.system]
        if system.frames is not None and frames.needed > system.frames:
            yield (
                f"frames.{name}: {frames.needed} frames are needed, {frames.system} has {system.frames} "
                f"(systems.{frames.system}.{'count' if isinstance(system, Strained) else 'steps + 1'})"
            )


def _held_out_too_near(study: Config) -> Iterator[str]:
    """Held-out frames of a trajectory lie a gap behind those that a fit has seen; strained cells are independent."""
    curves = study.learning_curves
    fits = {f"experiments.{name}": e.named_frames() for name, e in study.experiments.items()}
    fits["learning_curves"] = {"frames": curves.frames, "held_out": curves.held_out}
    if (selection := study.selection) is not None:
        fits["selection"] = {"frames": selection.frames, "held_out": selection.held_out}
    for fit, named in fits.items():
        last_seen: dict[str, int] = {}  # of each system, by frames trained on or chosen by
        for key, chosen in named.items():
            frames = study.frames[chosen]
            system = study.systems[frames.system]
            if system.frames is None:
                continue
            gap = 0 if isinstance(system, Strained) else study.held_out_gap_frames
            first = last_seen.get(frames.system, -math.inf) + gap
            if frames.start <= first:
                yield (
                    f"{fit}.{key}: frames.{chosen} starts at {frames.start}, it must start after "
                    f"{first} (last frame trained on or validated on + held_out_gap_frames)"
                )
            elif not key.startswith("held_out"):
                last_seen[frames.system] = frames.indices(system.frames)[-1]


def _learning_curves(study: Config) -> Iterator[str]:
    curves = study.learning_curves
    if len(study.optimizers[curves.optimizer].weight_decays) > 1:
        yield "learning_curves.optimizer: several weight decays, but there is nothing to choose on"
    there = study.frames[curves.frames].count
    asked = [(1.0, count) for count in curves.counts]
    asked += [(share, curves.count_of_shares) for share in curves.shares]
    for share, count in asked:
        if there is not None and count > round(share * there):
            yield (
                f"learning_curves: {count} frames are asked of the first {share:g} of frames.{curves.frames}, "
                f"which has {there}"
            )


def _too_few_compared(study: Config) -> Iterable[str]:
    return sorted(
        {
            f"frames.{chosen}: {study.frames[chosen].count} frames, at least {FEWEST_COMPARED} are needed to compare "
            f"experiments on them ({key})"
            for key, name in study.comparisons.experiments().items()
            for purpose, chosen in study.experiments[name].sets.items()
            if purpose != "validation" and (study.frames[chosen].count or FEWEST_COMPARED) < FEWEST_COMPARED
        }
    )


def _pairs_without_forces(study: Config) -> Iterator[str]:
    """Of a pair, the first experiment has forces to be tested on, the second is fitted to them."""
    if (asked := study.with_forces) is None:
        return
    if asked.runs is not None and asked.runs.seed not in study.seeds:
        yield f"with_forces.runs.seed = {asked.runs.seed}: is not one of seeds"
    for key, name in asked.experiments().items():
        experiment, fitted = study.experiments[name], key.endswith("[1]")
        if experiment.forces is None or (experiment.forces.weight > 0) != fitted:
            wanted = "a forces.weight above 0" if fitted else "a forces.weight of 0"
            yield f"{key} = {name!r}: it needs {wanted}"
        elif asked.held_out not in experiment.held_out:
            yield f"{key} = {name!r}: is not tested on {asked.held_out!r}; add it to experiments.{name}.held_out"
    key, curves = "with_forces.learning", asked.learning
    if curves.pair not in asked.pairs:
        yield f"{key}.pair = {curves.pair!r}: {not_one_of(curves.pair, 'types or others', asked.pairs)}"
        return
    alone, together = (study.experiments[name] for name in asked.pairs[curves.pair])
    if (alone.frames, alone.functions) != (together.frames, together.functions):
        yield f"{key}.pair = {curves.pair!r}: its experiments must have the same frames and functions"
        return
    there = study.frames[together.frames].count
    for count in curves.counts:
        if there is not None and count > there:
            yield f"{key}.counts: {count} frames are asked of frames.{together.frames}, which has {there}"


def _weight_decays(study: Config) -> Iterator[str]:
    for name, experiment in study.experiments.items():
        if experiment.validation is None and len(study.optimizers[experiment.optimizer].weight_decays) > 1:
            yield (
                f"experiments.{name}: optimizers.{experiment.optimizer} has several weight decays; name `validation` "
                "frames"
            )


def _no_stress(study: Config) -> Iterator[str]:
    """Dynamics keep no stress."""
    for name, experiment in study.experiments.items():
        if experiment.stress is None:
            continue
        for key, frames in experiment.named_frames().items():
            system = study.frames[frames].system
            if isinstance(study.systems[system], Simulated):
                yield (
                    f"experiments.{name}.{key}: systems.{system} is dynamics, which keep no stress; leave `stress` out "
                    "(null), or name frames of a system that has it (`deformation`, or own data)"
                )


def _no_crystal(study: Config) -> Iterator[str]:
    asked = study.properties
    if asked is not None and not isinstance(study.systems[asked.system], Simulated | Strained):
        yield (
            f"properties.system = {asked.system!r}: has no `crystal`; name a system with one, or leave the "
            "properties out (properties: null)"
        )


def _coverage(study: Config) -> Iterator[str]:
    asked = study.with_forces
    if asked is None or asked.coverage is None or len(study.seeds) == 1:
        return
    there = study.frames[asked.held_out].count
    if there is not None and there < asked.coverage.frames:
        yield (
            f"with_forces.coverage.confidence = {asked.coverage.confidence:g}: needs {asked.coverage.frames} frames, "
            f"frames.{asked.held_out} has {there}; lower it, or leave it out (coverage: null)"
        )
