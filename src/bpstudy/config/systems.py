"""Systems: crystals to simulate, or existing data."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from ase.data import atomic_numbers, chemical_symbols, covalent_radii
from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from bpstudy.config.base import Count, Positive, Section, Seed
from bpstudy.config.datasets import Imported


class Crystal(Section):
    """An ideal crystal, the starting structure."""

    lattice: Literal["sc", "fcc", "bcc", "hcp", "diamond"] = Field(description="Bravais lattice of the crystal")
    element: str = Field(description="chemical symbol")
    lattice_constant_angstrom: Positive = Field(description="a, in Å")
    cell: Literal["primitive", "cubic"] = Field(description="unit cell that is repeated")
    repeat: tuple[Count, Count, Count] = Field(strict=False, description="repetitions along the three cell vectors")

    @field_validator("element")
    @classmethod
    def _element_exists(cls, value: str) -> str:
        if value not in chemical_symbols[1:]:
            meant = value.strip().capitalize()
            raise ValueError(
                f"not a chemical symbol (write {meant if meant in chemical_symbols[1:] else 'Li, Cu, ...'})"
            )
        return value

    @property
    def n_atoms(self) -> int:
        """Number of atoms in the repeated cell."""
        return _ATOMS[self.lattice][self.cell] * math.prod(self.repeat)

    @property
    def nearest_angstrom(self) -> float:
        """Distance of nearest neighbours."""
        return self.lattice_constant_angstrom * _NEAREST[self.lattice]

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        if self.cell not in _ATOMS[self.lattice]:
            raise ValueError(
                f"cell = {self.cell!r}: {self.lattice} has no such cell; allowed: {', '.join(_ATOMS[self.lattice])}"
            )
        if self.n_atoms < 2:
            raise ValueError("repeat: a cell of one atom has no temperature; repeat it, or write cell: cubic")
        if self.n_atoms > MOST_ATOMS:
            raise ValueError(f"repeat = {list(self.repeat)}: {self.n_atoms} atoms, at most {MOST_ATOMS} are allowed")
        nearest = self.nearest_angstrom
        bond = 2 * covalent_radii[atomic_numbers[self.element]]
        if not 0.6 * bond < nearest < (5 if self.element in _LOOSE else 1.8) * bond:
            raise ValueError(
                f"lattice_constant_angstrom = {self.lattice_constant_angstrom:g}: neighbours would be {nearest:.2f} Å "
                f"apart, a bond of {self.element} is about {bond:.2f} Å; is the unit Å?"
            )
        return self


_ATOMS: dict[str, dict[str, int]] = {
    "sc": {"primitive": 1, "cubic": 1},
    "fcc": {"primitive": 1, "cubic": 4},
    "bcc": {"primitive": 1, "cubic": 2},
    "hcp": {"primitive": 2},
    "diamond": {"primitive": 2, "cubic": 8},
}
_NEAREST = {"sc": 1, "fcc": math.sqrt(1 / 2), "bcc": math.sqrt(3) / 2, "hcp": 1, "diamond": math.sqrt(3) / 4}  # by a
_LOOSE = {"H", "He", "Ne", "Ar", "Kr", "Xe", "Rn"}  # not held by bonds between nearest neighbours
_OF_EMT = ("Al", "Cu", "Ag", "Au", "Ni", "Pd", "Pt")
MOST_ATOMS = 10_000  # of a crystal


class GpawConvergence(Section):
    """Convergence criteria of the self-consistent cycle (GPAW's own)."""

    energy_ev_per_electron: Positive = Field(description="change of the energy over the last three iterations")
    density_electrons_per_electron: Positive = Field(description="integrated change of the density")
    eigenstates_ev2_per_electron: Positive = Field(description="integrated residual of the eigenstates")


class GpawMixer(Section):
    """Pulay mixing of the density."""

    beta: Positive = Field(le=1, description="fraction of the residual that is mixed in")
    history: Count = Field(description="number of old densities")
    weight: Positive = Field(description="weight of long wavelengths in the metric")


KPoints = Annotated[int, Field(ge=1, le=100)]


class Gpaw(Section):
    """Plane-wave density functional theory."""

    name: Literal["gpaw"]
    functional: str = Field(pattern=r"^[A-Za-z0-9_+-]+$", description="exchange-correlation functional, e.g. PBE, LDA")
    cutoff_ev: Positive = Field(ge=30, le=5000, description="plane-wave cutoff, eV")
    kpoints: tuple[KPoints, KPoints, KPoints] = Field(strict=False, description="Monkhorst-Pack grid")
    smearing_ev: Positive = Field(le=10, description="width of the Fermi-Dirac distribution, eV")
    bands: Count | None = Field(description="number of bands; null: GPAW's default")
    convergence: GpawConvergence
    mixer: GpawMixer | None = Field(description="null: GPAW's default mixing")
    mpi_ranks: Count = Field(
        default=1,
        description="number of MPI ranks; part of the study, because the last bits of the results depend on it",
    )


class Emt(Section):
    """ASE's effective-medium theory (Al, Cu, Ag, Au, Ni, Pd, Pt): for tests and trials, not for the study."""

    name: Literal["emt"]

    @property
    def mpi_ranks(self) -> int:
        return 1


class Langevin(Section):
    """Langevin dynamics starting from Maxwell-Boltzmann velocities with the centre of mass at rest."""

    temperature_kelvin: Positive = Field(
        ge=1, le=100_000, description="temperature of the bath and of the initial velocities, K"
    )
    timestep_fs: Positive = Field(ge=0.01, le=10, description="fs")
    friction_per_fs: Positive = Field(le=1, description="1/fs")
    seed: Seed = Field(description="random seed of the initial velocities and the bath")


class Simulation(Section):
    """The settings that determine the frames of a simulated system."""

    crystal: Crystal
    calculator: Annotated[Gpaw | Emt, Field(discriminator="name")]
    dynamics: Langevin

    @model_validator(mode="after")
    def _emt_knows_the_element(self) -> Self:
        if isinstance(self.calculator, Emt) and self.crystal.element not in _OF_EMT:
            raise ValueError(f"calculator.name = 'emt': not for {self.crystal.element}; allowed: {', '.join(_OF_EMT)}")
        return self


class Simulated(Simulation):
    """A system whose trajectory is computed by the study."""

    steps: Count = Field(description="steps after frame 0")
    chunk_steps: Count = Field(description="steps per job, after which the state is saved")

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
        """The settings without the length of the run: longer runs reuse the chunks of shorter ones."""
        return Simulation(crystal=self.crystal, calculator=self.calculator, dynamics=self.dynamics)


class Deformation(Section):
    """How cells are drawn at random: their volume, their shape, the displacements of their atoms, vacancies."""

    volume: float = Field(
        gt=0, lt=0.5, description="half-width of the uniform distribution of volumes, relative to the ideal one"
    )
    strain: float = Field(
        ge=0, lt=0.3, description="half-width of the uniform distribution of each strain component at that volume"
    )
    temperatures_kelvin: tuple[Positive, Positive] = Field(
        strict=False, description="range of temperatures of the displacements, uniform"
    )
    force_constant_ev_per_angstrom2: Positive = Field(
        description="k of an Einstein crystal: each coordinate is displaced by a normal deviate of variance k_B T / k"
    )
    vacancies: float = Field(ge=0, le=1, description="fraction of the cells that lack an atom")
    closest_angstrom: Positive = Field(description="cells with atoms closer than this are drawn again")
    seed: Seed = Field(description="random seed of all draws")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.temperatures_kelvin
        if low > high:
            raise ValueError(f"temperatures_kelvin: {low:g} is above {high:g}; give the lower one first")
        return self


class Strained(Section):
    """A system of single points: cells of ideal crystals, strained, compressed, with displaced atoms and vacancies."""

    crystals: tuple[Crystal, ...] = Field(strict=False, min_length=1, description="ideal crystals, taken in turn")
    calculator: Annotated[Gpaw | Emt, Field(discriminator="name")]
    kpoint_density_angstrom: Positive | None = Field(
        default=None,
        le=20,
        description="k-points per Å⁻¹ along each reciprocal axis of the ideal crystal, instead of calculator.kpoints; "
        "all its strained cells have the same mesh; null: calculator.kpoints",
    )
    deformation: Deformation
    count: Count = Field(le=100_000, description="number of cells")
    chunk_frames: Count = Field(description="cells per job")

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        for n, crystal in enumerate(self.crystals):
            if crystal.element != self.crystals[0].element:
                raise ValueError(f"crystals[{n}].element = {crystal.element!r}: one element is allowed")
            if isinstance(self.calculator, Emt) and crystal.element not in _OF_EMT:
                raise ValueError(f"calculator.name = 'emt': not for {crystal.element}; allowed: {', '.join(_OF_EMT)}")
        nearest = self.crystal.lattice_constant_angstrom * _NEAREST[self.crystal.lattice]
        if self.deformation.closest_angstrom >= 0.9 * nearest:
            raise ValueError(
                f"deformation.closest_angstrom = {self.deformation.closest_angstrom:g}: neighbours in the ideal "
                f"crystal are {nearest:.2f} Å apart; give less than 0.9 of it"
            )
        if self.calculator.mpi_ranks > 1:
            raise ValueError("calculator.mpi_ranks: strained cells are computed by one process each; write 1")
        return self

    @property
    def crystal(self) -> Crystal:
        """The first crystal, which tells the element."""
        return self.crystals[0]

    @property
    def frames(self) -> int | None:
        return self.count

    @property
    def chunks(self) -> int:
        return math.ceil(self.count / self.chunk_frames)

    def chunk_range(self, chunk: int) -> tuple[int, int]:
        """The frames first … last - 1 of a chunk."""
        return chunk * self.chunk_frames, min((chunk + 1) * self.chunk_frames, self.count)

    def recipe(self) -> dict[str, Any]:
        """What determines a frame: the settings without the number of frames, so that more of them keep the first."""
        return self.model_dump(mode="json", exclude={"count", "chunk_frames"})


def _kind(values: Any) -> str:
    """A section that names a trajectory or files describes existing data, one with a deformation strained cells; all
    others are simulations."""
    if isinstance(values, Strained) or (isinstance(values, dict) and {"deformation", "crystals"} & set(values)):
        return "strained"
    named = bool({"trajectory", "files"} & set(values)) if isinstance(values, dict) else isinstance(values, Imported)
    return "imported" if named else "simulated"


System = Annotated[
    Annotated[Simulated, Tag("simulated")]
    | Annotated[Strained, Tag("strained")]
    | Annotated[Imported, Tag("imported")],
    Discriminator(_kind),
]
