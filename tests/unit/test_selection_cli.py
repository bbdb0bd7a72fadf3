"""`bpstudy choose` and `bpstudy functions`: what they write, what they say, no traceback for a mistake."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase.io import read, write
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.selection.linear import linear_errors
from bpstudy.selection.methods import choose
from bpstudy.selection.reading import blocks, groups, held_out, read_data
from bpstudy.selection.setting import prepare
from bpstudy.symmetry import SymmetryFunctions, from_n2p2
from tests.unit.selection_data import crystals

GERMANIUM = Path(os.environ.get("BPSTUDY_DATASETS", Path(__file__).parents[3] / "shared/datasets")) / "mlearn"
CHOICE = (
    "--budget",
    "3",
    "--method",
    "forward",
    "--method",
    "random",
    "--seeds",
    "0",
    "--cutoff",
    "3.6",
    "--no-potential",
)


def bpstudy(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    file = tmp_path_factory.mktemp("data") / "copper.xyz"
    write(file, crystals(24))
    return file


@pytest.fixture(scope="module")
def folder(data):
    folder = data.parent / "chosen"
    result = bpstudy("choose", data, *CHOICE, "--without", "G3", "--output", folder)
    assert result.exit_code == 0, result.output
    assert "random sets of that size" in result.output
    return folder


def test_files_are_read_back(folder):
    best = SymmetryFunctions.from_json((folder / "functions.json").read_text())
    assert len(best) == 3
    frame = crystals(2)[1]
    for name, unit in (("recommended.nn", 1.0), ("recommended-bohr.nn", None)):
        read = from_n2p2((folder / name).read_text(), *([unit] if unit else []))["Cu"]
        np.testing.assert_allclose(read.compute(frame), best.compute(frame), rtol=1e-9)
    data = json.loads((folder / "recommended.json").read_text())
    assert data["overall"]["budget"] == 3
    assert pd.read_csv(folder / "pool.csv")["recommended"].sum() == 3
    table = pd.read_csv(folder / "comparison.csv").set_index("method")
    assert table.loc["forward", "score"] < table.loc["random", "score"]


def test_the_same_choice_to_the_bit(data, folder):
    again = data.parent / "again"
    bpstudy("choose", data, *CHOICE, "--without", "G3", "--output", again)
    for file in folder.iterdir():
        assert (again / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget", "3", "--method", "best"), "method: 'best'"),
        (("--budget", "5000", "--method", "forward"), "budget: 5000"),
        (("--without", "G6"), "without: 'G6'; allowed are G1"),
        (("--cutoff", "1.2"), "dead at the cutoff"),
        (("--without", "G1", "--without", "G2", "--without", "G3", "--without", "G4", "--without", "G5"), "types"),
    ],
)
def test_mistakes_are_one_clear_error(data, tmp_path, options, said):
    result = bpstudy("choose", data, "--seeds", "0", "--no-potential", *options, "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_data_that_cannot_be_used(tmp_path):
    (tmp_path / "no.xyz").write_text("nonsense\n")
    result = bpstudy("choose", tmp_path / "no.xyz")
    assert result.exit_code == 1
    assert "no.xyz" in result.output
    write(tmp_path / "one.xyz", crystals(1))
    assert "too few" in bpstudy("choose", tmp_path / "one.xyz").output


def test_without_forces_it_chooses_by_energies_and_says_so(tmp_path):
    write(tmp_path / "bare.xyz", crystals(24, forces=False))
    result = bpstudy("choose", tmp_path / "bare.xyz", *CHOICE, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "no forces in the data" in result.output


def test_test_frames_that_are_copies_of_training_frames_do_not_decide(data, tmp_path):
    write(tmp_path / "test.xyz", [*crystals(2), *crystals(6, seed=1)])
    result = bpstudy("choose", data, "--test", tmp_path / "test.xyz", *CHOICE, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "2 of 8 frames, copies of training frames; first frame 0 of" in result.output
    assert "24 training frames, 6 that decide" in result.output
    result = bpstudy("choose", data, "--test", data, *CHOICE, "--output", tmp_path / "none")
    assert result.exit_code == 1
    assert "at least two are needed" in result.output


def test_the_same_energy_everywhere_cannot_go_with_forces(tmp_path):
    frames = crystals(24)
    for frame in frames:
        frame.calc.results["energy"] = -3.5 * len(frame)
    write(tmp_path / "flat.xyz", frames)
    result = bpstudy("choose", tmp_path / "flat.xyz", *CHOICE, "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert "the same energy an atom, -3.5 eV" in result.output


def test_equal_energies_of_one_composition_hold_nothing_to_choose_by(tmp_path):
    frames = crystals(24, forces=False)
    for frame in frames:
        frame.calc.results["energy"] = -3.5 * len(frame)
    write(tmp_path / "flat.xyz", frames)
    result = bpstudy("choose", tmp_path / "flat.xyz", *CHOICE, "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert "nothing beyond the composition" in result.output
    assert "Traceback" not in result.output


@pytest.mark.slow
@pytest.mark.skipif(not GERMANIUM.is_dir(), reason="no mlearn data sets; BPSTUDY_DATASETS names their folder")
def test_germanium_is_chosen_better_than_at_random_and_to_the_bit(tmp_path):
    parts = {}
    for part, count in (("training", 40), ("test", 24)):
        frames = read(GERMANIUM / f"Ge_{part}.xyz.xz", ":")
        parts[part] = tmp_path / f"{part}.xyz"
        write(parts[part], frames[:: max(1, len(frames) // count)])
    options = ("--test", parts["test"], "--budget", "8", "--method", "forward", "--seeds", "0", "--no-potential")
    for folder in ("first", "second"):
        result = bpstudy("choose", parts["training"], *options, "--output", tmp_path / folder)
        assert result.exit_code == 0, result.output
    for file in (tmp_path / "first").iterdir():
        assert (tmp_path / "second" / file.name).read_bytes() == file.read_bytes()
    train, test = (read_data([file]) for file in parts.values())
    folds = blocks(groups(train), 5)
    setting = prepare(train, folds)
    chosen = SymmetryFunctions.from_json((tmp_path / "first/functions.json").read_text())
    sets = [chosen, *(choose("random", setting.problem, 8, seed) for seed in range(10))]
    errors = [linear_errors(functions, train, folds, test, setting.problem.tolerances) for functions in sets]
    for kind in (0, 1):  # energies, forces
        rms = [float(np.sqrt((error[kind] ** 2).mean())) for error in errors]
        assert rms[0] < np.median(rms[1:])


def test_a_strangers_set(data, tmp_path):
    (tmp_path / "input.nn").write_text(
        "symfunction_short Cu 2 Cu 0.1 0.0 9.0\n"
        "symfunction_short Cu 2 Cu 0.1001 0.0 9.0\n"
        "symfunction_short Cu 3 Cu Cu 5.0 1 1.0 9.0\n"
    )
    result = bpstudy("functions", tmp_path / "input.nn", "--data", data, "--csv", tmp_path / "table.csv")
    assert result.exit_code == 0
    assert "1 dead: G4" in result.output
    assert "2 may go" in result.output
    assert pd.read_csv(tmp_path / "table.csv")["drop"].sum() == 2
    assert "no data" in bpstudy("functions", tmp_path / "input.nn").output
    (tmp_path / "bad.nn").write_text("symfunction_short Cu 7 Cu 1 1 1\n")
    result = bpstudy("functions", tmp_path / "bad.nn")
    assert (result.exit_code, "line 1" in result.output) == (1, True)


@pytest.mark.slow
def test_the_potential_runs_and_repeats(data, tmp_path):
    from bpstudy.potential.calculator import Potential

    options = ("--budget", "4", "--method", "forward", "--seeds", "1", "--cutoff", "3.6")
    result = bpstudy("choose", data, *options, "--output", tmp_path)
    assert result.exit_code == 0, result.output
    frame = crystals(2)[1]
    known = frame.get_forces()
    frame.calc = Potential(tmp_path / "potential", on_extrapolation="ignore")
    assert np.abs(frame.get_forces() - known).mean() < 0.5 * np.abs(known).mean()


def test_groups_and_folds(tmp_path):
    frames = crystals(24)
    for k, frame in enumerate(frames):
        frame.info["description"] = f"Snapshot {k} of 24 of AIMD at {300 if k < 20 else 600} K"
    write(tmp_path / "frames.xyz", frames)
    frames = read_data([tmp_path / "frames.xyz"])
    labels = groups(frames)
    assert len(set(labels)) == 2
    folds = blocks(labels, 5)
    assert [np.ptp(np.flatnonzero(folds[:20] == k)) for k in range(5)] == [3] * 5
    out = held_out(frames)
    assert out[:20].sum() == 3
    assert out[20:].sum() == 1
