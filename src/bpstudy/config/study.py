"""The whole study, its validation and its JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from bpstudy.config.base import ConfigError, Count, Name, Positive, Section, Seed
from bpstudy.config.experiments import Experiment, Figures, Optimizer
from bpstudy.config.functions import UnitFunctions
from bpstudy.config.systems import System


class Config(Section):
    """The whole study."""

    systems: dict[Name, System] = Field(min_length=1)
    unit_functions: UnitFunctions
    descriptor_threads: Count = Field(description="threads of a job that computes symmetry functions")
    g5_tolerance: Positive = Field(lt=1e-3, description="relative truncation error of G5 with non-integer ζ")
    optimizers: dict[Name, Optimizer] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(strict=False, min_length=1, description="of the networks' initial weights")
    experiments: dict[Name, Experiment] = Field(min_length=1)
    figures: Figures

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a seed stands there twice")
        return value

    @model_validator(mode="after")
    def _references(self) -> Self:
        problems = []
        for key, system in [("unit_functions.system", self.unit_functions.system)] + [
            (f"experiments.{name}.system", e.system) for name, e in self.experiments.items()
        ]:
            if system not in self.systems:
                problems.append(f"{key} = {system!r}: no such system; allowed: {', '.join(self.systems)}")
        for name, e in self.experiments.items():
            if e.optimizer not in self.optimizers:
                problems.append(
                    f"experiments.{name}.optimizer = {e.optimizer!r}: no such optimizer; "
                    f"allowed: {', '.join(self.optimizers)}"
                )
            available = self.systems[e.system].frames if e.system in self.systems else None
            if available is not None and e.frames.needed > available:
                problems.append(
                    f"experiments.{name}.frames: {e.frames.needed} frames are needed, "
                    f"{e.system} has {available} (systems.{e.system}.steps + 1)"
                )
        if problems:
            raise ValueError("\n".join(problems))
        return self


def load(values: Mapping[str, Any]) -> Config:
    """Validate the configuration.

    Raises:
        ConfigError: names every wrong key, its value and what is allowed.
    """
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            text = "unknown key; remove it or correct its spelling"
        if not key:  # a check over the whole configuration names its keys itself
            lines.extend(text.splitlines())
        elif problem["type"] == "missing":
            lines.append(f"{key}: is missing")
        else:
            lines.append(f"{key} = {_shorten(problem['input'])}: {text}")
    return "the configuration is wrong; nothing was run\n" + "\n".join(f"  {line}" for line in lines)


def _shorten(value: Any, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def schema_json() -> str:
    """The JSON schema of the configuration, as shipped in config.schema.json."""
    return json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
