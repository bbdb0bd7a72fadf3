"""Checks of configurations whose keys are valid one by one but make no sense together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bpstudy.config.analysis import FEWEST_COMPARED
from bpstudy.config.base import not_one_of
from bpstudy.config.selection import FEWEST_CHOSEN_ON
from bpstudy.config.systems import Simulated

if TYPE_CHECKING:
    from bpstudy.config.study import Config

FEWEST_TRAINED = 5  # frames; the ridge baseline is cross-validated with five folds
FEWEST_TESTED = 2  # frames; a single frame has no spread to compare an error with


def implausible(study: Config) -> list[str]:
    """Problems, one line each: identical trajectories, too few frames, unknown names, a reference that is too short."""
    checks = (_same_names, _same_trajectories, _too_few, _selection, _unknown, _reference)
    return [problem for check in checks for problem in check(study)]


def _same_names(study: Config) -> Iterator[str]:
    """Names become folders, and some file systems ignore case."""
    for section in ("systems", "frames", "experiments"):
        for names in _groups((name.casefold(), name) for name in getattr(study, section)):
            yield f"{section}: {' and '.join(names)} differ only in upper and lower case; rename one"


def _same_trajectories(study: Config) -> Iterator[str]:
    """Simulations with equal settings; copies in existing data are found on reading (`bpstudy.data.held_out`)."""
    simulated = {name: system for name, system in study.used_systems.items() if isinstance(system, Simulated)}
    for first, *others in _groups((system.simulation().model_dump_json(), name) for name, system in simulated.items()):
        for other in others:
            yield (
                f"systems.{other}: the same crystal, calculator and dynamics as systems.{first}, hence the same "
                f"trajectory and not an independent one; change dynamics.seed"
            )


def _too_few(study: Config) -> Iterator[str]:
    fewest: dict[str, tuple[int, str]] = {}
    for name, experiment in study.experiments.items():
        for key, frames in experiment.named_frames().items():
            least = FEWEST_TRAINED if key == "frames" else FEWEST_TESTED
            if frames not in fewest or fewest[frames][0] < least:
                fewest[frames] = least, f"experiments.{name}.{key}"
    for frames, (least, key) in fewest.items():
        count = study.frames[frames].count
        if count is not None and count < least:
            yield f"frames.{frames}.count = {count}: at least {least} frames are needed ({key})"
    for count in study.learning_curves.counts:
        if count < FEWEST_TRAINED:
            yield f"learning_curves.counts: {count} frames, at least {FEWEST_TRAINED} are needed"


def _selection(study: Config) -> Iterator[str]:
    if study.selection is None:
        return
    for key, least in (("frames", FEWEST_CHOSEN_ON), ("held_out", FEWEST_COMPARED)):
        name = getattr(study.selection, key)
        count = study.frames[name].count
        if count is not None and count < least:
            yield (
                f"frames.{name}.count = {count}: at least {least} frames are needed (selection.{key}); or write "
                "selection: null"
            )
    system = study.systems[study.frames[study.selection.frames].system]
    if isinstance(system, Simulated):
        most = study.selection.pool.most(1, system.crystal.nearest_angstrom)
        for budget in study.selection.budgets:
            if budget > most:
                yield (
                    f"selection.budgets: {budget} functions, but the pool has at most {most}; ask for fewer, or "
                    "enlarge selection.pool"
                )


def _unknown(study: Config) -> Iterator[str]:
    decided = study.comparisons.decided_on
    if decided not in study.frames:
        yield f"comparisons.decided_on = {decided!r}: {not_one_of(decided, 'frames', study.frames)}"
    for key in ("iterations", "seconds"):
        for name in getattr(study.reported, key):
            if name not in study.experiments:
                yield f"reported.{key}.{name}: {not_one_of(name, 'experiments', study.experiments)}"


def _reference(study: Config) -> Iterator[str]:
    """The length of a simulated reference of a potential's runs is known before it is computed."""
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
    """Groups of two or more names with the same value."""
    found: dict[str, list[str]] = defaultdict(list)
    for value, name in pairs:
        found[value].append(name)
    yield from (names for names in found.values() if len(names) > 1)
