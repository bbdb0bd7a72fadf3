"""Frames without times: what asks for times is left out, the rest is counted in frames."""

import numpy as np
import pandas as pd
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.config.analysis import Comparisons
from bpstudy.descriptors.hierarchy import cell_energies_ev, cell_sums
from bpstudy.evaluation.comparison import compare
from bpstudy.evaluation.tables import smoothness
from bpstudy.figures.learning import learning
from bpstudy.symmetry import SymmetryFunctions
from bpstudy.symmetry.functions import G1, G2, G3

RNG = np.random.default_rng(0)

COMPARED = Comparisons(
    draws=200,
    confidence=0.95,
    seed=0,
    block_fs=100.0,
    groups={"pair": ["a", "b"]},
    shown={},
    decided_on="test",
    combinations="pair",
)


def predictions(frames, times=np.nan):
    energy = RNG.normal(size=frames)
    return pd.DataFrame(
        {
            "frame": range(frames),
            "time_fs": times,
            "energy_dft_ev": energy,
            "energy_nn_ev": energy + 0.1 * RNG.normal(size=frames),
            "n_atoms": 4,
            "set": "train",
        }
    )


def test_comparisons_count_blocks_in_frames():
    table = predictions(40).assign(set="test")
    worse = table.assign(energy_nn_ev=table["energy_dft_ev"] + 3 * (table["energy_nn_ev"] - table["energy_dft_ev"]))
    ranking, differences = compare({"a": [table], "b": [worse]}, 4, COMPARED)
    assert ranking["experiment"].tolist() == ["a", "b"]
    assert np.isfinite(differences["difference_mev_per_atom"]).all()


def test_frames_of_several_sizes_count_by_the_atom():
    table = predictions(40).assign(set="test", n_atoms=[2, 8] * 20)
    ranking, _ = compare({"a": [table], "b": [table]}, 5, COMPARED)
    per_atom = (table["energy_nn_ev"] - table["energy_dft_ev"]) / table["n_atoms"]
    np.testing.assert_allclose(ranking["rmse_mev_per_atom"], 1000 * np.sqrt((per_atom**2).mean()))


def test_spikes_are_left_out(tmp_path):
    predictions(40).to_csv(tmp_path / "none.csv")
    predictions(40, np.arange(40.0)).to_csv(tmp_path / "timed.csv")
    runs = [("none", 0, tmp_path / "none.csv"), ("timed", 0, tmp_path / "timed.csv")]
    assert smoothness(runs, {"none": 4, "timed": 4})["experiment"].tolist() == ["timed"]


def test_learning_curves_are_drawn_against_the_share():
    rows = [
        {"duration_fs": np.nan, "share": share, "frames": frames, "model": model, "seed": 0, "rmse_mev_per_atom": 1.0}
        for share, frames in ((1.0, 5), (1.0, 10), (0.5, 5))
        for model in ("mean", "ridge", "network")
    ]
    figure = learning(pd.DataFrame(rows), 5)
    assert "share" in figure.axes[1].get_xlabel()


def test_unit_functions_of_frames_of_several_sizes_are_per_atom():
    frames = [bulk("Al", cubic=True), bulk("Al", cubic=True).repeat((2, 1, 1))]
    for frame in frames:
        frame.calc = SinglePointCalculator(frame, energy=-3.0 * len(frame))
    sums = cell_sums(SymmetryFunctions([G1(4.0), G2(1.0, 0.0, 4.0), G3(1.0, 4.0), G1(3.5), G1(3.0)]), frames)
    np.testing.assert_allclose(sums.iloc[0], sums.iloc[1])
    np.testing.assert_allclose(cell_energies_ev(frames), [-3.0, -3.0])
