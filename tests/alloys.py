"""Small cells of Cu and Al of several sizes, with energies and forces by EMT: data as users have them."""

import numpy as np
from ase.build import bulk, make_supercell
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator


def strained_alloy(seed, n_al, strain, forces=True):
    """3 to 8 atoms, `n_al` of them Al at the most, strained, rattled, every fourth with a vacancy; of no time."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Cu", cubic=True)
    if seed % 3 == 0:
        atoms = make_supercell(atoms, np.diag([2, 1, 1]))
    atoms.symbols[rng.permutation(len(atoms))[:n_al]] = "Al"
    if seed % 4 == 1:
        del atoms[int(rng.integers(len(atoms)))]
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.rattle(0.08, seed=seed)
    atoms.calc = EMT()
    results = {"energy": atoms.get_potential_energy()} | ({"forces": atoms.get_forces()} if forces else {})
    frame = atoms.copy()
    frame.calc = SinglePointCalculator(frame, **results)
    return frame
