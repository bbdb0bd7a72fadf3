"""Invariances, closed forms, bad input, threads: what must hold for every structure."""

import math

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from bpstudy.symmetry import G1, G2, G3, G4, G5, SymmetryFunctions, compute_frames

CUTOFF = 4.6
FUNCTIONS = SymmetryFunctions(
    [G1(CUTOFF), G2(1.0, 2.0, CUTOFF), G2(1.0, 2.0, CUTOFF, "Li"), G3(1.0, CUTOFF)]
    + [cls(0.05, zeta, lam, CUTOFF, pairs) for cls in (G4, G5)
       for zeta, lam, pairs in [(1, 1, "unordered"), (3, -1, "fortnet"), (2.3, 1, "ordered"), (2.3, -1, "unordered")]]
)  # fmt: skip


@st.composite
def crystals(draw: st.DrawFn) -> Atoms:
    """Two to four atoms of two elements on a jittered triclinic lattice."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cell = np.eye(3) * generator.uniform(3.2, 5.0, 3) + generator.uniform(-0.6, 0.6, (3, 3))
    sites = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])[: draw(st.integers(2, 4))]
    atoms = Atoms(generator.choice(["Li", "Al"], len(sites)), cell=cell, pbc=draw(st.tuples(*[st.booleans()] * 3)))
    atoms.set_scaled_positions(sites + generator.uniform(-0.06, 0.06, sites.shape))
    return atoms


def agree(one: np.ndarray, other: np.ndarray) -> None:
    assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@settings(max_examples=25, deadline=None)
@given(crystals(), st.integers(0, 2**32 - 1))
def test_rotation_translation_and_permutation_do_not_matter(atoms: Atoms, seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = FUNCTIONS.compute(atoms)
    rotation = Rotation.random(random_state=seed).as_matrix()
    if generator.random() < 0.5:
        rotation = -rotation  # mirrored
    turned = atoms.copy()
    turned.set_cell(atoms.cell[:] @ rotation.T)
    turned.positions = atoms.positions @ rotation.T + generator.uniform(-9, 9, 3)
    agree(FUNCTIONS.compute(turned), values)
    order = generator.permutation(len(atoms))
    agree(FUNCTIONS.compute(atoms[order]), values[order])


@settings(max_examples=15, deadline=None)
@given(crystals(), st.tuples(*[st.integers(1, 2)] * 3))
def test_a_supercell_is_the_same_crystal(atoms: Atoms, repeats: tuple[int, int, int]) -> None:
    repeats = tuple(r if periodic else 1 for r, periodic in zip(repeats, atoms.pbc, strict=True))  # type: ignore[assignment]
    agree(FUNCTIONS.compute(atoms * repeats), np.tile(FUNCTIONS.compute(atoms), (math.prod(repeats), 1)))


@settings(max_examples=15, deadline=None)
@given(crystals())
def test_moving_an_atom_by_a_cell_vector_does_not_matter(atoms: Atoms) -> None:
    moved = atoms.copy()
    moved.positions[0] += np.where(atoms.pbc, [1, -2, 1], 0) @ atoms.cell[:]
    agree(FUNCTIONS.compute(moved), FUNCTIONS.compute(atoms))


@pytest.mark.parametrize("cutoff", [2.9, 8.0, 20.0])
def test_images_are_counted_up_to_the_cutoff(cutoff: float) -> None:
    edge, crystal = 2.5, Atoms("Po", cell=[2.5] * 3, pbc=True)
    n = int(cutoff / edge) + 1
    shells = np.array(
        [x * x + y * y + z * z for x in range(-n, n + 1) for y in range(-n, n + 1) for z in range(-n, n + 1)]
    )
    r = edge * np.sqrt(shells[(shells > 0) & (edge**2 * shells <= cutoff**2)])
    expected = (0.5 * (np.cos(np.pi * r / cutoff) + 1)).sum()
    assert SymmetryFunctions([G1(cutoff)]).compute(crystal)[0, 0] == pytest.approx(expected, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.5, 7.0), st.floats(0.0, 3.0), st.floats(0.0, 6.0), st.floats(0.0, 3.0))
def test_two_atoms_have_closed_forms(distance: float, eta: float, rs: float, kappa: float) -> None:
    pair = Atoms("LiAl", [[0, 0, 0], [0.36 * distance, 0.48 * distance, 0.8 * distance]])
    fc = 0.5 * (math.cos(math.pi * distance / 6) + 1) if distance < 6 else 0.0
    wanted = [G1(6.0), G2(eta, rs, 6.0), G3(kappa, 6.0), G2(eta, rs, 6.0, "Al")]
    wanted += [
        cls(eta, 3, lam, 6.0, pairs) for cls in (G4, G5) for lam in (1, -1) for pairs in ("unordered", "fortnet")
    ]
    weight = math.exp(-eta * distance**2) * fc
    gauss = math.exp(-eta * (distance - rs) ** 2) * fc
    pairs = [0, 2 * weight**2, 0, 0]  # only the neighbour with itself, at the angle 0
    values = SymmetryFunctions(wanted).compute(pair)
    assert_allclose(values[0], [fc, gauss, math.cos(kappa * distance) * fc, gauss, *pairs, *pairs], atol=1e-14)
    assert values[1, 3] == 0  # the neighbour of the second atom is lithium


def test_three_atoms_have_a_closed_form() -> None:
    right_angle = Atoms("Li3", [[0, 0, 0], [2.0, 0, 0], [0, 3.0, 0]])
    f2, f3, far = (0.5 * (math.cos(math.pi * r / 7) + 1) * math.exp(-0.1 * r * r) for r in (2.0, 3.0, math.sqrt(13)))
    wanted = [cls(0.1, zeta, 1, 7.0) for cls in (G5, G4) for zeta in (1, 4, 2.5)]
    values = SymmetryFunctions(wanted).compute(right_angle)[0]
    assert_allclose(
        values, [2 ** (1 - f.zeta) * f2 * f3 * (far if isinstance(f, G4) else 1) for f in wanted], rtol=1e-11
    )


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    frames = []
    for seed in range(7):
        frames.append(bulk("Li", "bcc", a=3.49, cubic=True))
        frames[-1].rattle(0.1, seed=seed)
    one = compute_frames(FUNCTIONS, frames, threads=1)
    assert one.shape == (7, 2, len(FUNCTIONS))
    assert one.flags.c_contiguous
    for threads in (2, 3, 8):
        assert np.array_equal(compute_frames(FUNCTIONS, frames, threads=threads), one)
    assert np.array_equal(one[3], FUNCTIONS.compute(frames[3]))


@pytest.mark.parametrize("threads", [2, 3, 50])
def test_threads_that_share_the_atoms_give_the_same_bits(threads: int) -> None:
    crowd = bulk("Cu", cubic=True).repeat((2, 1, 1))
    crowd.rattle(0.1, seed=0)
    crowd.extend(Atoms("Cu", [[3.6, 1.8, 60.0]]))  # alone
    crowd.pbc = [True, True, False]
    values = FUNCTIONS.compute(crowd)
    weights = np.random.default_rng(0).normal(size=values.shape)
    assert np.array_equal(FUNCTIONS.compute(crowd, threads), values)
    for many, one in zip(FUNCTIONS.contract(crowd, weights, threads), FUNCTIONS.contract(crowd, weights), strict=True):
        assert np.array_equal(many, one)


def test_an_isolated_atom_is_all_zeros() -> None:
    assert not FUNCTIONS.compute(Atoms("Li", [[1, 2, 3]])).any()
    values, gradients = FUNCTIONS.compute_with_gradients(Atoms("Li", [[1, 2, 3]]))
    assert not values.any()
    assert not gradients.any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: G1(0.0), "G1: cutoff = 0.0 is not allowed; it must be a length in Å above 0"),
        (lambda: G1(math.nan), "G1: cutoff = nan .* finite"),
        (lambda: G1("8"), "G1: cutoff = '8'"),
        (lambda: G1(8.0, "Xx"), "G1: species = 'Xx'"),
        (lambda: G2(-0.1, 0.0, 8.0), "G2: eta = -0.1 .*0 or more"),
        (lambda: G2(0.1, 9.0, 8.0), r"G2: rs = 9.0 .*between 0 and the cutoff \(8.0 Å\)"),
        (lambda: G2(0.1, -1.0, 8.0), "G2: rs = -1.0"),
        (lambda: G3(-1.0, 8.0), "G3: kappa = -1.0"),
        (lambda: G4(-1.0, 1, 1, 8.0), "G4: eta = -1.0"),
        (lambda: G5(0.1, 0, 1, 8.0), "G5: zeta = 0 .*above 0"),
        (lambda: G5(0.1, 1, 0.5, 8.0), "G5: lam = 0.5 .*-1 or 1"),
        (lambda: G5(0.1, 1, 1, 8.0, "all"), "G5: pairs = 'all' .*unordered, ordered, fortnet"),
        (lambda: G5(0.1, 1, 1, 8.0, species="Li"), "G5: species = 'Li' .*two element symbols"),
        (lambda: G5(0.1, math.inf, 1, 8.0), "G5: zeta = inf"),
        (lambda: SymmetryFunctions([]), "at least one function"),
        (lambda: SymmetryFunctions(["G1"]), "'G1' is not a symmetry function"),
        (lambda: SymmetryFunctions([G1(3.0)], tolerance=1e-20), "tolerance = 1e-20"),
    ],
)
def test_wrong_parameters_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms(), "no atoms"),
        (Atoms("Li2", [[0, 0, 0], [math.nan, 0, 2]]), "position of atom 1"),
        (Atoms("Li2", [[0, 0, 0], [0, 0, 0.05]]), "atoms 0 and 1 are 0.05 Å apart"),
        (Atoms("Li", cell=[0.05, 4, 4], pbc=True), "atoms 0 and 0 are 0.05 Å apart"),
        (Atoms("Li", pbc=True), "periodic along axis 0, but cell vector 0 is zero"),
        (Atoms("Li", cell=[4, 4, 0], pbc=True), "periodic along axis 2, but cell vector 2 is zero"),
        (Atoms("Li", cell=[[3, 0, 0], [6, 0, 0], [0, 0, 3]], pbc=True), "no volume"),
        (Atoms("Li", cell=[math.inf, 3, 3], pbc=True), "cell .* finite"),
    ],
)
def test_wrong_structures_are_refused(atoms: Atoms, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FUNCTIONS.compute(atoms)


def test_wrong_frames_are_refused_by_number() -> None:
    good = bulk("Li", "bcc", a=3.49)
    bad = good.copy()
    bad.positions[0, 0] = np.nan
    with pytest.raises(ValueError, match="frame 2: the position of atom 0"):
        compute_frames(FUNCTIONS, [good, good, bad])
    with pytest.raises(ValueError, match="frame 1 has 2 atoms, frame 0 has 1"):
        compute_frames(FUNCTIONS, [good, good * (2, 1, 1)])
    with pytest.raises(ValueError, match="no frames"):
        compute_frames(FUNCTIONS, [])
    with pytest.raises(ValueError, match="threads = 0"):
        compute_frames(FUNCTIONS, [good], threads=0)
