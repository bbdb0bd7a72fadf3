"""Functions from n2p2's lines and DScribe's lists; alloys against DScribe; JSON."""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.units import Bohr
from dscribe.descriptors import ACSF
from numpy.testing import assert_allclose

from bpstudy.symmetry import G1, G2, G3, G4, G5, SymmetryFunctions, from_dscribe, from_n2p2

N2P2 = """
# lengths in Bohr
cutoff_type 1 0.0
symfunction_short Cu 2 Al 0.05 1.5 11.0
symfunction_short Cu 3 Cu Al 0.01 -1.0 4.0 11.0   # narrow
symfunction_short Al 9 Al Al 0.02 1.0 1.0 9.0 0.0
"""


def copper_aluminium() -> Atoms:
    atoms = bulk("Cu", "fcc", a=3.8, cubic=True) * (2, 1, 1)
    atoms.symbols[[1, 4, 6]] = "Al"
    atoms.rattle(0.1, seed=2)
    return atoms


def test_alloys_agree_with_dscribe_in_every_column() -> None:
    atoms = copper_aluminium()
    arguments = {
        "r_cut": 6.3,
        "species": ["Cu", "Al"],
        "g2_params": [[0.5, 0.0], [2.0, 2.5]],
        "g3_params": [1.0, 0.3],
        "g4_params": [[0.01, 1, 1], [0.02, 3, -1]],
        "g5_params": [[0.01, 2, 1], [0.05, 4, -1]],
    }
    expected = ACSF(periodic=True, **arguments).create(atoms)
    values = from_dscribe(**arguments).compute(atoms)
    assert values.shape == expected.shape
    assert_allclose(values, expected, rtol=1e-10, atol=1e-12)


def test_n2p2_lines_become_functions_of_each_central_element() -> None:
    read = from_n2p2(N2P2)
    assert list(read) == ["Cu", "Al"]
    assert read["Cu"].functions == (
        G2(0.05 / Bohr**2, 1.5 * Bohr, 11 * Bohr, "Al"),
        G4(0.01 / Bohr**2, 4.0, -1, 11 * Bohr, "unordered", ("Al", "Cu")),
    )
    assert read["Al"].functions == (G5(0.02 / Bohr**2, 1.0, 1, 9 * Bohr, "unordered", ("Al", "Al")),)
    assert from_n2p2(N2P2, length_angstrom=1.0)["Al"].cutoff == 9.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("symfunction_short H 12 0.1 0.0 6.0", r"line 1 .*type '12' is not known here; it must be 2, 3 or 9"),
        ("\nsymfunction_short H 2 H 0.1 0.0", r"line 2 .*type 2 takes 6 values, here are 5"),
        ("symfunction_short H 3 H O 0.1 1.0 2.0 6.0 0.5", r"shift 0.5 .* must be 0"),
        ("symfunction_short H 3 H O 0.1 0.5 2.0 6.0", r"lambda = 0.5 is not allowed; it must be -1 or 1"),
        ("symfunction_short H 2 Q 0.1 0.0 6.0", r"species = 'Q'"),
        ("symfunction_short H 2 H x 0.0 6.0", r"line 1 .*could not convert"),
        ("cutoff_type 2", r"cutoff_type 2 is not known here; it must be 1"),
        ("cutoff_type 1 0.5", r"cutoff_type 1 0.5 is not known here"),
        ("epochs 10", "no symfunction_short lines"),
    ],
)
def test_n2p2_text_that_cannot_be_read_names_the_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_n2p2(text)


def test_dscribe_species_must_be_elements() -> None:
    with pytest.raises(ValueError, match="Xx"):
        from_dscribe(6.0, ["Cu", "Xx"])


def test_json_round_trip_keeps_every_parameter_and_the_values() -> None:
    chosen = SymmetryFunctions(
        [
            G1(3.3, "Al"),
            G2(0.1 + 0.2, 1.1, 4.0),
            G3(1, 4),
            G4(0.1, 2, -1, 4.0, "fortnet"),
            G5(0.1, 1.7, 1, 5.0, species=("Cu", "Al")),
        ],
        tolerance=1e-9,
    )
    again = SymmetryFunctions.from_json(chosen.to_json())
    assert again == chosen
    assert again.labels == chosen.labels
    atoms = copper_aluminium()
    assert np.array_equal(again.compute(atoms), chosen.compute(atoms))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"type": "G6"}, "type = 'G6'.*G1, G2, G3, G4, G5"),
        ({"type": "G1", "eta": 1}, "wrong parameters of G1"),
        ({}, "type = None"),
    ],
)
def test_json_of_unknown_functions_is_refused(record: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SymmetryFunctions.from_json(json.dumps({"functions": [record]}))
