"""Configurations that are valid key by key and yet mean something that nobody meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bpstudy.config.systems import Imported, Simulated, System

if TYPE_CHECKING:
    from bpstudy.config.study import Config

FEWEST_TRAINED = 5  # frames: ridge, the baseline, is cross-validated on five folds
FEWEST_TESTED = 2  # frames: of one there is no spread to measure an error against


def implausible(study: Config) -> list[str]:
    """What is wrong, a line each: trajectories under two names, frames too few, names that nothing has, and so on."""
    return [*_same_names(study), *_same_trajectories(study), *_too_few(study), *_unknown(study), *_reference(study)]


def _same_names(study: Config) -> Iterator[str]:
    """Names become folders, which some file systems tell apart by their letters only, not by their case."""
    for section in ("systems", "frames", "experiments"):
        for names in _groups((name.casefold(), name) for name in getattr(study, section)):
            yield f"{section}: {' and '.join(names)} differ only in upper and lower case; rename one"


def _same_trajectories(study: Config) -> Iterator[str]:
    used = study.used_systems
    for names in _groups((_identity(system), name) for name, system in used.items()):
        first, *others = names
        for other in others:
            if isinstance(used[first], Simulated):
                yield (
                    f"systems.{other}: the same crystal, calculator and dynamics as systems.{first}, hence the same "
                    f"trajectory and not an independent one; change dynamics.seed"
                )
            else:
                yield f"systems.{other}.trajectory: the same file as systems.{first}.trajectory; name one of them"


def _identity(system: System) -> str:
    if isinstance(system, Imported):
        return repr([str(Path(path).resolve()) for path in system.sources])
    return system.simulation().model_dump_json()


def _too_few(study: Config) -> Iterator[str]:
    fewest: dict[str, tuple[int, str]] = {}
    for name, experiment in study.experiments.items():
        for key, frames in experiment.named_frames().items():
            least = FEWEST_TRAINED if key == "frames" else FEWEST_TESTED
            if frames not in fewest or fewest[frames][0] < least:
                fewest[frames] = least, f"experiments.{name}.{key}"
    for frames, (least, key) in fewest.items():
        if (count := study.frames[frames].count) is not None and count < least:
            yield f"frames.{frames}.count = {count}: at least {least} frames are needed ({key})"
    for count in study.learning_curves.counts:
        if count < FEWEST_TRAINED:
            yield f"learning_curves.counts: {count} frames, at least {FEWEST_TRAINED} are needed"


def _unknown(study: Config) -> Iterator[str]:
    decided = study.comparisons.decided_on
    if decided not in study.frames:
        yield f"comparisons.decided_on = {decided!r}: not one of frames; allowed: {', '.join(study.frames)}"
    for key in ("iterations", "seconds"):
        for name in getattr(study.reported, key):
            if name not in study.experiments:
                yield f"reported.{key}.{name}: not one of experiments; allowed: {', '.join(study.experiments)}"


def _reference(study: Config) -> Iterator[str]:
    """A simulated reference of the runs of a potential: its length is known before it is computed."""
    if study.with_forces is None or study.with_forces.runs is None:
        return
    runs = study.with_forces.runs
    system = study.systems[runs.reference]
    if isinstance(system, Simulated):
        step_fs = system.dynamics.timestep_fs
        left_fs = system.steps * step_fs - runs.from_fs
        if left_fs < 2 * runs.longest_fs:
            yield (
                f"with_forces.runs: systems.{runs.reference} lasts {system.steps * step_fs:g} fs, of which from_fs = "
                f"{runs.from_fs:g} are left out; lags up to longest_fs = {runs.longest_fs:g} need "
                f"{2 * runs.longest_fs:g} fs"
            )


def _groups(pairs: Iterable[tuple[str, str]]) -> Iterator[list[str]]:
    """Names that share a value, where there are several."""
    found: dict[str, list[str]] = defaultdict(list)
    for value, name in pairs:
        found[value].append(name)
    yield from (names for names in found.values() if len(names) > 1)
