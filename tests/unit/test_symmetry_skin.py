"""Verlet's list: the neighbours and functions of a fresh search at each step, with few searches."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from numpy.testing import assert_allclose, assert_array_equal

from bpstudy.symmetry import G1, G2, G4, G5, NeighborList, Neighbors, SymmetryFunctions
from bpstudy.symmetry.neighbors import neighbors

CUTOFF = 5.0
FUNCTIONS = SymmetryFunctions(
    [G1(CUTOFF), G2(1.0, 2.0, CUTOFF, "Al"), G4(0.05, 2, 1, CUTOFF), G5(0.05, 2.3, -1, CUTOFF)]
)


def alloy(pbc: bool | list[bool] = True) -> Atoms:
    atoms = bulk("Li", "bcc", a=3.49) * (3, 2, 2)
    atoms.numbers[::3] = 13
    atoms.rattle(0.1, seed=1)
    atoms.pbc = pbc
    return atoms


def table(near: Neighbors) -> np.ndarray:
    rows = np.column_stack([near.centres(), near.atom, near.number, near.vector, near.distance]).round(8) + 0.0
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("pbc", [True, False, [True, True, False]])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_walk_has_the_neighbours_and_functions_of_fresh_searches(pbc: bool | list[bool], threads: int) -> None:
    atoms, rng, moving = alloy(pbc), np.random.default_rng(0), NeighborList(CUTOFF, skin=0.6)
    weights = rng.normal(size=(len(atoms), len(FUNCTIONS)))
    for _ in range(30):
        atoms.positions += rng.normal(scale=0.02, size=(len(atoms), 3))
        near = moving.update(atoms, threads)
        assert_array_equal(table(near), table(neighbors(atoms, CUTOFF)))
        assert_allclose(FUNCTIONS.compute(atoms, near=near), FUNCTIONS.compute(atoms), rtol=1e-11, atol=1e-12)
        for found, expected in zip(
            FUNCTIONS.contract(atoms, weights, near=near), FUNCTIONS.contract(atoms, weights), strict=True
        ):
            assert_allclose(found, expected, atol=1e-10)
    assert 2 <= moving.searches < 12


def test_threads_do_not_change_the_bits() -> None:
    atoms, lists = alloy(), [NeighborList(CUTOFF) for _ in range(2)]
    for step in range(3):
        atoms.positions[0] += 0.01 * step
        one, other = (moving.update(atoms, threads) for moving, threads in zip(lists, (1, 4), strict=True))
        for name in ("start", "atom", "number", "vector", "distance"):
            assert_array_equal(getattr(one, name), getattr(other, name))


def test_what_starts_a_new_search() -> None:
    atoms, moving = alloy(), NeighborList(CUTOFF, skin=0.4)

    def searched() -> bool:
        before = moving.searches
        assert_array_equal(table(moving.update(atoms)), table(neighbors(atoms, CUTOFF)))
        return moving.searches > before

    assert searched()
    assert not searched()
    atoms.positions[3, 1] += 0.19
    assert not searched()
    atoms.positions[3, 1] += 0.02  # 0.21 Å in all: more than half the skin
    assert searched()
    atoms.set_cell(atoms.cell[:] * 1.001, scale_atoms=False)
    assert searched()
    atoms.pbc = [True, True, False]
    assert searched()
    atoms.numbers[1] = 29
    assert searched()
    atoms.positions[0] += atoms.cell[0]  # the same crystal, but not the same images
    assert searched()
    del atoms[0]
    assert searched()
    assert not searched()


def test_a_list_without_skin_searches_at_each_move() -> None:
    atoms, moving = alloy(), NeighborList(CUTOFF, skin=0)
    moving.update(atoms)
    atoms.positions[0, 0] += 1e-9
    moving.update(atoms)
    assert moving.searches == 2


def test_wrong_structures_and_lengths_are_refused() -> None:
    atoms, moving = Atoms("Li2", [[0, 0, 0], [0, 0, 0.25]]), NeighborList(CUTOFF)
    moving.update(atoms)
    atoms.positions[1, 2] = 0.05
    with pytest.raises(ValueError, match="atoms 0 and 1 are 0"):
        moving.update(atoms)
    atoms.positions[1, 2] = np.nan
    with pytest.raises(ValueError, match="position of atom 1"):
        moving.update(atoms)
    assert not len(NeighborList(CUTOFF).update(Atoms("Li")).atom)
    with pytest.raises(ValueError, match="cutoff = 0"):
        NeighborList(0)
    with pytest.raises(ValueError, match="skin = -1"):
        NeighborList(CUTOFF, -1)
