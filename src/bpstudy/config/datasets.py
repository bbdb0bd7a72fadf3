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

    energy: EnergyUnit = Field(default="eV", description="of the energy of a cell")
    length: LengthUnit = Field(default="Angstrom", description="of positions and cells")
    stress: StressUnit | None = Field(
        default=None, description="of the stress; null: energy/length³. A virial is an energy and needs none"
    )


class Split(Section):
    """Parts of the data for training, validation and test. Frames that belong together stay on one side."""

    by: str = Field(
        default=FILE,
        min_length=1,
        description="frames that share it stay together: a key of each frame (config_type, description, …) or 'file'; "
        "'blocks' takes consecutive frames of each file: the first train, the last test",
    )
    ignore: str | None = Field(
        default=None,
        min_length=1,
        description="regular expression; what it matches in the key's text does not count: the number of a snapshot",
    )
    validation: Share = Field(default=0.1, description="share of the frames")
    test: Share = Field(default=0.1, description="share of the frames")
    gap_frames: Annotated[int, Field(ge=0)] = Field(default=0, description="left out between two blocks")
    seed: Seed = Field(default=0, description="which of equally large groups go where")

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
    """A system whose frames exist: files that ASE reads, or input.data of n2p2 and RuNNer, with an energy a frame."""

    trajectory: str | None = Field(
        default=None, min_length=1, description="one file whose frames follow each other in time and keep their atoms"
    )
    files: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False, min_length=1)] | None = Field(
        default=None, description="files of frames of any size, composition and order; relative to the working folder"
    )
    format: str | None = Field(default=None, description="ASE's name of the format, or n2p2; null: by the file")
    energy: str | None = Field(default=None, description="name of the energies; null: the one that is there")
    forces: str | None = Field(default=None, description="name of the forces; null: the one that is there, if any")
    stress: str | None = Field(
        default=None,
        description="name of the stress with ASE's sign (dE/dε / V, above 0 where the cell wants to shrink), or of a "
        "virial (−V σ); null: the one that is there, if any; none: not read",
    )
    energies_table: str | None = Field(
        default=None,
        description="table (.csv) with the energies of frames that hold none, in their order: LAMMPS dumps",
    )
    elements: Annotated[tuple[str, ...], Field(strict=False)] | None = Field(
        default=None, description="of LAMMPS' atom types 1, 2, …, where a dump names none"
    )
    units: Units | None = Field(default=None, description="null: eV and Å; n2p2's and RuNNer's files must say theirs")
    atomic_energies_ev: dict[str, float] | None = Field(
        default=None,
        min_length=1,
        description="energy of the free atom of each element, eV, from the same method as the data; networks that are "
        "trained on them learn what is left. null: least squares over the compositions",
    )
    timestep_fs: Positive | None = Field(default=None, description="between two frames of a trajectory; null: unknown")
    mixed_periodicity: bool = Field(
        default=False, description="true: molecules, surfaces and crystals side by side, on purpose"
    )
    checked: bool = Field(
        default=False, description="true: what `bpstudy data` says would spoil a fit is meant; false: it is an error"
    )
    split: Split | None = Field(default=None, description="into parts that `frames` choose from; null: one part")

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
