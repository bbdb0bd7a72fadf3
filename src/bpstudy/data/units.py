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
STRESS_EV_PER_ANGSTROM3 = {"eV/Angstrom3": 1.0, "GPa": ase_units.GPa, "kbar": 0.1 * ase_units.GPa}
LENGTH_ANGSTROM = {"Angstrom": 1.0, "Bohr": ase_units.Bohr}


def energy_ev(units: Units) -> float:
    """The unit of energy in eV (CODATA as ASE has it)."""
    return ENERGY_EV[units.energy]


def length_angstrom(units: Units) -> float:
    """The unit of length in Å."""
    return LENGTH_ANGSTROM[units.length]


def stress_ev_per_angstrom3(units: Units, virial: bool = False) -> float:
    """The unit of the stress in eV/Å³; of a virial, which is an energy, divided by the volume in the files' unit."""
    if units.stress is None or virial:
        return energy_ev(units) / length_angstrom(units) ** 3
    return STRESS_EV_PER_ANGSTROM3[units.stress]
