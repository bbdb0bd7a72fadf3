"""How long an archived trajectory is, and a study no longer than its archive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bpstudy.config.base import ConfigError
from bpstudy.config.explain import under_heading
from bpstudy.config.study import Config
from bpstudy.config.systems import Simulated

MANIFEST = "SHA256SUMS"
SUFFIXES = (".traj.xz", ".state.json", ".record.json")


def archived_steps(archive: Path) -> int:
    """Steps of the chunks that a system's archive holds without a gap from the first on; 0 where it holds none.

    Raises:
        ConfigError: the record of the last chunk cannot be read.
    """
    manifest = archive / MANIFEST
    held = {line.split()[-1] for line in manifest.read_text().splitlines() if line} if manifest.is_file() else set()
    chunks = 0
    while f"{chunks:04d}{SUFFIXES[0]}" in held:
        chunks += 1
    if not chunks:
        return 0
    record = archive / f"{chunks - 1:04d}{SUFFIXES[2]}"
    try:
        made = json.loads(record.read_text())["predicate"]["buildDefinition"]["externalParameters"]
        return int(made["steps"][1])
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{record}: cannot be read ({error!r}); restore it (git checkout -- {archive})"
        raise ConfigError(under_heading([problem])) from None


def as_archived(
    values: Mapping[str, Any], study: Config, folder: Path | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The configuration with simulated systems no longer than their archives, and a line on the length of each.

    Choices of frames that a system is then too short for are spread evenly over it.

    Args:
        values: the configuration, which is valid.
        study: the same, validated.
        folder: that `archive` is relative to; the working directory by default.

    Raises:
        ConfigError: an archive cannot be read.
    """
    result: dict[str, Any] = dict(values)
    lines: list[str] = []
    if study.archive is None or not study.allow_short_archive:
        return result, lines
    for name, system in study.used_systems.items():
        if not isinstance(system, Simulated):
            continue
        held = archived_steps(Path(folder or ".", study.archive, name))
        lines.append(f"{name}: {min(held, system.steps)} of {system.steps} steps archived")
        if not 0 < held < system.steps:
            continue
        result["systems"] = {**result["systems"], name: {**result["systems"][name], "steps": held}}
        for choice, frames in study.frames.items():
            if frames.system == name and frames.needed > held + 1:
                result["frames"] = {**result["frames"], choice: {**result["frames"][choice], "stride": "even"}}
                lines[-1] += f"; frames.{choice} are spread evenly over these, not taken every {frames.stride} steps"
    return result, lines
