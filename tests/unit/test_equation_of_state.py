"""Crystals at other volumes, the networks' energies of them and the figure."""

import numpy as np
import pytest

from bpstudy.config.systems import Crystal
from bpstudy.equation_of_state import crystals, with_volumes
from bpstudy.figures.equation_of_state import equation_of_state
from bpstudy.figures.tables import TableError
from bpstudy.potential_runs import energies_at_volumes
from bpstudy.symmetry import G2, SymmetryFunctions
from tests.unit.test_potential import make

CRYSTAL = Crystal(lattice="fcc", element="Cu", lattice_constant_angstrom=3.6, cell="cubic", repeat=(1, 1, 1))
VOLUMES = [0.8, 1.0, 1.25]


@pytest.fixture(scope="module")
def frames():
    return crystals(CRYSTAL, VOLUMES)


@pytest.fixture(scope="module")
def table(frames, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    trained = []
    for seed in range(6):
        atoms = frames[1].copy()
        atoms.rattle(0.05, seed=seed)
        trained.append(atoms)
    make(folder, [frames[1], *trained], SymmetryFunctions([G2(1.0, rs, 5.0) for rs in (2.0, 3.0)]))
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
    (ax,) = equation_of_state(dft, table).axes
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["unlike all training"].get_xdata().tolist() == pytest.approx([3.6**3 / 4 * v for v in (0.8, 1.25)])
    assert lines["DFT"].get_ydata().tolist() == pytest.approx([100, 0, 100])
    with pytest.raises(TableError, match="a finite number is needed"):
        equation_of_state(dft.assign(energy_ev_per_atom=np.nan), table)
