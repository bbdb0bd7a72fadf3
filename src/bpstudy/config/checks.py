"""Checks of the physics: how the dynamics are analysed, and which settings of the DFT are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from bpstudy.config.base import Count, Name, NonNegative, Positive, Section
from bpstudy.config.systems import Emt, Gpaw, Simulated, System


class Thermal(Section):
    """Analysis of the dynamics: temperature, energies, radial distribution."""

    block_fs: Positive = Field(
        description="length of the blocks that statistical errors come from; longer than a phonon"
    )
    equilibration_sigmas: Positive = Field(
        description="the running mean of T must stay within so many standard errors of the bath's"
    )
    left_out_relaxation_times: NonNegative = Field(
        description="start that statistics leave out at the least, in units of the bath's memory 1/γ"
    )
    rdf_cutoff_angstrom: Positive = Field(ge=1, le=50, description="largest distance of g(r)")
    rdf_bin_angstrom: Positive = Field(description="width of its bins")
    rdf_frames: Count = Field(description="frames it is averaged over, taken evenly")

    @model_validator(mode="after")
    def _several_bins(self) -> Self:
        if self.rdf_bin_angstrom * 10 > self.rdf_cutoff_angstrom:
            raise ValueError("rdf_bin_angstrom must be at most a tenth of rdf_cutoff_angstrom")
        return self


class DftConvergence(Section):
    """Variants of a system's calculator section, computed on a few of its frames and compared."""

    frames: Annotated[int, Field(ge=3)] = Field(description="taken evenly of the trajectory")
    reference: Name = Field(description="the tight variant that all are compared with")
    converged: Name = Field(
        description="the study's settings, self-consistent to the last digit: what the trajectory's own energies differ"
        " from it is noise that any fit meets"
    )
    variants: dict[Name, dict[str, Any]] = Field(
        min_length=2, description="keys of the calculator section that differ from the study's; {} is the study itself"
    )

    @model_validator(mode="after")
    def _named_variants_exist(self) -> Self:
        for key in ("reference", "converged"):
            if getattr(self, key) not in self.variants:
                raise ValueError(
                    f"{key} is {getattr(self, key)!r}, not one of the variants; allowed: {', '.join(self.variants)}"
                )
        if all(self.variants.values()):
            raise ValueError("variants: one must be {}, the settings of the study")
        if taken := {TRAJECTORY, "table"} & set(self.variants):
            raise ValueError(f"variants: {taken.pop()!r} is taken; choose another name")
        return self

    @property
    def study(self) -> str:
        """The variant without a difference."""
        return next(name for name, overlay in self.variants.items() if not overlay)


TRAJECTORY = "trajectory"
"""Name under which the energies and forces that the trajectory itself holds are compared too."""


def overlaid(calculator: Gpaw | Emt, overlay: Mapping[str, Any]) -> Gpaw | Emt:
    """The calculator's settings with the keys of `overlay` replaced, sections within it as well.

    Raises:
        ValidationError: a key that does not exist, or a value that is not allowed.
    """
    return type(calculator).model_validate(_merged(calculator.model_dump(), overlay))


def _merged(values: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        key: _merged(values[key], value)
        for key, value in overlay.items()
        if isinstance(value, Mapping) and isinstance(values.get(key), Mapping)
    }
    return {**values, **overlay, **nested}


def convergence_problems(convergence: Mapping[str, DftConvergence], systems: Mapping[str, System]) -> list[str]:
    """What is wrong with the variants, a line each: systems that are not simulated, keys that do not exist."""
    problems = []
    for name, settings in convergence.items():
        system = systems.get(name)
        if not isinstance(system, Simulated):
            simulated = [other for other, of in systems.items() if isinstance(of, Simulated)]
            problems.append(f"dft_convergence.{name}: not a simulated system; allowed: {', '.join(simulated)}")
            continue
        if settings.frames > system.steps + 1:
            problems.append(f"dft_convergence.{name}.frames: {settings.frames}, {name} has {system.steps + 1} frames")
        for variant, overlay in settings.variants.items():
            try:
                overlaid(system.calculator, overlay)
            except ValidationError as error:
                problems += [
                    f"dft_convergence.{name}.variants.{variant}.{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
                    for problem in error.errors()
                ]
    return problems
