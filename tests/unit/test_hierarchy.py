"""Unit symmetry functions: values by hand, the paper's hierarchy, and a scatter that means what it says."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk

from bpstudy.config.functions import UnitFunctions
from bpstudy.descriptors.hierarchy import all_sums, cell_sums, magnitudes, scatter, unit_functions

SETTINGS = UnitFunctions(
    system="cu4",
    cutoff_angstrom=6.0,
    eta_per_angstrom2=1.0,
    rs_angstrom=0.0,
    kappa_per_angstrom=1.0,
    zeta=1.0,
    lam=1,
    pairs="unordered",
    other_cutoffs_angstrom=[3.0, 12.0],
    bins=5,
)


def rattled(n):
    frames = []
    for seed in range(n):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=seed)
        frames.append(atoms)
    return frames


@pytest.mark.parametrize(("length", "unit"), [("angstrom", 1.0), ("bohr", 0.529177)])
def test_two_atoms_by_hand(length, unit):
    r = 2.0
    pair = Atoms("Cu2", [[0, 0, 0], [0, 0, r]])
    fc = 0.5 * (np.cos(np.pi * r / 6) + 1)
    expected = [2 * fc, 2 * np.exp(-((r / unit) ** 2)) * fc, 2 * np.cos(r / unit) * fc, 0, 0]
    assert cell_sums(unit_functions(SETTINGS, 6.0, length), [pair]).loc[0].tolist() == pytest.approx(expected, rel=1e-4)


def test_the_papers_order_of_magnitudes_holds_for_rattled_copper():
    table = magnitudes(SETTINGS, rattled(3))
    assert len(table) == 2 * 3 * 5
    at_six = table[(table["cutoff_angstrom"] == 6.0) & (table["length_unit"] == "angstrom")]
    assert at_six.sort_values("rank")["function"].tolist() == ["G1", "G3", "G2", "G5", "G4"]


def test_scatter_is_zero_for_a_function_and_one_for_noise():
    rng = np.random.default_rng(0)
    g = rng.uniform(size=20000)
    assert scatter(g, g, 50) < 1 / 49
    assert scatter(rng.normal(size=20000), g, 50) == pytest.approx(1, abs=0.01)
    # E = G + noise of variance v: √(v/(v + 1/12)), but for the width of the bins
    noisy = g + rng.normal(scale=0.5, size=20000)
    assert scatter(noisy, g, 50) == pytest.approx(np.sqrt(0.25 / (0.25 + 1 / 12)), abs=0.01)


def test_all_31_sums_are_there():
    rng = np.random.default_rng(0)
    sums = pd.DataFrame(rng.normal(size=(100, 5)), columns=["G1", "G2", "G3", "G4", "G5"])
    table = all_sums(sums["G2"].to_numpy() + sums["G5"].to_numpy(), sums, 10)
    assert len(set(table["sum"])) == 31
    assert table.loc[0, "sum"] == "G2+G5"
    assert table["scatter"].is_monotonic_increasing


def test_too_few_frames_are_an_error():
    with pytest.raises(ValueError, match="9 frames are too few for 5 bins"):
        scatter(np.arange(9.0), np.arange(9.0), 5)
