"""From the configuration of a crystal to atoms."""

from ase import Atoms
from ase.build import bulk

from bpstudy.config.systems import Crystal


def build_crystal(crystal: Crystal) -> Atoms:
    """The ideal periodic crystal, unmoved (lengths in Å)."""
    unit = bulk(
        crystal.element,
        crystal.lattice,
        a=crystal.lattice_constant_angstrom,
        cubic=crystal.cell == "cubic",
    )
    return unit.repeat(crystal.repeat)
