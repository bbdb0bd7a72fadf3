"""Data that exist: files of frames, the names of what they hold, their units, and how they are split."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from ase.data import chemical_symbols
from pydantic import Field, field_validator, model_validator

from bpstudy.config.base import Positive, Section, Seed

PARTS = ("train", "validation", "test")
FILE, BLOCKS = "file", "blocks"  # what frames are grouped by, where it is not a key of theirs

EnergyUnit = Literal["eV", "Hartree", "Rydberg", "kcal/mol", "kJ/mol"]
LengthUnit = Literal["Angstrom", "Bohr"]
StressUnit = Literal["eV/Angstrom3", "GPa", "kbar"]
Share = Annotated[float, Field(ge=0, lt=1)]


class Units(Section):
    """Units of the files. They are declared, never guessed; forces are in energy/length."""

    energy: EnergyUnit = Field(default="eV", description="unit of energies")
    length: LengthUnit = Field(default="Angstrom", description="unit of positions and cells")
    stress: StressUnit | None = Field(
        default=None,
        description="unit of the stress; null: energy/length³. Not needed for a virial, which is an energy",
    )


class Split(Section):
    """Parts of the data for training, validation and test. Frames that belong together stay on one side."""

    by: str = Field(
        default=FILE,
        min_length=1,
        description="what frames must share to stay together: a key of the frames (config_type, …) or 'file'; "
        "'blocks' takes consecutive frames of each file, the first for training, the last for testing",
    )
    ignore: str | None = Field(
        default=None,
        min_length=1,
        description="regular expression for the part of the key's text to ignore, such as the number of a snapshot",
    )
    validation: Share = Field(default=0.1, description="fraction of the frames")
    test: Share = Field(default=0.1, description="fraction of the frames")
    gap_frames: Annotated[int, Field(ge=0)] = Field(
        default=0, description="number of frames left out between two blocks"
    )
    seed: Seed = Field(default=0, description="random seed, which decides between groups of equal size")

    @model_validator(mode="after")
    def _something_to_train_on(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test = {self.validation + self.test:g}: nothing is left to train on")
        if self.ignore is not None:
            if self.by in (FILE, BLOCKS):
                raise ValueError("ignore belongs to `by` with a key of the frames")
            try:
                re.compile(self.ignore)
            except re.error as error:
                raise ValueError(f"ignore is not a regular expression: {error}") from None
        if self.gap_frames and self.by != BLOCKS:
            raise ValueError(f"gap_frames belongs to `by: {BLOCKS}`; groups have no neighbours")
        return self


class Imported(Section):
    """A system of existing frames: files of ASE, or input.data of n2p2 and RuNNer, with one energy per frame."""

    trajectory: str | None = Field(
        default=None, min_length=1, description="one file of frames in order of time, all of the same atoms"
    )
    files: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False, min_length=1)] | None = Field(
        default=None, description="files of frames of any size, composition and order; relative to the working folder"
    )
    format: str | None = Field(
        default=None, description="ASE's name of the format, or n2p2; null: inferred from the file"
    )
    energy: str | None = Field(default=None, description="name of the energies; null: the only one in the file")
    forces: str | None = Field(default=None, description="name of the forces; null: the only one in the file, if any")
    stress: str | None = Field(
        default=None,
        description="name of the stress with ASE's sign (dE/dε / V, above 0 where the cell wants to shrink), or of a "
        "virial (−V σ); null: the only one in the file, if any; none: ignored",
    )
    energies_table: str | None = Field(
        default=None,
        description="table (.csv) of energies, in the order of the frames, where these have none (LAMMPS dumps)",
    )
    elements: Annotated[tuple[str, ...], Field(strict=False)] | None = Field(
        default=None, description="elements of LAMMPS' atom types 1, 2, …, where a dump does not name them"
    )
    units: Units | None = Field(default=None, description="null: eV and Å; required for files of n2p2 and RuNNer")
    atomic_energies_ev: dict[str, float] | None = Field(
        default=None,
        min_length=1,
        description="energy of the free atom of each element, eV, by the same method as the data, subtracted before "
        "networks are trained; null: least squares over the compositions",
    )
    timestep_fs: Positive | None = Field(
        default=None, description="time between two frames of a trajectory; null: unknown"
    )
    mixed_periodicity: bool = Field(
        default=False, description="true: molecules, surfaces and crystals are mixed on purpose"
    )
    checked: bool = Field(
        default=False, description="true: use data that `bpstudy data` says would spoil a fit; false: they are an error"
    )
    split: Split | None = Field(
        default=None, description="division into parts from which `frames` choose; null: a single part"
    )

    @field_validator("atomic_energies_ev")
    @classmethod
    def _of_elements(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        if unknown := [symbol for symbol in value or () if symbol not in chemical_symbols[1:]]:
            raise ValueError(f"not a chemical symbol: {', '.join(unknown)} (write Li: -7.28, in eV)")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.trajectory is None) == (self.files is None):
            raise ValueError("name either `trajectory` (one file, in order of time) or `files`")
        if self.files is not None and self.timestep_fs is not None:
            raise ValueError("timestep_fs belongs to a `trajectory`: the frames of `files` are in no order of time")
        if self.files is not None and len(set(self.files)) != len(self.files):
            raise ValueError("files: duplicate file; remove one")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """All files, the table of energies not among them."""
        return self.files or (str(self.trajectory),)

    @property
    def inputs(self) -> tuple[str, ...]:
        """All files that are read."""
        return (*self.sources, self.energies_table) if self.energies_table else self.sources

    @property
    def frames(self) -> int | None:
        """Not known before the files are read."""
        return None
