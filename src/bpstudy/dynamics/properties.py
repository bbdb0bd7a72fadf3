"""Properties of an ideal crystal by any ASE calculator: energy against volume, elastic constants, phonons, a vacancy.

The same functions compute the DFT's and the networks', so that both are compared for the same cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.cell import Cell
from ase.eos import EquationOfState
from ase.optimize import BFGS
from ase.units import GPa

from bpstudy.config.analysis import Properties
from bpstudy.config.systems import Crystal
from bpstudy.dynamics.crystals import build_crystal

STEPS_TO_RELAX = 200


class PropertiesError(ArithmeticError):
    """A property cannot be computed; the message says which and why."""


def crystals(crystal: Crystal, volumes: Sequence[float]) -> list[Atoms]:
    """The ideal crystal at volumes relative to its own."""
    found = []
    for volume in volumes:
        atoms = build_crystal(crystal)
        atoms.set_cell(atoms.cell * volume ** (1 / 3), scale_atoms=True)
        found.append(atoms)
    return found


def energy_curve(crystal: Crystal, calculator: Calculator, volumes: Sequence[float]) -> pd.DataFrame:
    """Energy of the ideal crystal against its volume.

    Returns:
        volume (relative), volume_angstrom3_per_atom, energy_ev_per_atom (the energy that forces and stress belong to).
    """
    rows = []
    for volume, atoms in zip(volumes, crystals(crystal, volumes), strict=True):
        atoms.calc = calculator
        rows.append((volume, atoms.get_volume() / len(atoms), _energy(atoms) / len(atoms)))
    return pd.DataFrame(rows, columns=["volume", "volume_angstrom3_per_atom", "energy_ev_per_atom"])


def equilibrium(curve: pd.DataFrame) -> dict[str, float]:
    """Volume (Å³ per atom) at minimum energy, and bulk modulus (GPa) there, by the equation of state of F. Birch
    (Phys. Rev. 71, 809 (1947), doi:10.1103/PhysRev.71.809).

    Raises:
        PropertiesError: the energies have no minimum within these volumes.
    """
    volumes, energies = curve["volume_angstrom3_per_atom"], curve["energy_ev_per_atom"]
    if energies.idxmin() in (volumes.idxmin(), volumes.idxmax()):
        raise PropertiesError("energy against volume: least at the smallest or largest volume; give volumes around it")
    volume, _, modulus = EquationOfState(volumes, energies, eos="birchmurnaghan").fit(warn=False)
    return {"volume": float(volume), "B": float(modulus / GPa)}


def elastic_constants(crystal: Crystal, calculator: Calculator, strain: float) -> dict[str, float]:
    """C11, C12 and C44 (GPa) of the ideal crystal at its own volume: slopes of the Cauchy stress against strain.

    C11 = dσxx/dεxx, C12 = dσyy/dεxx and C44 = dσyz/dγyz, γyz = 2 εyz, along the Cartesian axes, by central differences
    over εxx = ± `strain` and εyz = ± `strain`. Where the crystal is under pressure these are the Birch coefficients
    (D. C. Wallace, Thermodynamics of Crystals, 1972), not the second derivatives of the energy. Atoms are not relaxed:
    in a lattice of inversion centres they do not move. The Pulay stress, a constant pressure, cancels.
    """
    slopes = {}
    for voigt, (i, j) in ((0, (0, 0)), (3, (1, 2))):
        pair = []
        for sign in (1, -1):
            deformation = np.zeros((3, 3))
            deformation[i, j] = deformation[j, i] = sign * strain
            atoms = build_crystal(crystal)
            atoms.set_cell(atoms.cell @ (np.eye(3) + deformation), scale_atoms=True)
            atoms.calc = calculator
            pair.append(atoms.get_stress())
        slopes[voigt] = (pair[0] - pair[1]) / (2 * strain) / GPa
    return {"C11": slopes[0][0], "C12": slopes[0][1], "C44": slopes[3][3] / 2}


def zone_boundary_phonons(crystal: Crystal, calculator: Calculator, displacement_angstrom: float) -> dict[str, float]:
    """Lowest and highest frequency (THz) at the special points of the Brillouin zone, by finite displacements
    (A. Togo, J. Phys. Soc. Jpn. 92, 012001 (2023), doi:10.7566/JPSJ.92.012001). Imaginary ones are negative.

    Exact for wave vectors that fit the crystal's cell, as H, N and P of bcc do 2 × 2 × 2 conventional cells;
    interpolated for others.
    """
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms
    from phonopy.structure.cells import guess_primitive_matrix

    unit = build_crystal(crystal.model_copy(update={"repeat": (1, 1, 1)}))
    given = PhonopyAtoms(
        unit.get_chemical_symbols(), cell=unit.cell.array, scaled_positions=unit.get_scaled_positions()
    )
    primitive = guess_primitive_matrix(given)
    phonons = Phonopy(given, supercell_matrix=np.diag(crystal.repeat), primitive_matrix=primitive, log_level=0)
    phonons.generate_displacements(distance=displacement_angstrom, is_plusminus=True)
    forces = []
    for cell in phonons.supercells_with_displacements or ():
        atoms = Atoms(cell.symbols, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True)
        atoms.calc = calculator
        forces.append(atoms.get_forces())
    phonons.forces = np.array(forces)
    phonons.produce_force_constants()
    found: dict[str, float] = {}
    for name, q in Cell(phonons.primitive.cell).bandpath(npoints=0).special_points.items():
        if name != "G":
            (frequencies,) = phonons.run_qpoints([q]).frequencies
            found |= {f"{name} lowest": float(frequencies.min()), f"{name} highest": float(frequencies.max())}
    return found


def vacancy_formation_energy(crystal: Crystal, calculator: Calculator, fmax_ev_per_angstrom: float) -> float:
    """Energy (eV) to take an atom out of the crystal's cell, whose shape stays: E(N − 1, relaxed) − (N − 1)/N E(N).

    Raises:
        PropertiesError: the atoms do not come to rest, or the cell holds a single atom.
    """
    full = build_crystal(crystal)
    if len(full) == 1:
        raise PropertiesError("vacancy: the cell holds a single atom; give a crystal that is repeated")
    full.calc = calculator
    energy = _energy(full)
    left = full.copy()
    del left[0]
    left.calc = calculator
    with BFGS(left, logfile=None) as relaxation:
        if not relaxation.run(fmax=fmax_ev_per_angstrom, steps=STEPS_TO_RELAX):
            raise PropertiesError(f"vacancy: forces above {fmax_ev_per_angstrom} eV/Å after {STEPS_TO_RELAX} steps")
    return _energy(left) - len(left) / len(full) * energy


def crystal_properties(
    crystal: Crystal, calculator: Callable[[], Calculator], settings: Properties
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All of them, each property by a calculator of its own.

    Returns:
        the curve of `energy_curve`, and property, value, unit.

    Raises:
        PropertiesError: one cannot be computed.
    """
    curve = energy_curve(crystal, calculator(), settings.volumes)
    at_rest = equilibrium(curve)
    rows = [("volume", at_rest["volume"], "Å³ per atom"), ("B", at_rest["B"], "GPa")]
    constants = elastic_constants(crystal, calculator(), settings.strain)
    rows += [(name, value, "GPa") for name, value in constants.items()]
    phonons = zone_boundary_phonons(crystal, calculator(), settings.displacement_angstrom)
    rows += [(name, value, "THz") for name, value in phonons.items()]
    rows.append(("vacancy", vacancy_formation_energy(crystal, calculator(), settings.fmax_ev_per_angstrom), "eV"))
    table = pd.DataFrame(rows, columns=["property", "value", "unit"])
    if not np.isfinite(table["value"]).all():
        raise PropertiesError(f"{', '.join(table.loc[~np.isfinite(table['value']), 'property'])}: not finite")
    return curve, table


def thermal_volume(table: pd.DataFrame, frames: Sequence[Atoms], dft: Calculator, modulus_gpa: float) -> pd.DataFrame:
    """The volume of a run at the pressure 0, and by how much the DFT's pressure says that it is wrong.

    On the frames of the run the pressure of the DFT differs from that of the network by δP on average; to have the
    pressure 0 in the mean as well, the volume of the DFT would differ by δV/V = δP/B. Frames are taken as independent.

    Args:
        frames: with the stress of the network.
        modulus_gpa: B of the DFT.

    Returns:
        quantity, value, standard_error, unit: the volume per atom, δP and δV/V.
    """
    away = []
    for frame in frames:
        atoms = frame.copy()
        atoms.calc = dft
        away.append(-(atoms.get_stress()[:3] - frame.get_stress()[:3]).mean() / GPa)
    pressure, error = float(np.mean(away)), float(np.std(away, ddof=1) / len(away) ** 0.5)
    per_atom = table["volume_angstrom3"].to_numpy() / len(frames[0])
    blocks = [block.mean() for block in np.array_split(per_atom, len(frames))]
    rows = [
        ("volume", float(per_atom.mean()), float(np.std(blocks, ddof=1) / len(blocks) ** 0.5), "Å³ per atom"),
        ("pressure of the DFT", pressure, error, "GPa"),
        ("volume of the DFT, relative", pressure / modulus_gpa, error / modulus_gpa, ""),
    ]
    return pd.DataFrame(rows, columns=["quantity", "value", "standard_error", "unit"])


def _energy(atoms: Atoms) -> float:
    return float(atoms.get_potential_energy(force_consistent=True))
