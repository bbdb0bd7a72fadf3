"""Neighbours of structures that are long, flat or mostly empty, against a plain double loop."""

from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from numpy.testing import assert_allclose, assert_array_equal

from bpstudy.symmetry import G2, G4, SymmetryFunctions, search
from bpstudy.symmetry.neighbors import neighbors

CUTOFF = 6.0
PLANE = [[3.0 * x, 3.0 * y, 0.0] for x in range(4) for y in range(4)]
STRUCTURES = {
    "plane, one atom 2000 Å off in x and y": Atoms("Li17", [*PLANE, [2000.0, 2000.0, 0.0]]),
    "plane, one atom 1e5 Å off in x and y": Atoms("Li17", [*PLANE, [1e5, 1e5, 0.0]]),
    "line of 1e6 Å": Atoms("Li4", [[0, 0, 0], [2.5, 0, 0], [5.0, 0, 0], [1e6, 0, 0]]),
    "diagonal line of 1e6 Å": Atoms("Li3", [[0, 0, 0], [1.5, 1.5, 1.5], [6e5, 6e5, 6e5]]),
    "line of 1e9 Å": Atoms("Li3", [[0, 0, 0], [0, 2.5, 0], [0, 1e9, 0]]),
    "slab, one atom 1e6 Å above": Atoms(
        "Li3", [[0, 0, 0], [1.5, 7.5, 1], [0, 0, 1e6]], cell=[3, 3.1, 0], pbc=[1, 1, 0]),
    "slab with a cell, one atom 1e6 Å above": Atoms(
        "Li3", [[0, 0, 0], [1.5, 1.5, 1], [-4, 0, 1e6]], cell=[[3, 0, 0], [1, 3.1, 0], [0.5, 0, 100]], pbc=[1, 1, 0]),
    "wire, one atom 1e6 Å off": Atoms("Li3", [[0, 0, 0], [1.5, 1.5, 1], [0, 5e3, 1e6]], cell=[3, 0, 0], pbc=[1, 0, 0]),
    "periodic needle of 1e6 Å": Atoms("Li3", [[0, 0, 0], [2, 2, 1], [1, 1, -3]], cell=[4, 4, 1e6], pbc=True),
}  # fmt: skip


def plain(atoms: Atoms, cutoff: float) -> list[tuple[int, int, float]]:
    """(centre, atom, distance) of all pairs, image by image."""
    found = []
    for i, j in product(range(len(atoms)), repeat=2):
        for shift in product(*(range(-6, 7) if periodic else (0,) for periodic in atoms.pbc)):
            vector = atoms.positions[j] - atoms.positions[i] + np.array(shift) @ atoms.cell[:]
            distance = float(np.linalg.norm(vector))
            if 0 < distance <= cutoff:
                found.append((i, j, distance))
    return sorted(found)


@pytest.mark.parametrize("name", STRUCTURES)
def test_long_and_flat_structures_have_the_neighbours_of_a_plain_loop(name: str) -> None:
    atoms = STRUCTURES[name]
    near = neighbors(atoms, CUTOFF)
    found = sorted(zip(near.centres().tolist(), near.atom.tolist(), near.distance.tolist(), strict=True))
    expected = plain(atoms, CUTOFF)
    assert [f[:2] for f in found] == [e[:2] for e in expected]
    assert_allclose([f[2] for f in found], [e[2] for e in expected], rtol=1e-9)
    assert_allclose(np.linalg.norm(near.vector, axis=1), near.distance, rtol=1e-12)


def test_a_chain_of_a_million_angstrom_is_searched_in_linear_time() -> None:
    chain = Atoms("Li50000", np.arange(50000)[:, None] * np.array([[20.0, 0, 0]]))
    chain.positions[1::2, 0] -= 17.0
    values = SymmetryFunctions([G2(0.1, 2.0, CUTOFF), G4(0.1, 1, 1, CUTOFF)]).compute(chain)
    assert_allclose(values, np.tile(values[:1], (50000, 1)), rtol=1e-9)


def test_the_functions_do_not_see_a_far_atom() -> None:
    cluster = Atoms("Li16", PLANE)
    functions = SymmetryFunctions([G2(0.1, 2.0, CUTOFF), G4(0.1, 1, 1, CUTOFF)])
    for name in ("plane, one atom 2000 Å off in x and y", "plane, one atom 1e5 Å off in x and y"):
        values = functions.compute(STRUCTURES[name])
        assert_allclose(values[:16], functions.compute(cluster), rtol=1e-12)
        assert not values[16].any()


@pytest.mark.parametrize("pbc", list(product([False, True], repeat=3)))
def test_tree_and_cell_list_find_the_same_pairs(pbc: tuple[bool, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    atoms = bulk("Li", "bcc", a=3.49) * (3, 2, 2)
    atoms.rattle(0.4, seed=1)
    atoms.positions += np.random.default_rng(0).integers(-2, 3, (len(atoms), 3)) * np.array(pbc) @ atoms.cell[:]
    atoms.pbc = pbc
    expected = neighbors(atoms, CUTOFF)
    monkeypatch.setattr(search, "_mostly_empty", lambda *_: True)
    found = neighbors(atoms, CUTOFF)
    assert_array_equal(found.start, expected.start)
    for i in range(len(atoms)):
        rows = slice(expected.start[i], expected.start[i + 1])
        one, other = (np.column_stack([n.vector[rows], n.atom[rows]]).round(8) + 0.0 for n in (found, expected))
        assert_array_equal(one[np.lexsort(one.T)], other[np.lexsort(other.T)])
