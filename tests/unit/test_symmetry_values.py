"""Values against a naive double loop, DScribe and sphericart, over type × cutoff × cell × convention."""

import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from dscribe.descriptors import ACSF
from numpy.testing import assert_allclose

from bpstudy.symmetry import G1, G2, G3, G4, G5, SymmetryFunctions, grid


def images(atoms: Atoms, centre: int, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """All neighbours of one atom by brute force over translations: vectors (n, 3) and symbols."""
    ranges = []
    for axis in range(3):
        # The distance of the cell's planes, with room for atoms outside of the cell.
        height = 1 / np.linalg.norm(np.linalg.inv(atoms.cell.complete()[:])[:, axis])
        reach = int(cutoff / height) + 3 if atoms.pbc[axis] else 0
        ranges.append(range(-reach, reach + 1))
    shifts = np.array(list(itertools.product(*ranges))) @ atoms.cell[:]
    vectors = (shifts[:, None] + atoms.positions - atoms.positions[centre]).reshape(-1, 3)
    symbols = np.tile(np.array(atoms.get_chemical_symbols()), len(shifts))
    distance = np.linalg.norm(vectors, axis=1)
    keep = (distance > 1e-9) & (distance <= cutoff)
    return vectors[keep], symbols[keep]


def fc(r: np.ndarray, cutoff: float) -> np.ndarray:
    return np.where(r <= cutoff, 0.5 * (np.cos(np.pi * r / cutoff) + 1), 0.0)


def naive(function: object, atoms: Atoms, centre: int) -> float:
    """The definition: a sum over all neighbours, or over the matrix of all ordered pairs."""
    f, rc = function, function.cutoff  # type: ignore[attr-defined]
    vectors, symbols = images(atoms, centre, rc)
    r = np.linalg.norm(vectors, axis=1)
    if isinstance(f, G1 | G2 | G3):
        term = fc(r, rc)
        if isinstance(f, G2):
            term = term * np.exp(-f.eta * (r - f.rs) ** 2)
        elif isinstance(f, G3):
            term = term * np.cos(f.kappa * r)
        return float(term[(symbols == f.species) if f.species else slice(None)].sum())
    cosine = np.clip(vectors @ vectors.T / np.outer(r, r), -1, 1)
    far = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    one = np.exp(-f.eta * r**2) * fc(r, rc)
    terms = 2 ** (1 - f.zeta) * (1 + f.lam * cosine) ** f.zeta * np.outer(one, one)
    if f.species is not None:
        a, b = (symbols == f.species[0]), (symbols == f.species[1])
        terms = terms * (np.outer(a, b) | np.outer(b, a))
    diagonal = np.trace(terms)
    if isinstance(f, G4):
        terms = terms * np.exp(-f.eta * far**2) * fc(far, rc)
    off = terms[~np.eye(len(r), dtype=bool)].sum()
    return float({"unordered": off / 2, "ordered": off, "fortnet": off + diagonal}[f.pairs])


def rattled(atoms: Atoms, seed: int = 0) -> Atoms:
    atoms = atoms.copy()
    atoms.rattle(0.15, seed=seed)
    return atoms


TRICLINIC = Atoms("Cu2AlLi", [[0, 0, 0], [1.9, 1.6, 0.2], [0.3, 2.4, 2.2], [2.7, 0.4, 2.6]],
                  cell=[[4.1, 0, 0], [1.3, 3.9, 0], [-0.9, 0.8, 4.4]], pbc=True)  # fmt: skip
STRUCTURES = {
    "triclinic": TRICLINIC,
    "cell smaller than the cutoff": rattled(bulk("Cu", "fcc", a=3.6)),
    "one image after another": Atoms(
        "Li", [[0.3, 0.1, 0.2]], cell=[[2.2, 0.1, 0], [0.4, 2.5, 0], [0.2, -0.3, 2.3]], pbc=True
    ),
    "molecule without a cell": rattled(molecule("CH3CH2OH")),
    "slab": Atoms(
        "LiAlLi", [[0, 0, 0], [1.7, 0.2, 1.8], [0.2, 1.9, 3.5]], cell=[3.4, 3.1, 30], pbc=[True, True, False]
    ),
    "wire with zero vectors": Atoms("CuAl", [[0, 0, 0], [1.2, 0.9, 1.7]], cell=[0, 0, 3.7], pbc=[False, False, True]),
    "atoms outside of the cell": Atoms("LiLi", [[-5.1, 0.2, 9.3], [1.8, 1.6, 1.5]], cell=[3.5, 3.6, 3.4], pbc=True),
}


def functions(cutoff: float) -> list:
    radial = [
        G1(cutoff),
        G1(cutoff / 2),
        G2(0.7, 1.3, cutoff),
        G2(4.0, 0.0, cutoff * 0.9),
        G3(1.0, cutoff),
        G3(0, cutoff),
    ]
    angular = [
        cls(eta, zeta, lam, cutoff, pairs)
        for cls in (G4, G5)
        for eta, zeta, pairs in [
            (0.05, 1, "unordered"), (0.0, 2.3, "ordered"), (0.3, 4.75, "fortnet"), (0.05, 16, "fortnet"),
            (0.05, 1.2, "unordered"), (0.02, 0.8, "ordered"),
        ]
        for lam in (1, -1)
    ]  # fmt: skip
    return radial + angular


def scale(function: object, atoms: Atoms, centre: int) -> float:
    """The largest the sum could be: what a tolerance refers to."""
    f = function
    if isinstance(f, G1 | G2 | G3):
        return naive(G1(f.cutoff), atoms, centre)
    return 4 * naive(G2(f.eta, 0.0, f.cutoff), atoms, centre) ** 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("cutoff", [2.9, 5.3])
def test_every_type_and_convention_agrees_with_the_definition(name: str, cutoff: float) -> None:
    atoms = STRUCTURES[name]
    wanted = functions(cutoff)
    values = SymmetryFunctions(wanted).compute(atoms)
    assert values.shape == (len(atoms), len(wanted))
    assert values.dtype == np.float64
    for centre in {0, len(atoms) - 1}:
        for column, f in enumerate(wanted):
            tolerance = 2e-12 * scale(f, atoms, centre) + 1e-15
            assert abs(values[centre, column] - naive(f, atoms, centre)) <= tolerance, f


@pytest.mark.parametrize("cls", [G4, G5])
@pytest.mark.parametrize("pairs", ["unordered", "ordered", "fortnet"])
def test_species_of_pairs_agree_with_the_definition(cls: type, pairs: str) -> None:
    chosen = [("Cu", "Cu"), ("Al", "Cu"), ("Li", "Al"), None]
    wanted = [cls(0.1, zeta, lam, 4.4, pairs, s) for s in chosen for zeta, lam in [(1, -1), (2.6, 1)]]
    wanted += [G2(1.0, 2.0, 4.4, s) for s in ("Cu", "Al", "Li", None)]
    values = SymmetryFunctions(wanted).compute(TRICLINIC)
    for centre, column in itertools.product(range(len(TRICLINIC)), range(len(wanted))):
        assert_allclose(values[centre, column], naive(wanted[column], TRICLINIC, centre), rtol=1e-10, atol=1e-14)


def dscribe(atoms: Atoms, cutoff: float, g2: list, g4: list, g5: list) -> np.ndarray:
    acsf = ACSF(r_cut=cutoff, g2_params=g2 or None, g4_params=g4 or None, g5_params=g5 or None,
                species=sorted(set(atoms.symbols)), periodic=True)  # fmt: skip
    return acsf.create(atoms)


@pytest.mark.parametrize("scheme", ["fortnet", "behler2011"])
def test_grids_on_lithium_agree_with_dscribe(scheme: str) -> None:
    atoms = rattled(bulk("Li", "bcc", a=3.49) * (2, 2, 2))
    wanted = [f for kind in ("G2", "G4", "G5") for f in grid(kind, 9, 5.5, scheme)]
    g2 = [[f.eta, f.rs] for f in wanted if isinstance(f, G2)]
    g4, g5 = ([[f.eta, f.zeta, f.lam] for f in wanted if isinstance(f, cls)] for cls in (G4, G5))
    expected = dscribe(atoms, 5.5, g2, g4, g5)
    values = SymmetryFunctions(wanted).compute(atoms)
    assert_allclose(values, expected[:, 1:], rtol=1e-10, atol=1e-13 * np.abs(expected).max())  # its first column is G1


def test_long_cutoff_uses_a_cap_around_the_branch_point() -> None:
    atoms = rattled(bulk("Li", "bcc", a=3.49))
    wanted = [G5(0.02, 1 + 30 / 23, 1, 14.0), G5(0.02, 1 + 30 / 23, -1, 14.0), G5(0.02, 1 + 60 / 23, -1, 14.0)]
    chosen = SymmetryFunctions(wanted)
    (group,) = chosen._angular
    assert group.series.shape[1] > 10
    assert group.table is not None
    assert 0 < group.table.reach < group.table.cells  # series and cap together, which is what this test is for
    # DScribe gives NaN here: rounding makes 1 + cos θ of collinear images negative.
    assert_allclose(chosen.compute(atoms)[0], [naive(f, atoms, 0) for f in wanted], rtol=1e-11)
