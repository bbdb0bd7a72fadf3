"""The whole study and its JSON schema; `bpstudy.config.consistent` checks that its sections agree."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from bpstudy.config.analysis import Comparisons, Information, LearningCurves, Properties, Reported, WithForces
from bpstudy.config.base import ConfigError, Count, Name, Section, Seed
from bpstudy.config.checks import DftConvergence, Thermal
from bpstudy.config.consistent import inconsistent
from bpstudy.config.experiments import Frames, Optimizer, Protocol
from bpstudy.config.explain import explain
from bpstudy.config.figures import Figures
from bpstudy.config.functions import Block, UnitFunctions
from bpstudy.config.left_out import without_what_is_null
from bpstudy.config.lists import expanded
from bpstudy.config.selection import Selection
from bpstudy.config.stated import Blocks, Experiments
from bpstudy.config.systems import System


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
        description="minimum number of frames between the training and test frames of one trajectory"
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
    def _sections_agree(self) -> Self:
        if problems := inconsistent(self):
            raise ValueError("\n".join(problems))
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
