"""Trajectories: written and read without loss; what cannot be used is named by file and frame."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from bpstudy.data.trajectory import (
    StoredFrames,
    TrajectoryError,
    join,
    read_frames,
    snapshot,
    thermodynamics,
    write_frames,
)


def moving(seed):
    atoms = bulk("Cu", cubic=True)
    rng = np.random.default_rng(seed)
    atoms.rattle(0.05, rng=rng)
    atoms.set_momenta(rng.normal(size=(4, 3)))
    atoms.calc = EMT()
    atoms.get_forces()
    return snapshot(atoms)


def test_threads_share_a_file(tmp_path):
    frames = [moving(seed) for seed in range(20)]
    write(tmp_path / "a.traj", frames)  # by ASE, without columns
    stored, numbers = StoredFrames(tmp_path / "a.traj"), [k % 20 for k in range(400)]
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(stored.__getitem__, numbers))
    for number, frame in zip(numbers, read, strict=True):
        np.testing.assert_array_equal(frame.positions, frames[number].positions)


def with_energy(atoms, energy):
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    return atoms


def test_frames_come_back_to_the_bit(tmp_path):
    frames = [moving(seed) for seed in range(3)]
    write_frames(tmp_path / "a.traj", frames)
    for old, new in zip(frames, read_frames(tmp_path / "a.traj"), strict=True):
        assert np.array_equal(old.positions, new.positions)
        assert np.array_equal(old.get_momenta(), new.get_momenta())
        assert np.array_equal(old.get_forces(), new.get_forces())
        assert old.get_potential_energy() == new.get_potential_energy()
        assert old.get_potential_energy(force_consistent=True) == new.get_potential_energy(force_consistent=True)


def test_consecutive_files_make_one_trajectory(tmp_path):
    frames = [moving(seed) for seed in range(5)]
    write_frames(tmp_path / "0.traj", frames[:2])
    write_frames(tmp_path / "1.traj", frames[2:])
    joined = join([tmp_path / "0.traj", tmp_path / "1.traj"])
    assert [frame.get_potential_energy() for frame in joined] == [frame.get_potential_energy() for frame in frames]


def test_the_table_of_thermodynamics_holds_the_definitions():
    frame = moving(0)
    frame.set_momenta(frame.get_momenta() - frame.get_momenta().mean(axis=0))
    row = thermodynamics([frame, frame], timestep_fs=0.5).iloc[1]
    kinetic = (frame.get_momenta() ** 2).sum() / (2 * frame.get_masses()[0])
    assert row["kinetic_ev"] == pytest.approx(kinetic)
    assert row["temperature_kelvin"] == pytest.approx(2 * kinetic / (9 * units.kB))
    assert row["total_ev"] == row["potential_ev"] + row["kinetic_ev"]
    assert (row["step"], row["time_fs"]) == (1, 0.5)


def test_what_a_users_trajectory_lacks_stays_empty(tmp_path):
    write(tmp_path / "mine.xyz", [with_energy(Atoms("Li2", [[0, 0, 0], [0, 0, 3]]), -1.0)])
    table = thermodynamics(read_frames(tmp_path / "mine.xyz"))
    assert table.loc[0, "potential_ev"] == -1.0
    assert table[["time_fs", "free_ev", "kinetic_ev", "temperature_kelvin"]].isna().all(axis=None)


READERS = pytest.mark.parametrize(
    "reader", [read_frames, lambda path: StoredFrames(path, same_atoms=True)[:]], ids=["all", "each"]
)


@READERS
@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([Atoms("Li")], "frame 0: has no energy"),
        ([with_energy(Atoms("Li"), 1.0), with_energy(Atoms("Na"), 1.0)], "frame 1: other atoms"),
        ([with_energy(Atoms("Li"), 1.0), with_energy(Atoms("Li"), np.nan)], "frame 1: energy is nan"),
        ([with_energy(Atoms("Li", [[np.inf, 0, 0]]), 1.0)], "frame 0: positions"),
    ],
)
def test_an_unusable_frame_is_named(tmp_path, frames, said, reader):
    write_frames(tmp_path / "bad.traj", frames)
    with pytest.raises(TrajectoryError, match=said) as error:
        reader(tmp_path / "bad.traj")
    assert "bad.traj" in str(error.value)


@READERS
def test_a_missing_file_is_named(tmp_path, reader):
    with pytest.raises(TrajectoryError, match=r"none\.traj: no such trajectory"):
        reader(tmp_path / "none.traj")


@READERS
def test_a_truncated_file_is_named(tmp_path, reader):
    path = tmp_path / "cut.traj"
    write_frames(path, [moving(0), moving(1)])
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(TrajectoryError, match=r"cut\.traj"):
        reader(path)


def test_frames_read_one_by_one(tmp_path):
    path = tmp_path / "a.traj"
    write_frames(path, [moving(n) for n in range(5)])
    frames, expected = StoredFrames(path), read_frames(path)
    assert len(frames) == 5
    for number in (3, 0, -1):
        assert frames[number].get_potential_energy() == expected[number].get_potential_energy()
        np.testing.assert_array_equal(frames[number].get_forces(), expected[number].get_forces())
    assert [frame.get_potential_energy() for frame in frames[1::2]] == [
        frame.get_potential_energy() for frame in expected[1::2]
    ]
    with pytest.raises(IndexError):
        frames[5]


def test_an_empty_file_is_named(tmp_path):
    write_frames(tmp_path / "empty.traj", [])
    with pytest.raises(TrajectoryError, match=r"empty\.traj"):
        StoredFrames(tmp_path / "empty.traj")
