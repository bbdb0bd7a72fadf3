"""Declared units in eV and Å."""

from ase import units as ase_units

from bpstudy.config.datasets import Units

ENERGY_EV = {
    "eV": 1.0,
    "Hartree": ase_units.Hartree,
    "Rydberg": ase_units.Rydberg,
    "kcal/mol": ase_units.kcal / ase_units.mol,
    "kJ/mol": ase_units.kJ / ase_units.mol,
}
LENGTH_ANGSTROM = {"Angstrom": 1.0, "Bohr": ase_units.Bohr}


def energy_ev(units: Units) -> float:
    """The unit of energy in eV (CODATA as ASE has it)."""
    return ENERGY_EV[units.energy]


def length_angstrom(units: Units) -> float:
    """The unit of length in Å."""
    return LENGTH_ANGSTROM[units.length]
