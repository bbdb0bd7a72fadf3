"""Derivatives of pairs that see each other, and their sums, against the dense tensor and central differences."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from numpy.testing import assert_allclose, assert_array_equal

from bpstudy.symmetry import G1, G2, G3, G4, G5, SymmetryFunctions, derivatives

STEP = 1e-4


def rattled(atoms: Atoms) -> Atoms:
    atoms.rattle(0.15, seed=3)
    return atoms


STRUCTURES = {
    "alloy, cutoff of one box": Atoms(
        "Cu2AlLi", [[0, 0, 0], [1.9, 1.6, 0.2], [0.3, 2.4, 2.2], [2.7, 0.4, 2.6]],
        cell=[[4.1, 0, 0], [1.3, 3.9, 0], [-0.9, 0.8, 4.4]], pbc=True),
    "one atom and its images": Atoms("Li", cell=[[2.9, 0, 0], [0.3, 3.0, 0], [-0.2, 0.4, 3.1]], pbc=True),
    "molecule and two lone atoms": rattled(molecule("CH3CH2OH")) + Atoms("LiAl", [[30, 0, 0], [0, 40, 0]]),
    "larger than the cutoff": rattled(bulk("Al", cubic=True) * (3, 2, 1)),
    "alone": Atoms("Li"),
}  # fmt: skip
FUNCTIONS = SymmetryFunctions(
    [G5(0.02, 2, 1, 4.3), G1(4.3), G2(0.7, 1.3, 4.3), G2(1.5, 3.0, 3.5, "Al"), G3(1.0, 4.3)]
    + [cls(0.05, zeta, lam, 4.3, pairs) for cls in (G4, G5) for zeta, pairs in [(1, "unordered"), (2.3, "fortnet")]
       for lam in (1, -1)]
    + [cls(0.05, zeta, -1, 4.0, "fortnet", ("Li", "Al")) for cls in (G4, G5) for zeta in (2, 2.3)]
)  # fmt: skip


def scale(atoms: Atoms) -> np.ndarray:
    return np.abs(FUNCTIONS.compute_with_gradients(atoms)[1]).max(axis=(0, 2, 3)) + 1e-6


@pytest.mark.parametrize("name", STRUCTURES)
def test_pairs_are_those_of_the_dense_tensor(name: str) -> None:
    atoms = STRUCTURES[name]
    centre, atom, d = FUNCTIONS.pair_gradients(atoms)
    assert d.shape == (len(centre), 3, len(FUNCTIONS))
    assert_array_equal(np.lexsort((atom, centre)), np.arange(len(centre)))
    assert len(set(zip(centre.tolist(), atom.tolist(), strict=True))) == len(centre)
    _, dense = FUNCTIONS.compute_with_gradients(atoms)
    seen = np.zeros((len(atoms), len(atoms)), bool)
    seen[centre, atom] = True
    assert not dense.swapaxes(1, 2)[~seen].any()
    assert_allclose(d, dense.swapaxes(1, 2)[centre, atom].swapaxes(1, 2), rtol=0, atol=0)


@pytest.mark.parametrize("name", STRUCTURES)
def test_pairs_agree_with_central_differences(name: str) -> None:
    atoms = STRUCTURES[name]
    centre, atom, d = FUNCTIONS.pair_gradients(atoms)
    for a, axis in {(0, 0), (len(atoms) - 1, 1), (len(atoms) // 2, 2)}:
        numerical = np.zeros((len(atoms), len(FUNCTIONS)))
        for sign in (1, -1):
            other = atoms.copy()
            other.positions[a, axis] += sign * STEP
            numerical += sign * FUNCTIONS.compute(other) / (2 * STEP)
        analytic = np.zeros_like(numerical)
        analytic[centre[atom == a]] = d[atom == a, axis]
        assert (np.abs(analytic - numerical) <= 2e-6 * scale(atoms)).all()


@pytest.mark.parametrize("budget", [2**20, 3000])  # bytes: all centres at once, or some at a time
@pytest.mark.parametrize("name", STRUCTURES)
def test_sums_are_those_of_the_dense_tensor(name: str, budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derivatives, "_BYTES", budget)
    atoms = STRUCTURES[name]
    _, dense = FUNCTIONS.compute_with_gradients(atoms)
    summed, strain = FUNCTIONS.summed_gradients_and_strain(atoms)
    assert summed.shape == (len(atoms), 3, len(FUNCTIONS))
    assert (np.abs(summed - dense.sum(axis=0).transpose(1, 2, 0)) <= 1e-12 * scale(atoms)).all()
    assert_array_equal(FUNCTIONS.summed_gradients(atoms), summed)
    each = FUNCTIONS.strain_gradients(atoms)
    assert each.shape == (len(atoms), 3, 3, len(FUNCTIONS))
    assert (np.abs(each.sum(axis=0) - strain) <= 1e-11 * scale(atoms)).all()


def test_sums_over_the_centres_of_each_element() -> None:
    atoms = STRUCTURES["alloy, cutoff of one box"]
    _, dense = FUNCTIONS.compute_with_gradients(atoms)
    parts, strains = [], []
    for number in np.unique(atoms.numbers):
        mask = atoms.numbers == number
        one, strain = FUNCTIONS.summed_gradients_and_strain(atoms, centres=mask)
        assert (np.abs(one - dense[mask].sum(axis=0).transpose(1, 2, 0)) <= 1e-12 * scale(atoms)).all()
        parts.append(one)
        strains.append(strain)
    whole, strain = FUNCTIONS.summed_gradients_and_strain(atoms, FUNCTIONS.neighbors(atoms))
    assert_allclose(sum(parts), whole, atol=1e-10)
    assert_allclose(sum(strains), strain, atol=1e-10)
    for wrong in (np.ones(3, bool), np.ones(4)):
        with pytest.raises(ValueError, match=r"mask of truth values of the shape \(4,\)"):
            FUNCTIONS.summed_gradients(atoms, centres=wrong)


@pytest.mark.parametrize("name", STRUCTURES)
def test_strain_gradients_agree_with_central_differences_and_contract(name: str) -> None:
    atoms = STRUCTURES[name]
    each = FUNCTIONS.strain_gradients(atoms)
    for a, b in [(0, 0), (1, 2)]:
        numerical = np.zeros((len(atoms), len(FUNCTIONS)))
        for sign in (1, -1):
            strain = np.eye(3)
            strain[b, a] += sign * STEP
            other = atoms.copy()
            other.set_cell(atoms.cell[:] @ strain)
            other.positions = atoms.positions @ strain
            numerical += sign * FUNCTIONS.compute(other) / (2 * STEP)
        assert (np.abs(each[:, a, b] - numerical) <= 1e-6 * (np.abs(each).max(axis=(0, 1, 2)) + 1e-3)).all()
    weights = np.random.default_rng(0).normal(size=(len(atoms), len(FUNCTIONS)))
    forces, virial = FUNCTIONS.contract(atoms, weights)
    assert_allclose(np.einsum("if,iabf->ab", weights, each), virial, atol=1e-10)
    centre, atom, d = FUNCTIONS.pair_gradients(atoms)
    pulled = np.zeros((len(atoms), 3))
    np.add.at(pulled, atom, -np.einsum("pf,pcf->pc", weights[centre], d))
    assert_allclose(pulled, forces, atol=1e-10)


@pytest.mark.parametrize("name", STRUCTURES)
def test_pairs_of_some_atoms_are_those_of_all(name: str) -> None:
    atoms = STRUCTURES[name]
    moved = np.arange(len(atoms)) % 3 == 0
    centre, atom, d = FUNCTIONS.pair_gradients(atoms)
    some = FUNCTIONS.pair_gradients(atoms, moved=moved)
    for found, known in zip(some, (centre, atom, d), strict=True):
        assert_array_equal(found, known[moved[atom]])
