"""What is compared with what, and with which figures of the paper."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bpstudy.config.base import Count, Distinct, Name, NonNegative, Positive, Section, Seed

FunctionType = Literal["G1", "G2", "G3", "G4", "G5"]
LARGEST_SUPERCELL = 10_000  # copies of the reference's cell
FEWEST_COMPARED = 10  # frames that experiments are compared on: five blocks of two


class Comparisons(Section):
    """Groups of experiments that are ranked by a bootstrap over seeds and blocks of frames."""

    draws: Annotated[int, Field(ge=100, le=10**7)] = Field(description="of the bootstrap")
    confidence: Annotated[float, Field(gt=0, lt=1)] = Field(description="of its intervals")
    seed: Seed = Field(description="of its random numbers")
    block_fs: Positive = Field(description="length of a block of frames at the least; longer than their memory")
    groups: dict[Name, Annotated[tuple[Name, ...], Field(strict=False), Distinct]] = Field(
        description="at least two experiments each, which share frames they are tested on"
    )
    shown: dict[Name, str] = Field(description="groups of figS5 and their titles")
    decided_on: Name = Field(description="frames that decide which is best: those of an independent run")
    combinations: Name = Field(description="the group that claims on the combinations of types are decided on")

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
        """Each key of the configuration that names an experiment, and the experiment."""
        return {
            f"comparisons.groups.{group}[{n}]": name
            for group, names in self.groups.items()
            for n, name in enumerate(names)
        }


class Reported(Section):
    """Figures that the paper reports."""

    magnitudes: Annotated[tuple[FunctionType, ...], Distinct] = Field(
        strict=False, description="types of functions, the largest first"
    )
    least_scatter: FunctionType = Field(description="the type whose sums determine E best")
    target_mse_ev2: Positive = Field(description="reached by `dense`")
    iterations: dict[Name, Count] = Field(description="of experiments")
    seconds: dict[Name, Positive] = Field(description="of experiments; only their ratios are compared")
    few_neurons_mse_ev2: Positive
    worst: Name
    best: Name


class LearningCurves(Section):
    """Error on held-out frames against the number of frames trained on, and against how long they were taken over."""

    experiment: Name = Field(description="whose functions and network are taken")
    optimizer: Name
    frames: Name = Field(description="the run that frames are taken of")
    held_out: Name = Field(description="frames to test on, of another run")
    counts: Annotated[tuple[Count, ...], Field(strict=False, min_length=1), Distinct] = Field(
        description="frames, spread over the whole run"
    )
    shares: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(strict=False, min_length=1), Distinct] = (
        Field(description="of the run, from its start")
    )
    count_of_shares: Count = Field(description="frames spread over each share")


class PotentialRuns(Section):
    """Dynamics with one network, at constant energy and in a heat bath, beside those of the DFT."""

    experiment: Name = Field(description="whose network")
    seed: Seed = Field(description="one of seeds")
    reference: Name = Field(description="system whose dynamics are compared, and whose last frame is the start")
    from_fs: NonNegative = Field(description="start of the reference that is left out, while it warms up")
    timestep_fs: Positive = Field(ge=0.01, le=10, description="of all runs, and of a reference whose times are unknown")
    temperature_kelvin: Positive = Field(ge=1, le=100_000)
    friction_per_fs: Positive = Field(le=1, description="of the bath, 1/fs")
    nve_steps: Count
    nvt_steps: Count
    supercell: tuple[Count, Count, Count] = Field(strict=False, description="of the reference's cell")
    supercell_steps: Count = Field(description="at constant energy")
    longest_fs: Positive = Field(description="longest lag of the correlations")

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


class EquationOfState(Section):
    """Energy of the ideal crystal against its volume, of all networks of an experiment and of the DFT."""

    system: Name = Field(description="a simulated system: its crystal and its DFT")
    experiment: Name = Field(description="whose networks")
    volumes: Annotated[
        tuple[Annotated[float, Field(ge=0.3, le=3)], ...], Field(strict=False, min_length=3), Distinct
    ] = Field(description="relative to that of the crystal, which is trained on")
    strain: float = Field(gt=0, le=0.05, description="± for the elastic constants, by differences of the stress")


class ForceCurves(Section):
    """Learning curves of a pair of experiments, energies alone and with forces."""

    pair: str = Field(description="of types or others")
    counts: Annotated[tuple[Count, ...], Field(strict=False, min_length=2), Distinct] = Field(
        description="frames, spread over those that the pair is trained on"
    )


FITS = ("energies alone", "energies and forces")  # the two experiments of each pair


class WithForces(Section):
    """What forces in the fit change: pairs of experiments, energies alone and with forces."""

    held_out: Name = Field(description="frames that decide")
    goal_mev_per_atom: Positive = Field(description="RMS error of the energy of a useful potential, at the most")
    goal_mev_per_angstrom: Positive = Field(description="and of its forces")
    types: dict[str, Annotated[tuple[Name, Name], Field(strict=False)]] = Field(
        description="pairs that are ranked, at least two, by name: combinations of types"
    )
    others: dict[str, Annotated[tuple[Name, Name], Field(strict=False)]] = Field(description="pairs beside them")
    learning: ForceCurves
    runs: PotentialRuns | None = Field(description="null leaves them out")
    equation_of_state: EquationOfState

    @model_validator(mode="after")
    def _types_are_ranked(self) -> Self:
        if len(self.types) < 2:
            raise ValueError("types: at least two pairs are needed to rank them")
        return self

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        return self.types | self.others

    def experiments(self) -> dict[str, str]:
        """Each key of the configuration that names an experiment, and the experiment."""
        return {
            f"with_forces.{section}.{pair}[{n}]": name
            for section in ("types", "others")
            for pair, names in getattr(self, section).items()
            for n, name in enumerate(names)
        }


class Information(Section):
    """What sets of functions hold, for each experiment and against the cutoff."""

    memory_fs: Positive = Field(description="frames closer in time are alike in everything: not counted as neighbours")
    heat_maps: Annotated[tuple[Name, ...], Field(strict=False, min_length=1), Distinct] = Field(
        description="experiments of figS6"
    )
    experiment: Name = Field(description="whose functions are made again at the other cutoffs, for figS7")
    frames: Name = Field(description="of figS7")
    cutoffs_angstrom: Annotated[tuple[Positive, ...], Field(strict=False, min_length=2), Distinct]
