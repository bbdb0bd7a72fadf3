"""How much an archive of dynamics or strained cells holds."""

from __future__ import annotations

import json
from pathlib import Path

from bpstudy.config.base import ConfigError
from bpstudy.config.explain import under_heading
from bpstudy.config.study import Config
from bpstudy.config.systems import Simulated, Strained

MANIFEST = "SHA256SUMS"
SUFFIXES = (".traj.xz", ".state.json", ".record.json")


def archived_length(archive: Path) -> int:
    """Steps, or strained cells, of the chunks that a system's archive holds without a gap from the first on.

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
        return int(made["steps" if "steps" in made else "cells"][1])
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{record}: cannot be read ({error!r}); restore it (git checkout -- {archive})"
        raise ConfigError(under_heading([problem])) from None


def archive_problems(study: Config, folder: Path | None = None) -> list[str]:
    """A line for each system that the study takes from an archive which does not hold all of its steps or cells.

    Args:
        folder: that `archive` is relative to; the working directory by default.

    Raises:
        ConfigError: an archive cannot be read.
    """
    if study.archive is None:
        return []
    found = []
    for name, system in study.used_systems.items():
        if not isinstance(system, Simulated | Strained):
            continue
        key, asked = ("steps", system.steps) if isinstance(system, Simulated) else ("count", system.count)
        place = Path(folder or ".", study.archive, name)
        if (held := archived_length(place)) < asked:
            problem = f"systems.{name}.{key} = {asked}: {place} holds {held}"
            found.append(
                f"{problem}; use fewer {'cells' if key == 'count' else 'steps'}, or compute all: archive: null"
            )
    return found
