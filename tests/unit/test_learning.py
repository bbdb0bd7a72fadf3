"""Learning curves: the frames of each point, and that more of them teach more, on copper with EMT."""

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from bpstudy.config.analysis import LearningCurves
from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.config.functions import Block
from bpstudy.descriptors import compute_block
from bpstudy.figures.learning import learning
from bpstudy.files import write_table
from bpstudy.fitting import read_set
from bpstudy.learning import learning_curves, points, spread
from bpstudy.trajectory import snapshot, thermodynamics

BLOCK = Block(type="G2", count=4, cutoff_angstrom=5.0, grid="fortnet")
SETTINGS = LearningCurves.model_validate(
    {
        "experiment": "try",
        "optimizer": "lm",
        "frames": "run",
        "held_out": "other",
        "counts": [5, 40],
        "shares": [0.25, 1.0],
        "count_of_shares": 5,
    }
)


def test_each_point_is_trained_once():
    assert points(SETTINGS) == [(1.0, 5), (1.0, 40), (0.25, 5)]


def test_frames_are_spread_from_the_first_to_the_last():
    assert spread(41, 1.0, 5).tolist() == [0, 10, 20, 30, 40]
    assert spread(40, 0.25, 10).tolist() == list(range(10))
    with pytest.raises(ValueError, match=r"11 frames are asked of 10, the first 0\.25 of 40"):
        spread(40, 0.25, 11)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    frames = []
    for seed in range(60):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(snapshot(atoms))
    write_table(folder / "thermo.csv", thermodynamics(frames, 1.0))
    sets = []
    for name, chosen in (("run", range(40)), ("other", range(40, 60))):
        compute_block(folder / f"{name}.npy", BLOCK, frames, chosen, tolerance=1e-12, threads=1)
        sets.append(read_set([str(folder / f"{name}.npy")], str(folder / "thermo.csv"), "potential"))
    experiment = Experiment.model_validate(
        {"frames": "run", "functions": [BLOCK.model_dump()], "hidden": [3], "optimizer": "lm", "threads": 1}
    )
    optimizer = Optimizer(
        name="levenberg-marquardt",
        max_iterations=20,
        target_mse_ev2=0.0,
        patience=10,
        min_progress=1e-3,
        weight_decay=1e-6,
    )
    return learning_curves(*sets, experiment, optimizer, SETTINGS, seeds=(0, 1))


def test_more_frames_teach_more(table):
    networks = table[(table["model"] == "network") & (table["share"] == 1)]
    error = networks.groupby("frames")["rmse_mev_per_atom"].median()
    assert error[40] < 0.5 * error[5]


def test_the_table_holds_every_model_at_every_point(table):
    assert len(table) == 3 * (2 + 2)
    assert table.groupby("model").size().to_dict() == {"mean": 3, "network": 6, "ridge": 3}
    assert table["seed"].isna().sum() == 6
    means = table[table["model"] == "mean"]
    assert (means["rmse_over_sd"] >= 1).all()
    assert table["duration_fs"].unique().tolist() == [39.0, 39.0 / 4]


def test_the_figure_shows_the_points(table):
    left, right = learning(table, 5).axes
    assert left.get_lines()[0].get_xdata().tolist() == [5, 40]
    assert np.allclose(right.get_lines()[0].get_xdata(), [0.039 / 4, 0.039])
    assert "meV per atom" in left.get_ylabel()


def test_a_table_without_its_columns_is_refused():
    with pytest.raises(ValueError, match="learning curves"):
        learning(pd.DataFrame({"frames": [1]}), 5)
