"""Crystals at other volumes and strains, the networks' energies of them and the figure."""

import numpy as np
import pandas as pd
import pytest
from ase.calculators.emt import EMT
from ase.units import GPa
from scipy.optimize import minimize_scalar

from bpstudy.config.systems import Crystal
from bpstudy.figures.equation_of_state import equation_of_state
from bpstudy.figures.tables import TableError
from bpstudy.potential.calculator import Potential
from bpstudy.potential.equation_of_state import crystals, elastic_constants, with_volumes
from bpstudy.potential.runs import constants_of_networks, energies_at_volumes
from bpstudy.symmetry import G2, SymmetryFunctions
from tests.unit.test_potential import make

CRYSTAL = Crystal(lattice="fcc", element="Cu", lattice_constant_angstrom=3.6, cell="cubic", repeat=(1, 1, 1))
VOLUMES = [0.8, 1.0, 1.25]


@pytest.fixture(scope="module")
def frames():
    return crystals(CRYSTAL, VOLUMES)


@pytest.fixture(scope="module")
def folder(frames, tmp_path_factory):
    """A potential of the crystal at its own volume."""
    folder = tmp_path_factory.mktemp("model")
    trained = []
    for seed in range(6):
        atoms = frames[1].copy()
        atoms.rattle(0.05, seed=seed)
        trained.append(atoms)
    make(folder, [frames[1], *trained], SymmetryFunctions([G2(1.0, rs, 5.0) for rs in (2.0, 3.0)]))
    return folder


@pytest.fixture(scope="module")
def table(frames, folder):
    with pytest.warns(UserWarning, match="lies outside"):
        return energies_at_volumes({0: folder, 1: folder}, frames, VOLUMES)


def test_the_crystals_have_the_volumes(frames):
    assert [atoms.get_volume() for atoms in frames] == pytest.approx([3.6**3 * volume for volume in VOLUMES])
    np.testing.assert_allclose(frames[0].get_scaled_positions(), frames[1].get_scaled_positions())


def test_only_the_volume_trained_at_is_like_the_training(table):
    assert table["outside"].tolist() == 2 * [True, False, True]
    assert table["volume_angstrom3_per_atom"].tolist() == pytest.approx(2 * [3.6**3 / 4 * v for v in VOLUMES])


def test_the_figure_marks_what_is_unlike_the_training(table, frames):
    dft = with_volumes(frames, VOLUMES).assign(energy_ev_per_atom=[-3.0, -3.1, -3.0])
    elastic = pd.DataFrame({"constant": ["C11", "C12", "C44"], "gpa": [170.0, 120.0, 80.0]})
    networks = pd.concat([elastic.assign(seed=seed, gpa=elastic["gpa"] + seed) for seed in (0, 1)])
    ax, constants = equation_of_state(dft, table, elastic, networks).axes
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["outside the training domain"].get_xdata().tolist() == pytest.approx(
        [3.6**3 / 4 * v for v in (0.8, 1.25)]
    )
    assert lines["DFT"].get_ydata().tolist() == pytest.approx([100, 0, 100])
    assert constants.lines[0].get_ydata().tolist() == [170, 120, 80, 171, 121, 81]
    assert constants.lines[1].get_ydata().tolist() == [170, 120, 80]
    assert [label.get_text() for label in constants.get_xticklabels()] == ["C11", "C12", "C44"]
    with pytest.raises(TableError, match="a finite number is needed"):
        equation_of_state(dft.assign(energy_ev_per_atom=np.nan), table, elastic, networks)


def energy_density(crystal, strain):
    """Of EMT, GPa."""
    (atoms,) = crystals(crystal, [1.0])
    volume = atoms.get_volume()
    atoms.set_cell(atoms.cell @ (np.eye(3) + strain), scale_atoms=True)
    atoms.calc = EMT()
    return atoms.get_potential_energy() / volume / GPa


def test_elastic_constants_are_second_derivatives_of_the_energy_where_there_is_no_pressure():
    def at(a):
        return CRYSTAL.model_copy(update={"lattice_constant_angstrom": a})

    relaxed = at(minimize_scalar(lambda a: energy_density(at(a), np.zeros((3, 3))) * a**3, (3.5, 3.7)).x)
    e = 0.005
    stretch, shear = np.zeros((3, 3)), np.zeros((3, 3))
    stretch[0, 0] = e
    shear[1, 2] = shear[2, 1] = e
    both = np.diag([e, e, 0.0])

    def curvature(strain):
        ends = energy_density(relaxed, strain) + energy_density(relaxed, -strain)
        return (ends - 2 * energy_density(relaxed, np.zeros((3, 3)))) / e**2

    c11, c44 = curvature(stretch), curvature(shear) / 4
    c12 = curvature(both) / 2 - c11
    found = elastic_constants(relaxed, EMT(), e).set_index("constant")["gpa"]
    assert found.to_dict() == pytest.approx({"C11": c11, "C12": c12, "C44": c44}, rel=2e-3)
    assert c11 > c12 > c44 > 50


def test_the_constants_of_each_network_are_those_of_its_stress(folder):
    found = constants_of_networks({3: folder, 5: folder}, CRYSTAL, 0.01)
    assert found["seed"].tolist() == [3, 3, 3, 5, 5, 5]
    own = elastic_constants(CRYSTAL, Potential(folder, on_extrapolation="ignore"), 0.01)["gpa"]
    assert found["gpa"].tolist() == pytest.approx(2 * own.tolist())
