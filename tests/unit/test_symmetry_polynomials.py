"""Polynomials of G4: fits within their tolerance, their SIMD loops, and the tables that they replace."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from numpy.testing import assert_allclose

from bpstudy.symmetry import G4, SymmetryFunctions
from bpstudy.symmetry.neighbors import Neighbors
from bpstudy.symmetry.polynomials import cosine_cutoff, evaluate, evaluate_slope, exponentials, far_side, powers


@pytest.mark.parametrize("tolerance", [1e-12, 1e-7])
@pytest.mark.parametrize("zeta", [1, 2, 9, 16, 32, 8.5, 19.7])
def test_powers_are_met_to_their_tolerance(zeta: float, tolerance: float) -> None:
    coefficients = powers([1, zeta], [1, -1], tolerance)
    assert coefficients is not None
    assert coefficients.shape[1] % 4 == 1
    x = np.linspace(-1, 1, 999)
    assert_allclose(np.polynomial.polynomial.polyval(x, coefficients[1]), ((1 - x) / 2) ** zeta, atol=1.5 * tolerance)


def test_no_polynomial_near_a_branch_point() -> None:
    assert powers([1.2], [1], 1e-8) is None
    assert powers([64], [1], 1e-13) is None


@pytest.mark.parametrize("tolerance", [1e-13, 1e-8])
@pytest.mark.parametrize("eta", [0.0, 0.07, 0.3, 4.0])
def test_far_side_is_met_to_its_tolerance(eta: float, tolerance: float) -> None:
    found = far_side(eta, 8.0, tolerance)
    assert found is not None
    coefficients, reach = found
    r = np.linspace(0.1, 7.999, 700)
    u = 2 * r**2 / reach - 1
    value = np.where(u < 1, np.polynomial.polynomial.polyval(np.minimum(u, 1), coefficients), 0)
    expected = np.exp(-eta * r**2) * 0.5 * (np.cos(np.pi * r / 8) + 1)
    assert_allclose(value, expected, atol=1.5 * tolerance)


def test_loops_agree_with_numpy() -> None:
    rng = np.random.default_rng(0)
    coefficients, u = rng.normal(size=13), rng.uniform(-1, 1, 41)
    value, again, slope = np.zeros(41), np.zeros(41), np.zeros(41)
    evaluate(coefficients, u, 37, value)
    evaluate_slope(coefficients, u, 37, again, slope)
    derivative = np.polynomial.polynomial.polyder(coefficients)
    assert_allclose(value[:37], np.polynomial.polynomial.polyval(u, coefficients)[:37], rtol=1e-12)
    assert_allclose(again, value, rtol=1e-12)
    assert_allclose(slope[:37], np.polynomial.polynomial.polyval(u, derivative)[:37], rtol=1e-11)
    assert not value[37:].any()
    assert not slope[37:].any()


@pytest.mark.parametrize("species", [None, ("Li", "Li"), ("Al", "Li")])
def test_polynomials_and_tables_agree(species: tuple[str, str] | None) -> None:
    atoms = bulk("Li", "bcc", a=3.49, cubic=True) * (2, 2, 1) + Atoms("Al", [[1.7, 1.7, 9.0]])
    atoms.numbers[::3] = 13
    atoms.rattle(0.15, seed=1)
    functions = SymmetryFunctions([G4(0.1, z, s, 9.0, "fortnet", species) for z in (1, 4, 16) for s in (1, -1)])
    (group,) = functions._angular
    assert group.triangles is not None
    near = functions.neighbors(atoms)
    weights = np.random.default_rng(0).normal(size=(len(atoms), len(functions)))

    def both(near: Neighbors, table: bool) -> tuple[np.ndarray, np.ndarray]:
        chosen, pulls = replace(group, triangles=None) if table else group, np.zeros((len(near.atom), 3))
        chosen.contract(near, weights, pulls)
        return chosen.values(near), pulls

    for found, expected in zip(both(near, False), both(near, True), strict=True):
        assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())


def test_exponentials_are_exact_to_rounding() -> None:
    y = -np.concatenate([np.linspace(0, 2, 1000), np.geomspace(1e-300, 699, 1001)])
    value, work = np.empty_like(y), np.empty_like(y)
    exponentials(y, len(y), work, value)
    assert_allclose(value, np.exp(y), rtol=6e-16)


def test_the_cutoff_function_is_exact_to_rounding() -> None:
    r = np.linspace(0, 7, 999)
    value = np.polynomial.polynomial.polyval(2 * (r / 7) ** 2 - 1, cosine_cutoff())
    assert_allclose(value, 0.5 * (np.cos(np.pi * r / 7) + 1), atol=4e-16)
