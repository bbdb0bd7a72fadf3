"""Columns: ASE, which knows nothing of them, reads the same frames; what is not whole is refused."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read
from ase.io.trajectory import Trajectory
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

from bpstudy.data.columns import ColumnsError, joined, mapped, parse, write_columns
from bpstudy.data.trajectory import StoredFrames, TrajectoryError, snapshot, thermodynamics, write_frames


def dynamics(n_frames, symbols="Cu", precision=np.float64):
    """Frames as a chunk holds them, of a cell that changes its shape."""
    frames = []
    for seed in range(n_frames):
        atoms = bulk("Cu", cubic=True)
        atoms.symbols[:] = symbols
        atoms.set_cell(atoms.cell[:] * (1 + 0.001 * seed), scale_atoms=True)
        atoms.rattle(0.1, seed=seed)
        MaxwellBoltzmannDistribution(atoms, temperature_K=300, rng=np.random.default_rng(seed))
        atoms.calc = EMT()
        atoms.get_forces()
        frame = snapshot(atoms)
        frame.arrays["momenta"] = frame.arrays["momenta"].astype(precision)
        frame.calc.results["free_energy"] -= 0.1
        frames.append(frame)
    return frames


def assert_same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a == b  # positions, numbers, cell, pbc
        np.testing.assert_array_equal(a.get_momenta(), b.get_momenta())
        np.testing.assert_array_equal(a.get_masses(), b.get_masses())
        assert a.get_potential_energy() == b.get_potential_energy()
        assert a.get_potential_energy(force_consistent=True) == b.get_potential_energy(force_consistent=True)
        np.testing.assert_array_equal(a.get_forces(), b.get_forces())


@pytest.fixture(scope="module")
def seven():
    return dynamics(7)


@pytest.fixture
def plain(seven, tmp_path):
    """A trajectory that ASE wrote."""
    write_frames(tmp_path / "plain.traj", seven)
    return tmp_path / "plain.traj"


@pytest.fixture
def stored(plain, tmp_path):
    """The same frames in columns."""
    write_columns(tmp_path / "stored.traj", parse(plain.read_bytes()))
    return tmp_path / "stored.traj"


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_what_ase_wrote_is_read_as_ase_reads_it(tmp_path, precision):
    path = tmp_path / "a.traj"
    write_frames(path, dynamics(3, precision=precision))
    columns = parse(path.read_bytes())
    assert columns.momenta.dtype == precision
    assert_same(columns, read(path, ":"))


def test_ase_reads_columns_as_any_trajectory(plain, stored):
    assert_same(read(stored, ":"), read(plain, ":"))
    assert_same(read(stored, "2:5"), read(plain, "2:5"))
    assert_same(parse(stored.read_bytes()), read(plain, ":"))


def test_frames_are_mapped_one_by_one(plain, stored):
    expected = read(plain, ":")
    assert mapped(plain) is None
    assert_same(mapped(stored)[:], expected)
    assert_same(StoredFrames(stored)[1::2], expected[1::2])
    assert_same([StoredFrames(stored)[-1]], expected[-1:])


def test_what_ase_appends_is_not_lost(stored):
    more = dynamics(2)
    with Trajectory(stored, "a") as trajectory:
        for frame in more:
            trajectory.write(frame)
    assert len(StoredFrames(stored)) == 9
    assert_same(StoredFrames(stored)[7:], more)


def test_the_table_is_that_of_the_frames(plain, stored):
    frames = read(plain, ":")
    table = thermodynamics(parse(plain.read_bytes()), timestep_fs=0.5)
    assert table.equals(thermodynamics(frames, timestep_fs=0.5))
    assert table["kinetic_ev"].tolist() == [frame.get_kinetic_energy() for frame in frames]
    np.testing.assert_allclose(table["temperature_kelvin"], 2 * table["kinetic_ev"] / (9 * units.kB), rtol=1e-14)


def test_parts_are_joined_in_order(plain):
    frames = read(plain, ":")
    columns = parse(plain.read_bytes())
    assert_same(joined([columns, columns]), frames + frames)
    with pytest.raises(ColumnsError, match="other atoms"):
        joined([columns, replace(columns, numbers=columns.numbers + 1)])
    with pytest.raises(ColumnsError, match="no frames"):
        joined([])


@pytest.mark.parametrize("kept", [0, 30, 1000, -10])
def test_a_cut_file_is_refused(plain, kept):
    with pytest.raises(ColumnsError):
        parse(plain.read_bytes()[:kept])


def test_columns_that_were_cut_are_refused(stored):
    stored.write_bytes(stored.read_bytes()[:-5000])
    with pytest.raises(TrajectoryError, match=r"stored\.traj"):
        StoredFrames(stored)


def with_results(atoms, **results):
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([with_results(Atoms("Li"), energy=1.0)], "frame 0 holds"),
        ([*dynamics(1), *dynamics(1, "CuCuCuAl")], "frame 1 holds"),
        ([], "no frames"),
    ],
)
def test_other_frames_are_refused(tmp_path, frames, said):
    write_frames(tmp_path / "other.traj", frames)
    with pytest.raises(ColumnsError, match=said):
        parse((tmp_path / "other.traj").read_bytes())


def test_values_that_are_not_finite_are_refused(tmp_path):
    frames = dynamics(3)
    frames[2].calc.results["forces"][1, 1] = np.nan
    write_frames(tmp_path / "nan.traj", frames)
    with pytest.raises(ColumnsError, match="frame 2: forces are not finite"):
        parse((tmp_path / "nan.traj").read_bytes())
