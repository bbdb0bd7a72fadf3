"""Experiments compared on the same frames: known differences are found, noise is not taken for one."""

import numpy as np
import pandas as pd
import pytest

from bpstudy.config.analysis import Comparisons
from bpstudy.evaluation.comparison import compare

SETTINGS = Comparisons.model_validate(
    {
        "draws": 1000,
        "confidence": 0.95,
        "seed": 0,
        "block_fs": 20.0,
        "groups": {"all": ["a", "b"]},
        "shown": {"all": "all"},
        "decided_on": "later",
        "combinations": "all",
    }
)


def table(error_ev, seed, frames=200, step=5.0):
    rng = np.random.default_rng(seed)
    dft = rng.normal(size=frames)
    nn = dft + error_ev * rng.normal(size=frames)
    columns = {"frame": np.arange(frames), "time_fs": step * np.arange(frames), "energy_dft_ev": dft}
    return pd.DataFrame(columns | {"energy_nn_ev": nn, "set": "later"})


def predictions(**errors_ev):
    return {
        name: [table(error, 100 * place + seed) for seed in range(5)]
        for place, (name, error) in enumerate(errors_ev.items())
    }


def test_a_real_difference_is_found():
    ranking, differences = compare(predictions(a=0.02, b=0.01), 10, SETTINGS)
    assert ranking["experiment"].tolist() == ["b", "a"]
    assert ranking["rmse_mev_per_atom"].tolist() == pytest.approx([1.0, 2.0], rel=0.05)
    assert ranking["probability_best"].tolist() == [1.0, 0.0]
    assert ranking["probability_worst"].tolist() == [0.0, 1.0]
    assert ((ranking["low"] < ranking["rmse_mev_per_atom"]) & (ranking["rmse_mev_per_atom"] < ranking["high"])).all()
    row = differences.iloc[0]
    assert row["low"] < row["difference_mev_per_atom"] < row["high"]
    assert row["low"] > 0.8
    assert row["high"] < 1.2


def test_equals_share_the_first_place():
    same = [table(0.01, seed) for seed in range(4)]
    ranking, differences = compare({"a": same, "b": same}, 10, SETTINGS)
    assert ranking["probability_best"].tolist() == [0.5, 0.5]
    assert (differences[["difference_mev_per_atom", "low", "high"]] == 0).all(axis=None)


def test_blocks_are_longer_than_the_memory_of_the_errors():
    white, _ = compare(predictions(a=0.01, b=0.01), 10, SETTINGS)
    slow = predictions(a=0.01, b=0.01)
    for tables in slow.values():
        for one in tables:  # every error lasts 10 frames
            residual = np.repeat((one["energy_nn_ev"] - one["energy_dft_ev"]).to_numpy()[::10], 10)
            one["energy_nn_ev"] = one["energy_dft_ev"] + residual
    lasting, _ = compare(slow, 10, SETTINGS)
    assert white["blocks"].iloc[0] == 200 // 4  # block_fs: 20 fs, 4 frames
    assert lasting["blocks"].iloc[0] <= 200 // 10
    spread = [(t["high"] - t["low"]).mean() for t in (white, lasting)]
    assert spread[1] > 1.5 * spread[0]


def test_only_shared_sets_are_compared():
    tables = predictions(a=0.01, b=0.01)
    tables["b"] = [one.assign(set="elsewhere") for one in tables["b"]]
    with pytest.raises(ValueError, match="share no frames"):
        compare(tables, 10, SETTINGS)


def test_training_frames_are_compared_where_they_are_the_same():
    tables = predictions(a=0.01, b=0.01)
    trained = {name: [pd.concat([one, one.assign(set="train")]) for one in of] for name, of in tables.items()}
    assert set(compare(trained, 10, SETTINGS)[0]["set"]) == {"later", "train"}
    trained["b"] = [one[(one["set"] != "train") | (one["frame"] % 2 == 0)] for one in trained["b"]]
    assert set(compare(trained, 10, SETTINGS)[0]["set"]) == {"later"}


def test_validation_frames_do_not_count():
    tables = predictions(a=0.01, b=0.01)
    chosen_on = {name: [one.iloc[:3].assign(set="validation") for one in of] for name, of in tables.items()}
    both = {name: [pd.concat(pair) for pair in zip(chosen_on[name], tables[name], strict=True)] for name in tables}
    ranking, _ = compare(both, 10, SETTINGS)
    assert set(ranking["set"]) == {"later"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.assign(frame=one["frame"] + 1), "b was tested on other frames 'later' than a"),
        (lambda one: one.iloc[:9], "b was tested on other frames"),
    ],
)
def test_other_frames_are_refused(change, said):
    tables = predictions(a=0.01, b=0.01)
    tables["b"] = [change(one) for one in tables["b"]]
    with pytest.raises(ValueError, match=said):
        compare(tables, 10, SETTINGS)


def test_too_few_frames_are_refused():
    tables = {name: [one.iloc[:9] for one in of] for name, of in predictions(a=0.01, b=0.01).items()}
    with pytest.raises(ValueError, match="9 frames are too few"):
        compare(tables, 10, SETTINGS)
