"""Parts of the study that data without times, momenta, forces or enough frames cannot support: left out and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bpstudy.config.analysis import FEWEST_COMPARED
from bpstudy.config.selection import FEWEST_CHOSEN_ON
from bpstudy.config.study import Config
from bpstudy.config.systems import Strained
from bpstudy.data.choose import chosen
from bpstudy.data.elements import elements_of
from bpstudy.data.inspection import Inspection

NOTHING = "Nothing is left out."


def page(lines: Sequence[str]) -> str:
    """What is left out, as Markdown."""
    return "# Left out\n\n" + ("\n".join(f"- {line}" for line in lines) or NOTHING) + "\n"


def leave_out(
    values: dict[str, Any], study: Config, inspections: Mapping[str, Inspection]
) -> tuple[dict[str, Any], list[str]]:
    """The configuration without what the data do not hold, and a line for each thing that is left out."""
    lines: list[str] = []
    numbers = {
        name: chosen(frames, len(of), of.parts)
        for name, frames in study.frames.items()
        if (of := inspections.get(frames.system)) is not None
    }
    sizes = {name: len(of) for name, of in numbers.items()}
    _without_other_crystals(values, study, inspections, lines)
    _without_forces(values, study, inspections, lines)
    _without_choice(values, study, inspections, sizes, lines)
    _without_motion(values, study, inspections, lines)
    _without_times(study, inspections, lines)
    _without_difference(values, study, numbers, lines)
    _with_fewer_frames(values, study, inspections, sizes, lines)
    return values, lines


def _of_experiments(study: Config, with_forces: bool) -> set[str]:
    """Systems whose frames experiments name, those that look at forces alone or all."""
    return {
        study.frames[name].system
        for experiment in study.experiments.values()
        if experiment.forces or not with_forces
        for name in experiment.sets.values()
    }


def _without_other_crystals(
    values: dict[str, Any], study: Config, inspections: Mapping[str, Inspection], lines: list[str]
) -> None:
    """Hours of DFT of a crystal that has nothing to do with the data."""
    held = set().union(*(elements_of(of.table["formula"].unique().tolist()) for of in inspections.values()))
    for name, system in study.used_systems.items():
        if isinstance(system, Strained) and system.crystal.element not in held:
            values["systems"][name] = None
            lines.append(
                f"{name}: strained cells of {system.crystal.element}, which the data do not hold. Left out: the "
                "experiments on them, properties of the crystal, figS8, claim F6."
            )


def _without_forces(
    values: dict[str, Any], study: Config, inspections: Mapping[str, Inspection], lines: list[str]
) -> None:
    bare = [
        name
        for name in sorted(_of_experiments(study, True))
        if name in inspections and not inspections[name].has_forces
    ]
    if bare:
        fitted = sum(1 for experiment in study.experiments.values() if experiment.forces)
        values["with_forces"] = None
        lines.append(
            f"{', '.join(bare)}: no forces. Left out: the {fitted} experiments that look at forces, fig13, fig14, "
            "fig15, claims F1 to F6."
        )


def _without_choice(
    values: dict[str, Any],
    study: Config,
    inspections: Mapping[str, Inspection],
    sizes: Mapping[str, int],
    lines: list[str],
) -> None:
    """Functions can be chosen by energies alone, but not on a few frames."""
    asked = study.selection
    if asked is None:
        return
    for name, least in ((asked.frames, FEWEST_CHOSEN_ON), (asked.held_out, FEWEST_COMPARED)):
        if sizes.get(name, least) < least:
            values["selection"] = None
            lines.append(
                f"frames.{name}: {sizes[name]} frames are too few to choose symmetry functions. Left out: `selection`, "
                "fig16, fig17, figS9, claims S1 to S4."
            )
            return
    bare = {
        system
        for system in (study.frames[asked.frames].system, study.frames[asked.held_out].system)
        if system in inspections and not inspections[system].has_forces
    }
    if bare:
        lines.append(
            f"{', '.join(sorted(bare))}: no forces. Symmetry functions are chosen and compared by energies alone "
            "(fig16, fig17, claims S1 to S4)."
        )


def _without_motion(
    values: dict[str, Any], study: Config, inspections: Mapping[str, Inspection], lines: list[str]
) -> None:
    asked = study.with_forces
    if values.get("with_forces") is None or asked is None or asked.runs is None:
        return
    of = inspections.get(asked.runs.reference)
    if of is None:
        return
    step_fs = of.declared.timestep_fs or asked.runs.timestep_fs
    needed = 2 * round(asked.runs.longest_fs / step_fs) + round(asked.runs.from_fs / step_fs)
    missing = [
        what
        for what, lacks in (
            ("momenta", not of.moves),
            ("frames in order of time", of.declared.trajectory is None),
            ("periodicity along all three axes", not (of.table["pbc"] == "TTT").all()),
            (f"{needed} frames for lags up to longest_fs = {asked.runs.longest_fs:g}", len(of) < needed),
        )
        if lacks
    ]
    if missing:
        values["with_forces"]["runs"] = None
        lines.append(
            f"{asked.runs.reference}: no {', no '.join(missing)}. Left out: the dynamics with a network beside it, "
            "fig14."
        )


def _without_times(study: Config, inspections: Mapping[str, Inspection], lines: list[str]) -> None:
    timeless = [
        name
        for name in sorted(_of_experiments(study, False))
        if name in inspections and inspections[name].declared.timestep_fs is None
    ]
    if timeless:
        lines.append(
            f"{', '.join(timeless)}: no times (`timestep_fs`). Left out: spikes of the predicted E(t), and the claims "
            "on them. Blocks of the comparisons are counted in frames; neighbours in G may be neighbours in time."
        )


def _without_difference(
    values: dict[str, Any], study: Config, numbers: Mapping[str, Sequence[int]], lines: list[str]
) -> None:
    """Comparisons of experiments that are the same fit on these data, such as consecutive or spread unordered ones."""
    compared = study.comparisons
    for group, names in compared.groups.items():
        fits = {_fit(study, name, numbers) for name in names}
        if len(fits) > 1 or group == compared.combinations or group in compared.shown:
            continue
        del values["comparisons"]["groups"][group]
        needed = set(_named_elsewhere(study, group))
        dropped = [name for name in names if name not in needed and name in values["experiments"]]
        for name in dropped:
            del values["experiments"][name]
        lines.append(
            f"comparisons.groups.{group}: {', '.join(names)} are the same fit, because they are trained on the same "
            "frames. Left out: the comparison" + (", and these experiments." if dropped else ".")
        )


def _fit(study: Config, name: str, numbers: Mapping[str, Sequence[int]]) -> str:
    """All that determines what an experiment computes, as text."""
    experiment = study.experiments[name]
    frames = [
        (purpose, study.frames[of].system, list(numbers[of]) if of in numbers else of)
        for purpose, of in experiment.sets.items()
    ]
    return f"{experiment.model_dump_json(exclude={'frames', 'validation', 'held_out'})} {frames}"


def _named_elsewhere(study: Config, group: str) -> list[str]:
    """Experiments that something other than this group of comparisons names."""
    others = [name for of, names in study.comparisons.groups.items() if of != group for name in names]
    forces = study.with_forces.experiments().values() if study.with_forces else ()
    figures, reported, held = study.figures.experiments().values(), study.reported, study.information
    named = [*reported.iterations, *reported.seconds, reported.worst, reported.best]
    named += study.selection.combinations if study.selection else ()
    return [*others, *forces, *figures, *named, study.learning_curves.experiment, held.experiment, *held.heat_maps]


def _with_fewer_frames(
    values: dict[str, Any],
    study: Config,
    inspections: Mapping[str, Inspection],
    sizes: Mapping[str, int],
    lines: list[str],
) -> None:
    curves = study.learning_curves
    if (there := sizes.get(curves.frames)) is not None:
        _fit_curves(values["learning_curves"], there, lines)
    asked = study.with_forces
    if values.get("with_forces") is not None and asked is not None:
        held_out = sizes.get(asked.held_out)
        if asked.coverage is not None and held_out is not None and held_out < asked.coverage.frames:
            values["with_forces"]["coverage"] = None
            lines.append(
                f"frames.{asked.held_out}: {held_out} frames, {asked.coverage.frames} are needed to calibrate the "
                "uncertainty of a committee. Left out: its coverage."
            )
        there = sizes.get(study.experiments[asked.pairs[asked.learning.pair][0]].frames) if asked.pairs else None
        if there is not None:
            counts = [count for count in asked.learning.counts if count <= there]
            counts = counts if len(counts) > 1 else sorted({max(1, there // 2), there})
            if list(asked.learning.counts) != counts:
                values["with_forces"]["learning"]["counts"] = counts
                lines.append(f"with_forces.learning.counts: {counts}, because there are {there} frames.")
    unit = study.unit_functions
    if unit.system in inspections and inspections[unit.system].table["n_atoms"].nunique() > 1:
        lines.append(f"{unit.system}: frames of several sizes. E(G) of the unit functions (fig02, figS1) is per atom.")
    if (of := inspections.get(unit.system)) is not None and len(of) < 2 * unit.bins:
        values["unit_functions"]["bins"] = max(1, len(of) // 4)
        lines.append(f"unit_functions.bins: {max(1, len(of) // 4)}, because {unit.system} has {len(of)} frames.")
    for name, count in sizes.items():
        if count < FEWEST_COMPARED and name == study.comparisons.decided_on:
            lines.append(f"frames.{name}: {count} frames are too few to compare experiments on.")


def _fit_curves(curves: dict[str, Any], there: int, lines: list[str]) -> None:
    """Learning curves of no more frames than there are."""
    counts = [count for count in curves["counts"] if count <= there] or sorted(
        {max(1, there // 4), max(1, there // 2), there}
    )
    several = min(curves["count_of_shares"], max(1, there // 4))
    shares = [share for share in curves["shares"] if round(share * there) >= several]
    for key, fitting in (("counts", counts), ("count_of_shares", several), ("shares", shares)):
        if curves[key] != fitting:
            lines.append(f"learning_curves.{key}: {fitting}, because there are {there} frames.")
            curves[key] = fitting
