"""What the current workflow and configuration would pass to a job."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bpstudy.config.systems import Simulation, Strained
from bpstudy.provenance.recording import plain
from bpstudy.provenance.store import Record


class PlanError(ValueError):
    """The workflow cannot be evaluated; the message says why."""


@dataclass(frozen=True)
class Planned:
    """A job as the workflow would run it now: its inputs, and which of them are source files."""

    parameters: Mapping[str, Any]
    inputs: tuple[str, ...]
    environment: str | None


class CurrentWorkflow:
    """The Snakefile of the working directory with config.yaml and the overlays that a job ran with.

    Args:
        configuration: `files` laid over config.yaml and single `values`, as a record holds them.
    """

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self.configuration = configuration

    @cached_property
    def _workflow(self) -> Any:
        from snakemake import api
        from snakemake.exceptions import WorkflowError
        from snakemake.settings import types

        files = [Path(name) for name in self.configuration["files"]]
        absent = [str(path) for path in [Path("Snakefile"), *files] if not path.is_file()]
        if absent:
            raise PlanError(f"{', '.join(absent)}: not found; run this in the project's folder")
        said = io.StringIO()
        quiet = types.OutputSettings(quiet={types.Quietness.ALL})
        try:
            with contextlib.redirect_stderr(said), api.SnakemakeApi(quiet) as opened:
                asked = opened.workflow(
                    resource_settings=types.ResourceSettings(cores=1),
                    config_settings=types.ConfigSettings(config=self.configuration["values"], configfiles=files),
                    snakefile=Path("Snakefile"),
                )
                return asked._workflow  # nothing public gives parameters without a run
        except (WorkflowError, SystemExit) as error:
            raise PlanError(f"the workflow cannot be read: {error} {said.getvalue()}".strip()) from None

    def planned(self, record: Record) -> Planned | None:
        """The job that would make what the recorded one made; None if the workflow no longer has such a job.

        Raises:
            PlanError: the workflow or its configuration is missing or wrong.
        """
        from snakemake.exceptions import WorkflowError
        from snakemake.iocontainers import Wildcards

        workflow = self._workflow
        if not workflow.is_rule(record.rule):
            return None
        rule = workflow.get_rule(record.rule)
        name = next(iter(record.outputs), None)
        if name is None:
            found = record.internal["wildcards"]
        elif any(made.match(name) for made in rule.products()):
            found = rule.get_wildcards(name)
        else:
            return None
        wildcards = Wildcards(fromdict=found)
        try:
            given = rule.expand_input(wildcards)[0]
            made = rule.expand_output(wildcards)[0]
            job = SimpleNamespace(resources=SimpleNamespace(_cores=int(record.internal["threads"] or 1)))
            parameters = rule.expand_params(wildcards, given, made, job)[0]
        except WorkflowError as error:
            if isinstance(error.__context__, KeyError):  # of an experiment, a system or a figure that no longer exists
                return None
            raise PlanError(f"{rule.name}: {error}") from None
        if not set(record.outputs) <= set(map(str, made)):
            return None
        environment = rule.expand_conda_env(wildcards)
        return Planned(
            _comparable(rule.name, plain(dict(parameters.items()))),
            tuple(map(str, given)),
            Path(str(environment.file.get_path_or_uri(secret_free=True))).name if environment else None,
        )


def differences(then: Any, now: Any, place: str = "") -> Iterator[str]:
    """Where two JSON values differ, with the values."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in [*then, *(key for key in now if key not in then)]:
            here = f"{place}.{key}" if place else str(key)
            if key not in now or key not in then:
                yield f"{here}: {_short(then.get(key, 'absent'))} then, {_short(now.get(key, 'absent'))} now"
            else:
                yield from differences(then[key], now[key], here)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, pair in enumerate(zip(then, now, strict=True)):
            yield from differences(*pair, f"{place}[{index}]")
    elif then != now:
        yield f"{place}: {_short(then)} then, {_short(now)} now"


def comparable(record: Record) -> Mapping[str, Any]:
    """A record's parameters in the form of `Planned.parameters`."""
    return _comparable(record.rule, record.parameters)


def _comparable(rule: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """A chunk is told its settings as text; keys that came later have the values they stood for."""
    if rule == "strained_chunk":
        told = parameters.get("settings")
        recipe = parameters["recipe"] if told is None else Strained.model_validate_json(told).recipe()
        return {"cells": list(parameters["cells"]), "recipe": recipe}
    if rule != "dynamics_chunk":
        return parameters
    settings = parameters["simulation"] if "simulation" in parameters else json.loads(parameters["settings"])
    simulation = Simulation.model_validate_json(json.dumps(settings)).model_dump(mode="json")
    return {"steps": list(parameters["steps"]), "simulation": simulation}


def _short(value: Any, limit: int = 60) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"
