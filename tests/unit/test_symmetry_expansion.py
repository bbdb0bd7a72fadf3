"""The expansion of the angular factor: harmonics against independent libraries, tolerances that hold."""

import numpy as np
import pytest
from ase.build import bulk
from numpy.testing import assert_allclose
from scipy.special import eval_legendre
from sphericart import SphericalHarmonics

from bpstudy.symmetry import G4, G5, SymmetryFunctions
from bpstudy.symmetry.expansion import far_side, legendre_series, smallest_cap, table
from bpstudy.symmetry.harmonics import recurrence, spectrum


def directions(count: int) -> np.ndarray:
    vectors = np.random.default_rng(1).normal(size=(count, 3))
    vectors[:4] = [[0, 0, 1], [0, 0, -1], [1, 0, 0], [0, -1, 0]]  # the poles, where recurrences fail first
    return vectors / np.linalg.norm(vectors, axis=1)[:, None]


@pytest.mark.parametrize("degree", [0, 1, 2, 7, 64])
def test_power_spectrum_agrees_with_legendre_polynomials_and_sphericart(degree: int) -> None:
    count = 300  # more than one block of the compiled loop
    unit, weights = directions(count), np.random.default_rng(2).uniform(size=count)
    x, y, z = np.ascontiguousarray(unit.T)
    one = (np.array([0, count]), x, y, z, np.ones(count), weights)
    power = spectrum(*one, *one, True, degree, *recurrence(degree), np.empty((0, 1, 1, 1, 1)))[0]
    cosines = np.clip(unit @ unit.T, -1, 1)
    for order in {0, degree // 2, degree}:
        assert power[order] == pytest.approx(weights @ eval_legendre(order, cosines) @ weights, rel=1e-9)
    moments = weights @ SphericalHarmonics(degree).compute(unit)
    blocks = [moments[order**2 : (order + 1) ** 2] for order in range(degree + 1)]
    expected = [4 * np.pi / (2 * order + 1) * block @ block for order, block in enumerate(blocks)]
    assert_allclose(power, expected, rtol=1e-10)


@pytest.mark.parametrize("zeta", [1, 2, 5, 16])
def test_integer_exponents_have_an_exact_series(zeta: int) -> None:
    coefficients, error = legendre_series(zeta, zeta, 0)
    assert error < 1e-14
    assert smallest_cap(zeta, zeta, 1e-13) == 0
    assert smallest_cap(zeta, zeta - 1, 1e-13) > 0 or zeta == 1
    x = np.linspace(-1, 1, 50)
    assert_allclose(np.polynomial.legendre.legval(x, coefficients), ((1 + x) / 2) ** zeta, atol=1e-14)


def test_caps_shrink_with_the_degree_and_grow_with_the_demand() -> None:
    caps = [smallest_cap(2.3, degree, 1e-12) for degree in (16, 32, 64)]
    assert caps == sorted(caps, reverse=True)
    assert caps[0] > caps[-1] > 0
    assert smallest_cap(2.3, 32, 1e-6) < smallest_cap(2.3, 32, 1e-12)


@pytest.mark.parametrize("tolerance", [1e-12, 1e-7])
@pytest.mark.parametrize("zeta", [0.3, 1.2, 2.5, 7.7, 64.0])
def test_tables_meet_the_remainder_to_their_tolerance(zeta: float, tolerance: float) -> None:
    lams = [1, -1]
    made = table([zeta, zeta], lams, np.zeros((2, 1)), 64, tolerance)
    x = np.cos(np.linspace(0, np.pi, 5000))
    away = 1 - np.abs(x)
    t = np.sqrt(away) * made.cells
    cell = np.minimum(t.astype(int), made.reach - 1)
    powers = np.vander(t - cell - 0.5, 6, increasing=True)
    for i, lam in enumerate(lams):
        value = (made.coefficients[np.where(x >= 0, 0, 1), cell, :, i] * powers).sum(axis=1)
        direct = (cell < made.direct) & (made.zeta[i] > 0) & (np.where(x >= 0, 0, 1) == made.side[i])
        value += np.where(direct, (away / 2) ** zeta, 0.0)
        assert np.abs(value - ((1 + lam * x) / 2) ** zeta).max() <= 2 * tolerance


@pytest.mark.parametrize("eta", [0.0, 0.01, 4.0])
def test_far_side_of_a_triangle_is_tabulated(eta: float) -> None:
    made = far_side(eta, 8.0, 1e-13)
    r = np.linspace(0.1, 7.999, 700)
    u = r**2 / made.reach * len(made.coefficients)
    inside = u < len(made.coefficients)
    cell = np.where(inside, u, 0).astype(int)
    powers = np.vander(u - cell - 0.5, 6, increasing=True)
    value = np.where(inside, (made.coefficients[cell] * powers).sum(axis=1), 0.0)
    assert_allclose(value, np.exp(-eta * r**2) * 0.5 * (np.cos(np.pi * r / 8) + 1), atol=1e-12)


@pytest.mark.parametrize("cls", [G4, G5])
@pytest.mark.parametrize("tolerance", [1e-4, 1e-8])
def test_a_loose_set_stays_within_its_tolerance_of_a_tight_one(cls: type, tolerance: float) -> None:
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True)
    atoms.rattle(0.1, seed=4)
    functions = [cls(0.05, zeta, lam, 6.0) for zeta in (1.3, 2.6, 9.4) for lam in (1, -1)]
    tight, loose = (
        SymmetryFunctions(functions, 1e-13).compute(atoms),
        SymmetryFunctions(functions, tolerance).compute(atoms),
    )
    scale = SymmetryFunctions([cls(0.05, 1, lam, 6.0) for lam in (1, -1)]).compute(atoms).sum(axis=1, keepdims=True)
    assert np.abs(loose - tight).max() > 0  # it does save work
    assert (np.abs(loose - tight) <= 2 * tolerance * scale).all()
