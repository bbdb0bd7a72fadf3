"""Comparisons of experiments with each other, with DFT and with the paper."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bpstudy.config.base import Count, Distinct, Name, NonNegative, Positive, Section, Seed

FunctionType = Literal["G1", "G2", "G3", "G4", "G5"]
LARGEST_SUPERCELL = 10_000  # copies of the reference cell
FEWEST_COMPARED = 10  # frames for a comparison of experiments: five blocks of two


class Comparisons(Section):
    """Groups of experiments, ranked by a bootstrap over seeds and blocks of frames."""

    draws: Annotated[int, Field(ge=100, le=10**7)] = Field(description="number of bootstrap samples")
    confidence: Annotated[float, Field(gt=0, lt=1)] = Field(description="confidence level of the intervals")
    seed: Seed = Field(description="random seed of the bootstrap")
    block_fs: Positive = Field(description="minimum length of a block of frames; longer than their correlation time")
    groups: dict[Name, Annotated[tuple[Name, ...], Field(strict=False), Distinct]] = Field(
        description="at least two experiments each, with common held-out frames"
    )
    shown: dict[Name, str] = Field(description="groups of figS5 and their titles")
    decided_on: Name = Field(description="held-out frames that decide which is best: those of an independent run")
    combinations: Name = Field(description="the group on which the claims about combinations of types are decided")

    @model_validator(mode="after")
    def _groups_compare(self) -> Self:
        if small := [group for group, names in self.groups.items() if len(names) < 2]:
            raise ValueError(f"groups.{small[0]}: at least two experiments are needed to compare")
        return self

    @model_validator(mode="after")
    def _groups_exist(self) -> Self:
        for key, name in [("combinations", self.combinations), *(("shown", name) for name in self.shown)]:
            if name not in self.groups:
                raise ValueError(f"{key}: {name!r} is not one of the groups; allowed: {', '.join(self.groups)}")
        return self

    def experiments(self) -> dict[str, str]:
        """The experiment named by each key of the configuration that names one."""
        return {
            f"comparisons.groups.{group}[{n}]": name
            for group, names in self.groups.items()
            for n, name in enumerate(names)
        }


class Converged(Section):
    """A run whose temperature has converged."""

    system: Name
    after_fs: Positive = Field(description="time after which it has converged")


class Reported(Section):
    """Values reported in the paper."""

    converged: Converged
    magnitudes: Annotated[tuple[FunctionType, ...], Distinct] = Field(
        strict=False, description="types of functions, largest magnitude first"
    )
    least_scatter: FunctionType = Field(description="the type whose sums determine E best")
    target_mse_ev2: Positive = Field(description="training error that `dense` reaches")
    iterations: dict[Name, Count] = Field(description="numbers of iterations of experiments")
    seconds: dict[Name, Positive] = Field(description="training times of experiments; only their ratios are compared")
    few_neurons_mse_ev2: Positive
    worst: Name
    best: Name


class LearningCurves(Section):
    """Held-out error against the number of training frames, and against the duration over which they are spread."""

    experiment: Name = Field(description="experiment whose functions and network are used")
    optimizer: Name
    frames: Name = Field(description="the training frames to select from")
    held_out: Name = Field(description="test frames, from another run")
    counts: Annotated[tuple[Count, ...], Field(strict=False, min_length=1), Distinct] = Field(
        description="numbers of training frames, spread over the whole run"
    )
    shares: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(strict=False, min_length=1), Distinct] = (
        Field(description="fractions of the run, from its start")
    )
    count_of_shares: Count = Field(description="number of training frames spread over each share")


class PotentialRuns(Section):
    """Molecular dynamics with one network, NVE and NVT, compared with DFT."""

    experiment: Name = Field(description="experiment of the network")
    seed: Seed = Field(description="its random seed, one of seeds")
    reference: Name = Field(
        description="system whose dynamics are compared, and whose last frame is the starting structure"
    )
    from_fs: NonNegative = Field(description="initial part of the reference that is discarded as equilibration")
    timestep_fs: Positive = Field(
        ge=0.01, le=10, description="time step of all runs, and between frames of a reference whose times are unknown"
    )
    temperature_kelvin: Positive = Field(ge=1, le=100_000)
    friction_per_fs: Positive = Field(le=1, description="friction of the bath, 1/fs")
    nve_steps: Count
    nvt_steps: Count
    supercell: tuple[Count, Count, Count] = Field(strict=False, description="repetitions of the reference cell")
    supercell_steps: Count = Field(description="NVE steps of the supercell")
    longest_fs: Positive = Field(description="longest lag of the time correlations")

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if self.longest_fs < self.timestep_fs:
            raise ValueError(f"longest_fs = {self.longest_fs:g} is shorter than timestep_fs = {self.timestep_fs:g}")
        if (needed := math.ceil(2 * self.longest_fs / self.timestep_fs)) > self.nvt_steps:
            raise ValueError(
                f"nvt_steps = {self.nvt_steps}: lags up to longest_fs = {self.longest_fs:g} need {needed} or more"
            )
        if math.prod(self.supercell) > LARGEST_SUPERCELL:
            raise ValueError(f"supercell = {list(self.supercell)}: at most {LARGEST_SUPERCELL} copies are allowed")
        return self


class ThermalVolume(Section):
    """A run of one network at constant pressure 0, and the DFT's pressure on some of its frames."""

    seed: int = Field(ge=0, description="random seed of the network, one of seeds")
    temperature_kelvin: float = Field(ge=1, le=10_000)
    timestep_fs: float = Field(gt=0, le=10)
    steps: Count
    frames: Annotated[int, Field(ge=3)] = Field(description="number of frames for the DFT, evenly spaced")


class Properties(Section):
    """Properties of the ideal crystal, by the DFT and by all networks of an experiment."""

    system: Name = Field(
        description="a simulated or strained system, which gives the (first) crystal and the settings of the DFT"
    )
    experiment: Name = Field(description="experiment of the networks")
    reference: str | None = Field(
        min_length=1,
        description="folder with curve.csv and properties.csv of the DFT, made by the rule properties_dft; null: "
        "computed here",
    )
    volumes: Annotated[
        tuple[Annotated[float, Field(ge=0.3, le=3)], ...], Field(strict=False, min_length=4), Distinct
    ] = Field(description="volumes of the equation of state, relative to that of the crystal")
    strain: float = Field(
        gt=0, le=0.05, description="± strain for the elastic constants, from differences of the stress"
    )
    displacement_angstrom: float = Field(gt=0, le=0.2, description="± displacement of an atom, for the phonons")
    fmax_ev_per_angstrom: Positive = Field(description="largest force at which atoms around the vacancy are relaxed")
    goal: Positive = Field(le=1, description="largest relative deviation from the DFT of a useful potential")
    thermal_volume: ThermalVolume


class ForceCurves(Section):
    """Learning curves of a pair of experiments, with energies alone and with forces."""

    pair: str = Field(description="a key of types or others")
    counts: Annotated[tuple[Count, ...], Field(strict=False, min_length=2), Distinct] = Field(
        description="numbers of training frames, spread over those of the pair"
    )


FITS = ("energies alone", "energies and forces")  # the two experiments of each pair


class Coverage(Section):
    """A committee of all seeds of an experiment: how often the intervals of its uncertainty contain the error."""

    experiment: Name = Field(description="experiment whose networks form the committee")
    confidence: float = Field(ge=0.5, le=0.99, description="confidence level of the intervals")

    @property
    def frames(self) -> int:
        """Minimum number of held-out frames: half of them calibrate."""
        return 2 * math.ceil(self.confidence / (1 - self.confidence))


class WithForces(Section):
    """The effect of fitting to forces: pairs of experiments, with energies alone and with forces."""

    held_out: Name = Field(description="held-out frames that decide")
    goal_mev_per_atom: Positive = Field(description="largest energy RMSE of a useful potential")
    goal_mev_per_angstrom: Positive = Field(description="largest force RMSE of a useful potential")
    types: dict[str, Annotated[tuple[Name, Name], Field(strict=False)]] = Field(
        description="pairs that are ranked, by name, at least two: combinations of types"
    )
    others: dict[str, Annotated[tuple[Name, Name], Field(strict=False)]] = Field(description="further pairs")
    learning: ForceCurves
    runs: PotentialRuns | None = Field(description="null leaves out the dynamics with a network")
    coverage: Coverage | None = Field(
        default=None,
        description="on `held_out`: calibrated on its first half; null leaves it out, as does a single seed",
    )

    @model_validator(mode="after")
    def _types_are_ranked(self) -> Self:
        if len(self.types) < 2:
            raise ValueError("types: at least two pairs are needed to rank them")
        return self

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        return self.types | self.others

    def experiments(self) -> dict[str, str]:
        """The experiment named by each key of the configuration that names one."""
        return {
            f"with_forces.{section}.{pair}[{n}]": name
            for section in ("types", "others")
            for pair, names in getattr(self, section).items()
            for n, name in enumerate(names)
        }


class Information(Section):
    """Information content of sets of functions, for each experiment and against the cutoff."""

    memory_fs: Positive = Field(
        description="frames closer in time than this are similar in every respect and do not count as neighbours"
    )
    heat_maps: Annotated[tuple[Name, ...], Field(strict=False, min_length=1), Distinct] = Field(
        description="experiments shown in figS6"
    )
    experiment: Name = Field(description="experiment whose functions are recomputed at the other cutoffs, for figS7")
    frames: Name = Field(description="frames of figS7")
    cutoffs_angstrom: Annotated[tuple[Positive, ...], Field(strict=False, min_length=2), Distinct]
