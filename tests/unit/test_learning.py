"""Learning curves: the frames of each point, and that more of them teach more, on copper with EMT."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from bpstudy.config.analysis import FITS, LearningCurves
from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.config.functions import Block
from bpstudy.data.trajectory import snapshot, thermodynamics
from bpstudy.descriptors.blocks import compute_blocks
from bpstudy.descriptors.gradients import force_set, read_functions
from bpstudy.figures.force_curves import force_curves
from bpstudy.figures.learning import learning
from bpstudy.files import write_table
from bpstudy.training.learning import learning_curves, points, spread
from bpstudy.training.sets import read_set

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
def sets(tmp_path_factory):
    """40 frames of a run and 20 others, with the forces of all."""
    folder = tmp_path_factory.mktemp("data")
    frames = []
    for seed in range(60):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(snapshot(atoms))
    write_table(folder / "thermo.csv", thermodynamics(frames, 1.0))
    found = []
    for name, chosen in (("run", range(40)), ("other", range(40, 60))):
        block = folder / f"{name}.npy"
        compute_blocks({block: BLOCK}, frames, chosen, tolerance=1e-12, threads=1)
        known = read_set([str(block)], str(folder / "thermo.csv"), "potential")
        found.append(replace(known, forces=force_set(read_functions([block]), frames, known.features)))
    return found


def curves(sets, points, forces=None):
    settings = {"frames": "run", "functions": [BLOCK.model_dump()], "hidden": [3], "optimizer": "lm", "threads": 1}
    experiment = Experiment.model_validate(settings | {"forces": forces, "energy": "free"})
    optimizer = Optimizer(
        name="levenberg-marquardt",
        max_iterations=20,
        target_mse_ev2=0.0,
        patience=10,
        min_progress=1e-3,
        weight_decay=1e-6,
    )
    return learning_curves(*sets, experiment, optimizer, points, seeds=(0, 1))


@pytest.fixture(scope="module")
def table(sets):
    return curves([replace(of, forces=None) for of in sets], points(SETTINGS))


@pytest.fixture(scope="module")
def force_table(sets):
    """Energies alone and with forces, of 5 and of 40 frames."""
    tables = [
        curves(sets, [(1.0, 5), (1.0, 40)], {"weight": weight, "frames": 40, "components": None, "tested": 20})
        for weight in (0.0, 1.0)
    ]
    return pd.concat([table.assign(fit=fit) for fit, table in zip(FITS, tables, strict=True)])


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


def test_forces_in_the_fit_teach_more_than_the_energies_of_few_frames(force_table):
    few = force_table[(force_table["frames"] == 5) & (force_table["model"] == "network")]
    error = few.groupby("fit")[["rmse_mev_per_atom", "force_rmse_mev_per_angstrom"]].median()
    assert (error.loc[FITS[1]] < 0.5 * error.loc[FITS[0]]).all()


def test_the_mean_energy_has_no_forces(force_table, sets):
    rms = 1000 * np.sqrt((sets[1].forces.forces_ev_per_angstrom ** 2).mean())
    means = force_table[force_table["model"] == "mean"]
    assert means["force_rmse_mev_per_angstrom"].to_numpy() == pytest.approx(rms)


def test_the_figure_shows_both_fits(force_table):
    goals = (0.1, 5.0)
    panels = force_curves(force_table, goals).axes
    for ax, goal, column in zip(panels, goals, ("rmse_mev_per_atom", "force_rmse_mev_per_angstrom"), strict=True):
        medians = force_table[force_table["model"] == "network"].groupby(["fit", "frames"])[column].median()
        lines = [list(line.get_ydata()) for line in ax.get_lines()]
        assert all(medians[fit].tolist() in lines for fit in FITS)
        assert [goal, goal] in lines


def test_a_table_without_its_columns_is_refused():
    with pytest.raises(ValueError, match="learning curves"):
        learning(pd.DataFrame({"frames": [1]}), 5)
