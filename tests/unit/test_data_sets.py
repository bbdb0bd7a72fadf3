"""Data sets: names, splits, copies; nothing is called held out that was trained on; a look, and a configuration."""

import copy
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snakemake.utils import update_config
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.config.base import ConfigError
from bpstudy.config.datasets import Imported, Split
from bpstudy.config.experiments import Frames
from bpstudy.data.choose import chosen
from bpstudy.data.copies import copies, fingerprint
from bpstudy.data.dataset import DataSet
from bpstudy.data.errors import TrajectoryError
from bpstudy.data.inspection import inspect
from bpstudy.data.look import atomic_energies
from bpstudy.data.prepare import prepare

ROOT = Path(__file__).parents[2]


def made(seed, forces=True, **info):
    atoms = bulk("Al", cubic=True)
    rng = np.random.default_rng(seed)
    atoms.rattle(0.1, rng=rng)
    results = {"forces": rng.normal(size=(4, 3))} if forces else {}
    atoms.calc = SinglePointCalculator(atoms, energy=float(-12 + rng.normal() / 10), **results)
    atoms.info |= info
    return atoms


def bare(seed, **info):
    atoms = made(seed, **info)
    atoms.calc = None
    return atoms


def read(folder, *names, **declared):
    return list(DataSet(Imported(files=names, **declared), folder))


NAMES = st.sampled_from(["energy", "free_energy", "REF_energy", "dft_energy", "energy_dft", "Energy", "mine"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.floats(-100, 100), max_size=3), st.none() | NAMES)
def test_an_energy_is_the_named_one_the_only_one_or_an_error(tmp_path, held, asked):
    """The oracle: a table of what each set of names means."""
    atoms = bare(0, **held)
    write(tmp_path / "a.extxyz", atoms)
    known = [name for name in held if name != "mine"]
    known = [name for name in known if name != "free_energy"] if len(known) > 1 else known
    wanted = asked if asked in held else known[0] if asked is None and len(known) == 1 else None
    if wanted is None:
        with pytest.raises(TrajectoryError, match=r"a\.extxyz, frame 0: .*energy") as error:
            read(tmp_path, "a.extxyz", energy=asked)
        assert all(name in str(error.value) for name in ([] if asked is None and len(known) > 1 else held))
    else:
        (frame,) = read(tmp_path, "a.extxyz", energy=asked)
        assert frame.calc.results["energy"] == pytest.approx(held[wanted], abs=1e-6)


@pytest.mark.parametrize(
    ("frames", "declared", "said"),
    [
        ([made(0), bare(1)], {}, "frame 1: has no energy"),
        ([made(0), made(1, forces=False)], {}, "frame 1: forces under the name None.*forces: none"),
        ([made(0, forces=False), made(1)], {}, "frame 1: forces under the name forces"),
        ([made(0)], {"forces": "REF_forces"}, "frame 0: forces = 'REF_forces' is not there; it has .*forces"),
        ([made(0)], {"energy": "REF_energy"}, "frame 0: energy = 'REF_energy' is not there; it has energy"),
        ([bare(0, energy=np.nan)], {}, "frame 0: energy is nan"),
        ([bare(0, energy="low")], {}, "frame 0: has no energy"),
        ([made(0)], {"split": {"by": "config_type"}}, "split.by = 'config_type' is not there; it has energy"),
    ],
)
def test_what_a_frame_lacks_is_named(tmp_path, frames, declared, said):
    write(tmp_path / "a.extxyz", frames)
    with pytest.raises(TrajectoryError, match=said):
        read(tmp_path, "a.extxyz", **declared)


def test_one_open_frame_among_periodic_ones_is_found(tmp_path):
    frames = [made(seed) for seed in range(5)]
    frames[3].pbc = False
    write(tmp_path / "a.extxyz", frames)
    with pytest.raises(TrajectoryError, match="frame 3: periodic axes FFF, those of the first frame TTT"):
        read(tmp_path, "a.extxyz")
    assert len(read(tmp_path, "a.extxyz", mixed_periodicity=True)) == 5


def test_a_trajectory_keeps_the_order_of_its_atoms(tmp_path):
    alloy = made(0)
    alloy.symbols[0] = "Cu"
    shuffled = alloy[[1, 0, 2, 3]]
    shuffled.calc = SinglePointCalculator(shuffled, energy=1.0, forces=np.zeros((4, 3)))
    write(tmp_path / "a.extxyz", [alloy, shuffled])
    with pytest.raises(TrajectoryError, match="frame 1: its atoms are in another order"):
        list(DataSet(Imported(trajectory="a.extxyz"), tmp_path))
    assert len(read(tmp_path, "a.extxyz")) == 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(-2, 2), st.floats(0, 1))
def test_copies_are_found_whatever_their_order_and_wrapping(seed, shift, noise):
    rng = np.random.default_rng(seed)
    atoms = made(seed)
    copied = atoms[rng.permutation(4)]
    copied.positions[0] += shift * atoms.cell[1]
    copied.positions += noise * 1e-5 * rng.normal(size=(4, 3))
    other = atoms.copy()
    other.positions[2] += [0.1, 0.06, -0.16]  # along no axis: a move to the near mirror image would be a copy
    marks = np.array([fingerprint(frame) for frame in (other, atoms, copied)])
    assert copies(["Al4 TTT"] * 3, marks, [4, 4, 4]).tolist() == [0, 1, 1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=3, max_size=20), st.integers(0, 5))
def test_a_split_keeps_groups_together_and_has_every_part(sizes, seed):
    from bpstudy.data.parts import parts_of

    groups = [f"g{n}" for n, size in enumerate(sizes) for _ in range(size)]
    import pandas as pd

    table = pd.DataFrame({"group": groups, "file": "a", "frame": range(len(groups))})
    parts = parts_of(table, range(len(groups)), Split(by="config_type", validation=0.1, test=0.2, seed=seed))
    assert set(parts) == {"train", "validation", "test"}
    assert pd.Series(parts).groupby(groups).nunique().eq(1).all()


def test_groups_with_copies_of_each_other_stay_together():
    import pandas as pd

    from bpstudy.data.parts import parts_of

    table = pd.DataFrame({"group": list("abcdef"), "file": "a", "frame": range(6)})
    for seed in range(5):
        parts = parts_of(table, [0, 1, 2, 3, 0, 1], Split(by="key", validation=0.2, test=0.2, seed=seed))
        assert (parts[0], parts[1]) == (parts[4], parts[5])


def test_blocks_leave_a_gap(tmp_path):
    write(tmp_path / "a.extxyz", [made(seed) for seed in range(20)])
    of = inspect(
        Imported(files=["a.extxyz"], split={"by": "blocks", "validation": 0.2, "test": 0.2, "gap_frames": 2}), tmp_path
    )
    assert of.parts == ["train"] * 8 + [""] * 2 + ["validation"] * 4 + [""] * 2 + ["test"] * 4
    assert chosen(Frames(system="a", part="train", count=3), 20, of.parts) == [0, 4, 7]
    assert chosen(Frames(system="a", part="test", share=0.5), 20, of.parts) == [16, 19]


def test_too_few_groups_are_an_error(tmp_path):
    write(tmp_path / "a.extxyz", [made(seed, kind="ab"[seed % 2]) for seed in range(20)])
    with pytest.raises(TrajectoryError, match="2 groups for 3 parts"):
        _ = inspect(Imported(files=["a.extxyz"], split={"by": "kind"}), tmp_path).parts


def test_energies_of_atoms_by_least_squares():
    energies, left = atomic_energies(["Al4", "AlCu", "Cu2"], np.array([-12.0, -7.0, -8.0]))
    assert energies == pytest.approx({"Al": -3.0, "Cu": -4.0})
    assert left == pytest.approx([0, 0, 0])


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with 60 frames and the configuration that `bpstudy new` writes for them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    write(tmp_path / "al.extxyz", [made(seed) for seed in range(60)])
    result = bpstudy("new", "al.extxyz")
    assert result.exit_code == 0, result.output
    return yaml.safe_load((tmp_path / "mine.yaml").read_text())


def bpstudy(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def prepared(overlay):
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    update_config(values, copy.deepcopy(overlay))
    return prepare(values)


def test_a_new_configuration_is_valid_and_leaves_out_what_cannot_be_asked(mine):
    of = prepared(mine)
    assert list(of.study.used_systems) == ["mine"]
    assert of.study.with_forces.runs is None
    assert any("no momenta" in line for line in of.left_out)
    assert any("no times" in line for line in of.left_out)
    assert len((Path("mine.yaml")).read_text().splitlines()) <= 25
    assert bpstudy("config", "check", "config.yaml", "mine.yaml").exit_code == 0
    assert bpstudy("new", "al.extxyz").exit_code == 1  # it is there already


def test_strained_cells_of_another_element_are_left_out(mine):
    assert mine["systems"]["li-strained"] is None
    del mine["systems"]["li-strained"]  # as in an overlay that was written by hand
    of = prepared(mine)
    assert list(of.study.used_systems) == ["mine"]
    assert of.study.properties is None
    assert any(line.startswith("li-strained: strained cells of Li, which the data do not hold") for line in of.left_out)


def test_a_test_file_that_shares_frames_with_training_is_found(mine):
    write("test.extxyz", [made(seed) for seed in (100, 101, 3, *range(102, 112))])
    result = bpstudy("new", "al.extxyz", "--test", "test.extxyz", "-o", "other.yaml")
    assert result.exit_code == 1
    assert "test.extxyz, frame 2 is a copy of al.extxyz, frame 3, which is trained on" in result.output


def test_frames_trained_on_are_not_held_out(mine):
    mine["frames"]["independent"] = {"system": "mine", "part": "all"}
    with pytest.raises(ConfigError, match=r"held_out.*independent.*trained on or validated on too"):
        prepared(mine)


def test_numbers_of_frames_of_an_own_trajectory_are_checked_too(mine):
    mine["systems"]["mine"] = {"trajectory": "al.extxyz"}
    mine["frames"] = {
        name: {"system": "mine", "part": None, "start": 0, "stride": 1, "count": 16}
        for name, choice in mine["frames"].items()
        if choice
    } | {"later": None}
    with pytest.raises(ConfigError, match=r"trained on or validated on too"):
        prepared(
            mine | {"learning_curves": {"counts": [8], "shares": [1.0], "count_of_shares": 8}, "with_forces": None}
        )


def test_data_without_forces_need_no_more_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    write("al.extxyz", [made(seed, forces=False) for seed in range(42)])
    assert bpstudy("new", "al.extxyz").exit_code == 0
    assert prepared(yaml.safe_load(Path("mine.yaml").read_text())).study.with_forces is None


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "offset",
            lambda atoms: {"energy": atoms.calc.results["energy"] + 8},
            "eV/atom off those of the other files",
        ),
        (
            "forces",
            lambda atoms: {"forces": atoms.calc.results["forces"] * 1000},
            "times those of the others; their unit?",
        ),
    ],
)
def test_the_look_finds_what_spoils_a_fit(tmp_path, name, change, said):
    write(tmp_path / "a.extxyz", [made(seed) for seed in range(10)])
    others = [made(seed) for seed in range(10, 20)]
    for atoms in others:
        atoms.calc = SinglePointCalculator(atoms, **(atoms.calc.results | change(atoms)))
    write(tmp_path / "b.extxyz", others)
    clean = bpstudy("data", tmp_path / "a.extxyz", "--html", tmp_path / "a.html")
    assert clean.exit_code == 0, clean.output
    assert "<img" in (tmp_path / "a.html").read_text()
    result = bpstudy("data", tmp_path / "a.extxyz", tmp_path / "b.extxyz")
    assert result.exit_code == 1
    assert said in result.output


def test_the_look_names_copies_touching_atoms_and_lone_frames(tmp_path):
    frames = [made(seed) for seed in range(8)] + [made(2)]
    frames[4].positions[1] = frames[4].positions[0] + 0.3
    lone = Atoms("Al", cell=[30, 30, 30], pbc=True)
    lone.calc = SinglePointCalculator(lone, energy=-3.0, forces=np.zeros((1, 3)))
    write(tmp_path / "a.extxyz", [*frames, lone])
    result = bpstudy("data", tmp_path / "a.extxyz")
    assert result.exit_code == 1
    for said in (
        "copies of earlier ones",
        "frame 8",
        "closer than half a bond",
        "frame 4",
        "without neighbours",
        "frame 9",
    ):
        assert said in result.output


def test_sets_of_one_experiment_have_the_functions_of_all_their_elements(mine):
    alloy = made(200)
    alloy.symbols[0] = "Cu"
    write("alloy.extxyz", [made(seed) for seed in range(300, 340)] + [alloy] * 1)
    mine["systems"]["mine"]["files"] = ["alloy.extxyz", "al.extxyz"]
    mine["systems"]["mine"]["split"] = {"by": "blocks", "validation": 0.1, "test": 0.2}
    with pytest.raises(ConfigError, match="have Cu, those trained on not"):
        prepared(mine)
    write("alloy.extxyz", [alloy] + [made(seed) for seed in range(300, 340)])
    of = prepared(mine)
    assert of.elements["mine"] == ["Al", "Cu"]


def test_a_file_name_that_the_workflow_cannot_use_is_refused(mine):
    Path("al.extxyz").rename("run{1}.extxyz")
    mine["systems"]["mine"]["files"] = ["run{1}.extxyz"]
    with pytest.raises(ConfigError, match=r"systems\.mine: 'run\{1\}\.extxyz': .* braces .* rename the file"):
        prepared(mine)


def test_given_atomic_energies_cover_every_element(mine):
    mine["systems"]["mine"]["atomic_energies_ev"] = {"Al": -0.1}
    assert prepared(mine).study.systems["mine"].atomic_energies_ev == {"Al": -0.1}
    mine["systems"]["mine"]["atomic_energies_ev"] = {"Cu": -0.1}
    with pytest.raises(ConfigError, match="atomic_energies_ev: none for Al; name each element"):
        prepared(mine)
    mine["systems"]["mine"]["atomic_energies_ev"] = {"Aluminium": -0.1}
    with pytest.raises(ConfigError, match=r"atomic_energies_ev.*not a chemical symbol: Aluminium"):
        prepared(mine)


def test_comparisons_of_the_same_fit_are_left_out(mine):
    of = prepared(mine)
    assert "consecutive-or-strided" not in of.study.comparisons.groups
    assert not {"consecutive-372", "strided-372"} & set(of.study.experiments)
    assert sum("consecutive-372, strided-372 are the same fit" in line for line in of.left_out) == 1
    mine["frames"]["strided"]["count"] = 20  # other frames: another fit
    assert "strided-372" in prepared(mine).study.experiments


def test_trainings_suit_the_size_of_the_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    write("many.extxyz", _large(120))
    assert bpstudy("new", "many.extxyz").exit_code == 0
    study = prepared(yaml.safe_load(Path("mine.yaml").read_text())).study
    assert study.frames["first"].count * 256 <= 20_000
    assert study.optimizers["lbfgs"].max_iterations == 1000


def _large(count):
    """Frames of 256 atoms."""
    frames = []
    for seed in range(count):
        atoms = made(seed, forces=False)
        large = atoms * (4, 4, 4)
        large.rattle(0.05, seed=seed)
        large.calc = SinglePointCalculator(large, energy=64 * atoms.get_potential_energy())
        frames.append(large)
    return frames
