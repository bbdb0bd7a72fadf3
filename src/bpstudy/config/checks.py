"""Checks of the physics: analysis of the dynamics, and convergence of the DFT settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from bpstudy.config.base import Count, Name, NonNegative, Positive, Section, not_one_of
from bpstudy.config.systems import Emt, Gpaw, Simulated, System


class Thermal(Section):
    """Analysis of the dynamics: temperature, energies, radial distribution."""

    block_fs: Positive = Field(
        description="length of the blocks for statistical errors; longer than a vibrational period"
    )
    equilibration_sigmas: Positive = Field(
        description="the running mean of T must stay within this many standard errors of the bath's"
    )
    left_out_relaxation_times: NonNegative = Field(
        description="minimum initial part discarded from the statistics, in units of the bath's correlation time 1/γ"
    )
    settled_within: Positive = Field(
        le=0.5, description="relative deviation from the bath within which the running mean of T counts as settled"
    )
    rdf_cutoff_angstrom: Positive = Field(ge=1, le=50, description="largest distance of g(r)")
    rdf_bin_angstrom: Positive = Field(description="width of its bins")
    rdf_frames: Count = Field(description="number of frames over which it is averaged, evenly spaced")

    @model_validator(mode="after")
    def _several_bins(self) -> Self:
        if self.rdf_bin_angstrom * 10 > self.rdf_cutoff_angstrom:
            raise ValueError("rdf_bin_angstrom must be at most a tenth of rdf_cutoff_angstrom")
        return self


class DftConvergence(Section):
    """Variants of a system's calculator settings, computed on a few of its frames and compared."""

    frames: Annotated[int, Field(ge=3)] = Field(description="number of frames, evenly spaced along the trajectory")
    reference: Name = Field(description="the tight variant with which all others are compared")
    converged: Name = Field(
        description="the study's settings, fully converged; deviations of the trajectory from it are the noise floor"
    )
    variants: dict[Name, dict[str, Any]] = Field(
        min_length=2, description="keys of the calculator section that differ from the study's; {} for the study itself"
    )

    @model_validator(mode="after")
    def _named_variants_exist(self) -> Self:
        for key in ("reference", "converged"):
            if getattr(self, key) not in self.variants:
                named = getattr(self, key)
                raise ValueError(f"{key} is {named!r}, {not_one_of(named, 'the variants', self.variants)}")
        if all(self.variants.values()):
            raise ValueError("variants: one must be {}, the settings of the study")
        if taken := {TRAJECTORY, "table"} & set(self.variants):
            raise ValueError(f"variants: {taken.pop()!r} is taken; choose another name")
        return self

    @property
    def study(self) -> str:
        """The variant without differences from the study."""
        return next(name for name, overlay in self.variants.items() if not overlay)


TRAJECTORY = "trajectory"
"""Name of the variant with the energies and forces stored in the trajectory itself."""


def overlaid(calculator: Gpaw | Emt, overlay: Mapping[str, Any]) -> Gpaw | Emt:
    """The calculator's settings with the keys of `overlay` replaced, including nested sections.

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
    """Mistakes in the variants, one line each: systems that are not simulated, unknown keys."""
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
