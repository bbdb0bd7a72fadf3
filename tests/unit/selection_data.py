"""Small data for the tests of the choice of functions: rattled crystals in cells of two sizes, with EMT's energies and
forces."""

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.selection.pool import PoolSettings

SMALL = PoolSettings(reach=1.7, fractions=(0.75, 1.0), widths=(0.16,), zetas=(1.0, 4.0), angular_etas=(0.3,))


def crystals(count: int = 16, seed: int = 0, alloy: bool = False, forces: bool = True) -> list[Atoms]:
    """fcc Cu, or Cu with some Al, strained and rattled; cells of 4 and 8 atoms in turn."""
    rng, found = np.random.default_rng(seed), []
    for k in range(count):
        atoms = bulk("Cu", cubic=True) * (1 + k % 2, 1, 1)
        atoms.set_cell(atoms.cell * (1 + 0.03 * rng.normal()), scale_atoms=True)
        atoms.rattle(0.1, seed=int(rng.integers(1_000_000)))
        if alloy:
            atoms.symbols[rng.permutation(len(atoms))[: 1 + k % 2 + k % 3 // 2]] = "Al"
        atoms.calc = EMT()
        energy, known = atoms.get_potential_energy(), atoms.get_forces()
        results = {"energy": energy, "forces": known} if forces else {"energy": energy}
        atoms.calc = SinglePointCalculator(atoms, **results)
        found.append(atoms)
    return found
