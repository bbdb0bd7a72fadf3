"""Analytic gradients against central differences, small cells with many images included."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from numpy.testing import assert_allclose

from bpstudy.symmetry import G1, G2, G3, G4, G5, SymmetryFunctions

STEP = 1e-4


def rattled(atoms: Atoms) -> Atoms:
    atoms.rattle(0.15, seed=3)
    return atoms


STRUCTURES = {
    "triclinic alloy, cutoff of two boxes": Atoms(
        "Cu2AlLi", [[0, 0, 0], [1.9, 1.6, 0.2], [0.3, 2.4, 2.2], [2.7, 0.4, 2.6]],
        cell=[[4.1, 0, 0], [1.3, 3.9, 0], [-0.9, 0.8, 4.4]], pbc=True),
    "two atoms, cutoff of three boxes": Atoms(
        "LiLi", [[0.1, 0, 0], [1.6, 1.3, 1.8]], cell=[[2.9, 0, 0], [0.3, 3.0, 0], [-0.2, 0.4, 3.1]], pbc=True),
    "molecule": rattled(molecule("CH3CH2OH")),
    "slab": Atoms("LiAlLi", [[0, 0, 0], [1.7, 0.2, 1.8], [0.2, 1.9, 3.5]], cell=[3.4, 3.1, 30], pbc=[1, 1, 0]),
}  # fmt: skip


def functions(cutoff: float) -> list:
    radial = [G1(cutoff), G2(0.7, 1.3, cutoff), G2(1.5, 3.0, cutoff * 0.8, "Li"), G3(1.0, cutoff)]
    angular = [
        cls(eta, zeta, lam, cutoff, pairs)
        for cls in (G4, G5)
        for eta, zeta, pairs in [
            (0.05, 1, "unordered"),
            (0.01, 2.3, "ordered"),
            (0.05, 4.75, "fortnet"),
            (0.05, 1.2, "unordered"),
        ]
        for lam in (1, -1)
    ]
    species = [cls(0.05, zeta, -1, cutoff, "fortnet", ("Li", "Al")) for cls in (G4, G5) for zeta in (2, 2.3)]
    return radial + angular + species


def moved(atoms: Atoms, atom: int, axis: int, by: float) -> Atoms:
    other = atoms.copy()
    other.positions[atom, axis] += by
    return other


@pytest.mark.parametrize("name", STRUCTURES)
def test_gradients_agree_with_central_differences(name: str) -> None:
    atoms = STRUCTURES[name]
    chosen = SymmetryFunctions(functions(8.7))
    values, gradients = chosen.compute_with_gradients(atoms)
    assert gradients.shape == (len(atoms), len(chosen), len(atoms), 3)
    assert np.array_equal(values, chosen.compute(atoms))
    scale = np.abs(gradients).max(axis=(0, 2, 3))
    for atom, axis in [(0, 0), (len(atoms) - 1, 1), (1, 2)]:
        # Fourth order, so that the difference formula is not what limits the comparison.
        near, wide = (
            (chosen.compute(moved(atoms, atom, axis, s)) - chosen.compute(moved(atoms, atom, axis, -s))) / (2 * s)
            for s in (STEP, 2 * STEP)
        )
        numerical = (4 * near - wide) / 3
        error = np.abs(gradients[:, :, atom, axis] - numerical).max(axis=0)
        assert (error <= 1e-6 * scale + 1e-9).all(), dict(zip(chosen.labels, error / scale, strict=True))


def test_a_series_with_caps_has_the_right_gradient_too() -> None:
    atoms = rattled(bulk("Li", "bcc", a=3.49, cubic=True))
    chosen = SymmetryFunctions([G5(0.02, 1 + 30 / 23, lam, 14.0) for lam in (1, -1)] + [G5(0.02, 1 + 60 / 23, 1, 14.0)])
    (group,) = chosen._angular
    assert group.series.shape[1] > 10
    assert group.table is not None
    assert 0 < group.table.reach < group.table.cells
    _, gradients = chosen.compute_with_gradients(atoms)
    numerical = (chosen.compute(moved(atoms, 1, 2, STEP)) - chosen.compute(moved(atoms, 1, 2, -STEP))) / (2 * STEP)
    assert_allclose(gradients[:, :, 1, 2], numerical, atol=1e-6 * np.abs(gradients).max())


@pytest.mark.parametrize("name", STRUCTURES)
def test_contraction_equals_the_dense_tensor_and_the_strain_derivative(name: str) -> None:
    atoms = STRUCTURES[name]
    chosen = SymmetryFunctions(functions(6.1))
    weights = np.random.default_rng(5).normal(size=(len(atoms), len(chosen)))
    weights /= np.abs(chosen.compute(atoms)).max(axis=0) + 1e-3
    forces, virial = chosen.contract(atoms, weights)
    _, gradients = chosen.compute_with_gradients(atoms)
    assert_allclose(forces, -np.einsum("if,ifac->ac", weights, gradients), atol=1e-11 * np.abs(forces).max())
    assert_allclose(forces.sum(axis=0), 0, atol=1e-11 * np.abs(forces).max())
    assert_allclose(virial, virial.T, atol=1e-10 * np.abs(virial).max())
    for a, b in [(0, 0), (1, 2)]:
        energies = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[b, a] += sign * STEP
            other = atoms.copy()
            other.set_cell(atoms.cell[:] @ strain)
            other.positions = atoms.positions @ strain
            energies.append((weights * chosen.compute(other)).sum())
        assert virial[a, b] == pytest.approx(
            (energies[0] - energies[1]) / (2 * STEP), rel=1e-5, abs=1e-6 * np.abs(virial).max()
        )


@pytest.mark.parametrize("zeta", [1, 2, 2.3, 4])
@pytest.mark.parametrize("cls", [G4, G5])
def test_collinear_neighbours_have_a_finite_gradient(cls: type, zeta: float) -> None:
    atoms = bulk("Cu", "fcc", a=3.6)  # a perfect lattice: many pairs on one line, and all gradients 0 by symmetry
    chosen = SymmetryFunctions([cls(0.02, zeta, lam, 6.0) for lam in (1, -1)])
    values, gradients = chosen.compute_with_gradients(atoms)
    assert_allclose(gradients, 0, atol=1e-9 * values.max())
    forces, virial = chosen.contract(atoms, np.ones_like(values))
    assert_allclose(forces, 0, atol=1e-9 * values.max())
    assert np.isfinite(virial).all()


def test_weights_of_the_wrong_shape_or_not_finite_are_refused() -> None:
    atoms, chosen = bulk("Cu", "fcc", a=3.6), SymmetryFunctions([G1(4.0), G1(5.0)])
    with pytest.raises(ValueError, match=r"shape \(2, 1\).*\(1, 2\)"):
        chosen.contract(atoms, np.ones((2, 1)))
    with pytest.raises(ValueError, match="NaN"):
        chosen.contract(atoms, np.array([[1.0, np.nan]]))
