"""Builds the atoms of a configured crystal."""

from ase import Atoms
from ase.build import bulk

from bpstudy.config.systems import Crystal


def build_crystal(crystal: Crystal) -> Atoms:
    """The ideal periodic crystal, atoms on their lattice sites (lengths in Å)."""
    unit = bulk(
        crystal.element,
        crystal.lattice,
        a=crystal.lattice_constant_angstrom,
        cubic=crystal.cell == "cubic",
    )
    return unit.repeat(crystal.repeat)
