"""The study that its data allow, before the first job: choices of frames completed, impossible parts left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bpstudy.config.base import ConfigError
from bpstudy.config.datasets import Imported
from bpstudy.config.explain import under_heading
from bpstudy.config.study import Config, load
from bpstudy.data.archived import archive_problems
from bpstudy.data.choose import chosen
from bpstudy.data.elements import elements_by_system, elements_of, untrained_elements
from bpstudy.data.errors import TrajectoryError
from bpstudy.data.held_out import held_out_problems
from bpstudy.data.inspection import Inspection, inspect
from bpstudy.data.left_out import leave_out
from bpstudy.data.look import look_at


@dataclass(frozen=True, eq=False)
class Prepared:
    """The study, what its data hold, and a line for each thing that is left out.

    Attributes:
        inspections: of each used system whose frames exist.
    """

    study: Config
    inspections: Mapping[str, Inspection] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def elements(self) -> dict[str, list[str]]:
        """Elements that the functions of each used system are made for."""
        return elements_by_system(self.study, self.inspections)


def prepare(values: Mapping[str, Any], folder: Path | None = None) -> Prepared:
    """Validate the configuration against itself and against the data that it names.

    Raises:
        ConfigError: each wrong key, or the file and frame that cannot be used.
    """
    study = load(values)
    if problems := archive_problems(study, folder):
        raise ConfigError(under_heading(problems))
    inspections = _inspect(study, folder)
    if not inspections:
        return Prepared(study)
    left, lines = leave_out(deepcopy(dict(values)), study, inspections)
    counts = {name: len(numbers) for name, numbers in _chosen(study, inspections).items()}
    for name, count in counts.items():
        left["frames"][name]["count"] = count
    study = load(left)
    found = _chosen(study, inspections)
    problems = held_out_problems(study, inspections, found) + untrained_elements(study, inspections, found)
    problems += _other_axes(study, inspections, found) + _spoilt(study, inspections)
    if problems := problems + _without_stress(study, inspections):
        raise ConfigError(under_heading(problems))
    return Prepared(study, inspections, tuple(lines))


def _spoilt(study: Config, inspections: Mapping[str, Inspection]) -> list[str]:
    """What `bpstudy data` finds in the data of each system, and of systems that experiments look at together."""
    together = {frozenset([name]) for name in inspections}
    for experiment in study.experiments.values():
        together.add(frozenset(study.frames[frames].system for frames in experiment.sets.values()) & set(inspections))
    problems: dict[str, None] = {}
    for names in sorted(together, key=lambda names: (len(names), sorted(names))):
        of = [inspections[name] for name in sorted(names) if not inspections[name].declared.checked]
        if not of:
            continue
        looked = look_at(
            pd.concat([i.table for i in of], ignore_index=True), np.concatenate([i.fingerprints for i in of])
        )
        where = ", ".join(f"systems.{name}" for name in sorted(names))
        for text in looked.wrong:
            if not any(known.endswith(text) for known in problems):
                problems[f"{where}: {text}"] = None
    remedy = "see `bpstudy data`; correct or leave out these frames, or set `checked: true` if they are meant"
    return [*problems, remedy] if problems else []


def _other_axes(study: Config, inspections: Mapping[str, Inspection], chosen: Mapping[str, Sequence[int]]) -> list[str]:
    """Sets of frames with periodic axes that none of those trained on has, as of a file that lost its cell."""
    problems = []
    for name, experiment in study.experiments.items():
        tables = {
            key: inspections[study.frames[frames].system].table.iloc[list(chosen[frames])]
            for key, frames in experiment.named_frames().items()
            if frames in chosen
        }
        for key, table in tables.items():
            other = table[~table["pbc"].isin(tables.get("frames", table)["pbc"])]
            system = study.systems[study.frames[experiment.named_frames()[key]].system]
            if not other.empty and isinstance(system, Imported) and not system.mixed_periodicity:
                row = other.iloc[0]
                problems.append(
                    f"experiments.{name}.{key}: {row['file']}, frame {row['frame']} has periodic axes {row['pbc']}, "
                    "those trained on not; set `mixed_periodicity: true` of its system if that is meant"
                )
    return problems


def _without_stress(study: Config, inspections: Mapping[str, Inspection]) -> list[str]:
    """Experiments that look at the stress of data without."""
    return [
        f"experiments.{name}.stress: systems.{study.frames[frames].system} has no stress (frames.{frames}); "
        "leave `stress` out (null), or name frames with it"
        for name, experiment in study.experiments.items()
        if experiment.stress is not None
        for frames in experiment.sets.values()
        if (of := inspections.get(study.frames[frames].system)) is not None and not of.has_stress
    ]


def _inspect(study: Config, folder: Path | None) -> dict[str, Inspection]:
    found, problems = {}, []
    for name, system in study.used_systems.items():
        if isinstance(system, Imported):
            problems += [
                f"systems.{name}: {path!r}: Snakemake takes names in braces for wildcards; rename the file without them"
                for path in system.inputs
                if "{" in path or "}" in path
            ]
            try:
                found[name] = inspect(system, folder)
                _ = found[name].parts
            except TrajectoryError as error:
                problems.append(f"systems.{name}: {error}")
                continue
            if missing := _without_energy(system, found[name]):
                problems.append(f"systems.{name}.atomic_energies_ev: none for {', '.join(missing)}; name each element")
    if problems:
        raise ConfigError(under_heading(problems))
    return found


def _without_energy(system: Imported, inspected: Inspection) -> list[str]:
    """Elements whose atomic energy is missing, where some are given."""
    if system.atomic_energies_ev is None:
        return []
    return sorted(elements_of(inspected.table["formula"].unique().tolist()) - set(system.atomic_energies_ev))


def _chosen(study: Config, inspections: Mapping[str, Inspection]) -> dict[str, list[int]]:
    """Numbers of the frames of each choice whose system exists."""
    found, problems = {}, []
    for name, frames in study.frames.items():
        if of := inspections.get(frames.system):
            try:
                found[name] = chosen(frames, len(of), of.parts)
            except ValueError as error:
                problems.append(f"frames.{name}: {error}")
    if problems:
        raise ConfigError(under_heading(problems))
    return found
