"""The whole study, its validation and its JSON schema."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from bpstudy.config.analysis import (
    FEWEST_COMPARED,
    Comparisons,
    Information,
    LearningCurves,
    Properties,
    Reported,
    WithForces,
)
from bpstudy.config.base import ConfigError, Count, Name, Section, Seed, not_one_of
from bpstudy.config.checks import DftConvergence, Thermal, convergence_problems
from bpstudy.config.experiments import Frames, Optimizer, Protocol
from bpstudy.config.explain import explain
from bpstudy.config.figures import Figures
from bpstudy.config.functions import Block, UnitFunctions
from bpstudy.config.left_out import without_what_is_null
from bpstudy.config.lists import expanded
from bpstudy.config.plausible import implausible
from bpstudy.config.selection import Selection
from bpstudy.config.stated import Blocks, Experiments
from bpstudy.config.systems import Simulated, Strained, System


class Config(Section):
    """The whole study."""

    systems: dict[Name, System] = Field(min_length=1)
    archive: str | None = Field(
        min_length=1,
        description="folder with a folder of archived chunks for each simulated system; null: computed here",
    )
    unit_functions: UnitFunctions
    descriptor_threads: Count = Field(
        description="threads of a job that computes symmetry functions, or dynamics with a network"
    )
    angular_tolerance: float = Field(ge=1e-13, le=1e-3, description="error of the angular factor of G4 and G5, ≤ 1")
    optimizers: dict[Name, Optimizer] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(strict=False, min_length=1, description="of the networks' initial weights")
    frames: dict[Name, Frames] = Field(min_length=1, description="choices of frames that experiments name")
    held_out_gap_frames: Annotated[int, Field(ge=0)] = Field(
        description="frames of one trajectory that lie at the least between those trained on and those tested on"
    )
    lists: dict[Name, Annotated[tuple[str, ...], Field(strict=False, min_length=1)]] = Field(
        description="names in braces, as in `types-{types}`, stand for each member in turn"
    )
    blocks: dict[Name, Block] = Field(description="blocks of symmetry functions that sets of functions name")
    functions: dict[Name, Blocks] = Field(description="sets of functions that experiments name")
    protocols: dict[Name, Protocol] = Field(description="everything of an experiment but its functions, by name")
    experiments: Experiments = Field(description="a set of functions × a protocol, and what differs from the protocol")
    figures: Figures
    comparisons: Comparisons
    learning_curves: LearningCurves
    with_forces: WithForces | None = Field(description="null leaves out all experiments that look at forces")
    properties: Properties | None = Field(description="null leaves out the properties of the crystal")
    information: Information
    selection: Selection | None = Field(description="null leaves out the choice of symmetry functions")
    reported: Reported
    thermal: Thermal
    dft_convergence: dict[Name, DftConvergence] = Field(description="by system; not part of the rule `all`")
    noise_floor: str | None = Field(
        min_length=1,
        description="table of the noise in the DFT's energies, by system, made by the rule dft_noise; null: unknown",
    )
    paper_date: Annotated[datetime.date, Field(strict=False, description="date on the paper, YYYY-MM-DD")]

    @model_validator(mode="before")
    @classmethod
    def _without_what_is_null(cls, values: Any) -> Any:
        return without_what_is_null(values)

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) != len(value):
            raise ValueError("duplicate seed; remove one")
        return value

    @model_validator(mode="after")
    def _references(self) -> Self:
        named: list[tuple[str, str, str]] = [("unit_functions.system", self.unit_functions.system, "systems")]
        named += [(f"frames.{name}.system", frames.system, "systems") for name, frames in self.frames.items()]
        for name, e in self.experiments.items():
            named.append((f"experiments.{name}.optimizer", e.optimizer, "optimizers"))
            named += [(f"experiments.{name}.{key}", frames, "frames") for key, frames in e.named_frames().items()]
        named += [(key, name, "experiments") for key, name in self.figures.experiments().items()]
        named += [(key, name, "experiments") for key, name in self.comparisons.experiments().items()]
        if self.with_forces is not None:
            named += [(key, name, "experiments") for key, name in self.with_forces.experiments().items()]
            named.append(("with_forces.held_out", self.with_forces.held_out, "frames"))
            if (runs := self.with_forces.runs) is not None:
                named.append(("with_forces.runs.experiment", runs.experiment, "experiments"))
                named.append(("with_forces.runs.reference", runs.reference, "systems"))
            if (committee := self.with_forces.coverage) is not None:
                named.append(("with_forces.coverage.experiment", committee.experiment, "experiments"))
        if (properties := self.properties) is not None:
            named.append(("properties.system", properties.system, "systems"))
            named.append(("properties.experiment", properties.experiment, "experiments"))
        named += [(f"reported.{key}", getattr(self.reported, key), "experiments") for key in ("worst", "best")]
        curves = self.learning_curves
        sections = {"experiment": "experiments", "optimizer": "optimizers", "frames": "frames", "held_out": "frames"}
        named += [(f"learning_curves.{key}", getattr(curves, key), section) for key, section in sections.items()]
        held = self.information
        named += [(f"information.heat_maps[{n}]", name, "experiments") for n, name in enumerate(held.heat_maps)]
        named += [
            ("information.experiment", held.experiment, "experiments"),
            ("information.frames", held.frames, "frames"),
        ]
        if (selection := self.selection) is not None:
            named += [(f"selection.{key}", getattr(selection, key), "frames") for key in ("frames", "held_out")]
            named += [
                (f"selection.combinations[{n}]", name, "experiments") for n, name in enumerate(selection.combinations)
            ]
        unknown = [
            f"{key} = {name!r}: {not_one_of(name, section, getattr(self, section))}"
            for key, name, section in named
            if name not in getattr(self, section)
        ]
        if unknown:
            raise ValueError("\n".join(unknown))
        return self

    @model_validator(mode="after")
    def _variants_of_the_dft(self) -> Self:
        if problems := convergence_problems(self.dft_convergence, self.systems):
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _enough_frames(self) -> Self:
        problems = []
        for name, frames in self.frames.items():
            system = self.systems.get(frames.system)
            if system is not None and system.frames is not None and frames.needed > system.frames:
                problems.append(
                    f"frames.{name}: {frames.needed} frames are needed, {frames.system} has {system.frames} "
                    f"(systems.{frames.system}.{'count' if isinstance(system, Strained) else 'steps + 1'})"
                )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _held_out_is_apart(self) -> Self:
        curves = self.learning_curves
        fits = {f"experiments.{name}": e.named_frames() for name, e in self.experiments.items()}
        fits["learning_curves"] = {"frames": curves.frames, "held_out": curves.held_out}
        if (selection := self.selection) is not None:
            fits["selection"] = {"frames": selection.frames, "held_out": selection.held_out}
        problems = []
        for fit, named in fits.items():
            last_seen: dict[str, int] = {}  # of each system, by frames trained on or chosen by
            for key, chosen in named.items():
                frames = self.frames[chosen]
                available = self.systems[frames.system].frames
                if available is None:
                    continue
                apart = isinstance(self.systems[frames.system], Strained)  # drawn one by one
                gap = 0 if apart else self.held_out_gap_frames
                first = last_seen.get(frames.system, -math.inf) + gap
                if frames.start <= first:
                    problems.append(
                        f"{fit}.{key}: frames.{chosen} starts at {frames.start}, it must start after "
                        f"{first} (last frame trained on or validated on + held_out_gap_frames)"
                    )
                elif not key.startswith("held_out"):
                    last_seen[frames.system] = frames.indices(available)[-1]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _learning_curves_have_their_frames(self) -> Self:
        curves = self.learning_curves
        run = self.frames[curves.frames]
        problems = []
        if len(self.optimizers[curves.optimizer].weight_decays) > 1:
            problems.append("learning_curves.optimizer: several weight decays, but there is nothing to choose on")
        asked = [(1.0, count) for count in curves.counts]
        asked += [(share, curves.count_of_shares) for share in curves.shares]
        problems += [
            f"learning_curves: {count} frames are asked of the first {share:g} of frames.{curves.frames}, "
            f"which has {run.count}"
            for share, count in asked
            if run.count is not None and count > round(share * run.count)
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _compared_on_enough_frames(self) -> Self:
        named = self.comparisons.experiments().items()
        short = {
            f"frames.{chosen}: {self.frames[chosen].count} frames, at least {FEWEST_COMPARED} are needed to compare "
            f"experiments on them ({key})"
            for key, name in named
            for purpose, chosen in self.experiments[name].sets.items()
            if purpose != "validation" and (self.frames[chosen].count or FEWEST_COMPARED) < FEWEST_COMPARED
        }
        if short:
            raise ValueError("\n".join(sorted(short)))
        return self

    @model_validator(mode="after")
    def _pairs_look_at_forces(self) -> Self:
        problems = []
        runs = self.with_forces.runs if self.with_forces else None
        if runs is not None and runs.seed not in self.seeds:
            problems.append(f"with_forces.runs.seed = {runs.seed}: is not one of seeds")
        for key, name in self.with_forces.experiments().items() if self.with_forces else ():
            experiment, fitted = self.experiments[name], key.endswith("[1]")
            if experiment.forces is None or (experiment.forces.weight > 0) != fitted:
                wanted = "a forces.weight above 0" if fitted else "a forces.weight of 0"
                problems.append(f"{key} = {name!r}: it needs {wanted}")
            elif self.with_forces and self.with_forces.held_out not in experiment.held_out:
                problems.append(f"{key} = {name!r}: is not tested on {self.with_forces.held_out!r}")
        if self.with_forces:
            problems += self._curves_with_forces(self.with_forces)
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _curves_with_forces(self, asked: WithForces) -> list[str]:
        """What is wrong with the learning curves of a pair."""
        key, curves = "with_forces.learning", asked.learning
        if curves.pair not in asked.pairs:
            return [f"{key}.pair = {curves.pair!r}: {not_one_of(curves.pair, 'types or others', asked.pairs)}"]
        alone, together = (self.experiments[name] for name in asked.pairs[curves.pair])
        if (alone.frames, alone.functions) != (together.frames, together.functions):
            return [f"{key}.pair = {curves.pair!r}: its experiments must have the same frames and functions"]
        there = self.frames[together.frames].count
        return [
            f"{key}.counts: {count} frames are asked of frames.{together.frames}, which has {there}"
            for count in curves.counts
            if there is not None and count > there
        ]

    @model_validator(mode="after")
    def _weight_decay_is_chosen_on_something(self) -> Self:
        problems = [
            f"experiments.{name}: optimizers.{e.optimizer} has several weight decays; name `validation` frames"
            for name, e in self.experiments.items()
            if e.validation is None and len(self.optimizers[e.optimizer].weight_decays) > 1
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _stress_is_there(self) -> Self:
        """Dynamics keep no stress."""
        problems = [
            f"experiments.{name}.{key}: systems.{self.frames[frames].system} is dynamics, which keep no stress; leave "
            "`stress` out (null), or name frames of a system that has it (`deformation`, or own data)"
            for name, e in self.experiments.items()
            if e.stress is not None
            for key, frames in e.named_frames().items()
            if isinstance(self.systems[self.frames[frames].system], Simulated)
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _properties_are_of_a_crystal(self) -> Self:
        asked = self.properties
        if asked is not None and not isinstance(self.systems[asked.system], Simulated | Strained):
            raise ValueError(
                f"properties.system = {asked.system!r}: has no `crystal`; name a system with one, or leave the "
                "properties out (properties: null)"
            )
        return self

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        if problems := implausible(self):
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _coverage_has_its_frames(self) -> Self:
        asked = self.with_forces.coverage if self.with_forces else None
        if asked is not None and self.with_forces is not None and len(self.seeds) > 1:
            there = self.frames[self.with_forces.held_out].count
            if there is not None and there < asked.frames:
                raise ValueError(
                    f"with_forces.coverage.confidence = {asked.confidence:g}: needs {asked.frames} frames, "
                    f"frames.{self.with_forces.held_out} has {there}; lower it, or leave it out (coverage: null)"
                )
        return self

    @property
    def used_systems(self) -> dict[str, System]:
        """The systems that a choice of frames, the unit functions or runs name; the others are not computed."""
        used = {self.unit_functions.system, *(frames.system for frames in self.frames.values())}
        if self.with_forces is not None and self.with_forces.runs is not None:
            used.add(self.with_forces.runs.reference)
        return {name: system for name, system in self.systems.items() if name in used}


def load(values: Mapping[str, Any]) -> Config:
    """Validate the configuration.

    Raises:
        ConfigError: names every wrong key, its value and what is allowed.
    """
    written_out = expanded(values)
    try:
        return Config.model_validate(written_out)
    except ValidationError as error:
        raise ConfigError(explain(error, written_out)) from None


def schema_json() -> str:
    """The JSON schema of the configuration, as shipped in config.schema.json."""
    return json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
