"""Systems: crystals to simulate, or data that exist."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from ase.data import chemical_symbols
from pydantic import Discriminator, Field, Tag, field_validator

from bpstudy.config.base import Count, Positive, Section, Seed
from bpstudy.config.datasets import Imported


class Crystal(Section):
    """An ideal crystal to start from."""

    lattice: Literal["sc", "fcc", "bcc", "hcp", "diamond"] = Field(description="Bravais lattice of the crystal")
    element: str = Field(description="chemical symbol")
    lattice_constant_angstrom: Positive = Field(description="a, in Å")
    cell: Literal["primitive", "cubic"] = Field(description="cell that is repeated")
    repeat: tuple[Count, Count, Count] = Field(strict=False, description="repetitions along the three cell vectors")

    @field_validator("element")
    @classmethod
    def _element_exists(cls, value: str) -> str:
        if value not in chemical_symbols[1:]:
            raise ValueError("not a chemical symbol (write Li, Cu, ...)")
        return value


class GpawConvergence(Section):
    """When the self-consistent cycle stops (GPAW's own criteria)."""

    energy_ev_per_electron: Positive = Field(description="change of the energy over the last three iterations")
    density_electrons_per_electron: Positive = Field(description="integrated change of the density")
    eigenstates_ev2_per_electron: Positive = Field(description="integrated residual of the eigenstates")


class GpawMixer(Section):
    """Pulay mixing of the density."""

    beta: Positive = Field(le=1, description="share of the residual that is mixed in")
    history: Count = Field(description="number of old densities")
    weight: Positive = Field(description="metric weight of long wavelengths")


class Gpaw(Section):
    """Plane-wave density functional theory."""

    name: Literal["gpaw"]
    functional: str = Field(pattern=r"^[A-Za-z0-9_+-]+$", description="exchange-correlation functional, e.g. PBE, LDA")
    cutoff_ev: Positive = Field(description="plane-wave cutoff, eV")
    kpoints: tuple[Count, Count, Count] = Field(strict=False, description="Monkhorst-Pack grid")
    smearing_ev: Positive = Field(description="width of the Fermi-Dirac distribution, eV")
    bands: Count | None = Field(description="number of bands; null leaves it to GPAW")
    convergence: GpawConvergence
    mixer: GpawMixer | None = Field(description="null leaves the mixing to GPAW")
    mpi_ranks: Count = Field(
        default=1, description="MPI ranks; part of the study because results depend on it in the last bits"
    )


class Emt(Section):
    """ASE's effective-medium theory (Al, Cu, Ag, Au, Ni, Pd, Pt): for tests and trials, not for the study."""

    name: Literal["emt"]

    @property
    def mpi_ranks(self) -> int:
        return 1


class Langevin(Section):
    """Langevin dynamics from Maxwell-Boltzmann velocities, centre of mass at rest."""

    temperature_kelvin: Positive = Field(description="of the bath and of the initial velocities, K")
    timestep_fs: Positive = Field(le=10, description="fs")
    friction_per_fs: Positive = Field(description="1/fs")
    seed: Seed = Field(description="of initial velocities and random forces")


class Simulation(Section):
    """What the frames of a simulated system depend on."""

    crystal: Crystal
    calculator: Annotated[Gpaw | Emt, Field(discriminator="name")]
    dynamics: Langevin


class Simulated(Simulation):
    """A system whose trajectory the study computes."""

    steps: Count = Field(description="steps after frame 0")
    chunk_steps: Count = Field(description="steps a job runs before it saves its state")

    @property
    def frames(self) -> int | None:
        return self.steps + 1

    @property
    def chunks(self) -> int:
        return math.ceil(self.steps / self.chunk_steps)

    def chunk_range(self, chunk: int) -> tuple[int, int]:
        """First and last step of a chunk: it holds the frames first + 1 … last, and chunk 0 frame 0 as well."""
        return chunk * self.chunk_steps, min((chunk + 1) * self.chunk_steps, self.steps)

    def simulation(self) -> Simulation:
        """This without its length: longer runs keep the chunks of shorter ones."""
        return Simulation(crystal=self.crystal, calculator=self.calculator, dynamics=self.dynamics)


def _kind(values: Any) -> str:
    """A section that names a trajectory or files is an existing one; all others are held to be simulated."""
    named = bool({"trajectory", "files"} & set(values)) if isinstance(values, dict) else isinstance(values, Imported)
    return "imported" if named else "simulated"


System = Annotated[Annotated[Simulated, Tag("simulated")] | Annotated[Imported, Tag("imported")], Discriminator(_kind)]
