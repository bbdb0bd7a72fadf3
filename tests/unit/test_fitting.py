"""An experiment from blocks of functions to predictions, on copper with EMT."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.config.functions import Block
from bpstudy.data.trajectory import snapshot, thermodynamics
from bpstudy.descriptors.blocks import compute_blocks
from bpstudy.descriptors.features import read_blocks
from bpstudy.evaluation.tables import functions_label, histories, metrics, sums
from bpstudy.files import write_table
from bpstudy.network.element import predict
from bpstudy.network.model import load_network
from bpstudy.training.experiment import FitFiles, fit_experiment
from bpstudy.training.ridge import STRENGTHS

BLOCKS = [
    Block(type="G2", count=4, cutoff_angstrom=5.0, grid="fortnet"),
    Block(type="G5", count=2, cutoff_angstrom=5.0, grid="fortnet", pairs="unordered"),
]
SETS = ("train", "later")
OPTIMIZER = Optimizer(name="levenberg-marquardt", max_iterations=15, target_mse_ev2=0.0, patience=15, min_progress=1e-3)


def experiment(**changes):
    settings = {
        "frames": "first",
        "held_out": ["later"],
        "functions": [block.model_dump() for block in BLOCKS],
        "hidden": [4],
        "optimizer": "lm",
        "threads": 1,
    }
    return Experiment.model_validate(settings | changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    frames = []
    for seed in range(30):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.05 + 0.002 * seed, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(snapshot(atoms))
    write_table(folder / "thermo.csv", thermodynamics(frames, 1.0))
    for name, chosen in (("first", range(20)), ("later", range(22, 30))):
        for block in BLOCKS:
            compute_blocks({folder / name / f"{block.slug}.npy": block}, frames, chosen, tolerance=1e-12, threads=1)
    groups = [[str(folder / name / f"{block.slug}.npy") for block in BLOCKS] for name in ("first", "later")]
    return SimpleNamespace(blocks=groups, thermo=[str(folder / "thermo.csv")] * 2)


def fit(folder, data, settings=None, seeds=(3,), optimizer=OPTIMIZER, threads=1, **changes):
    inputs = {"blocks": data.blocks, "thermo": data.thermo} | changes
    names = ("model.keras", "potential.json", "history.csv", "p.csv", "m.json")
    for seed in seeds:
        (folder / f"{seed}").mkdir()
    fits = {seed: FitFiles(*(folder / f"{seed}" / name for name in names)) for seed in seeds}
    fit_experiment(settings or experiment(), optimizer, fits, folder / "baselines.csv", threads, **inputs)
    return folder / f"{seeds[0]}"


@pytest.fixture(scope="module")
def fitted(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    return fit(folder, data)


def test_the_predictions_are_the_saved_models(data, fitted):
    predictions = pd.read_csv(fitted / "p.csv")
    assert predictions.groupby("set")["frame"].apply(list).to_dict() == {
        "train": list(range(20)),
        "later": list(range(22, 30)),
    }
    network = load_network(fitted / "model.keras")
    again = predict(network, read_blocks(data.blocks[1]))[0]
    assert predictions[predictions["set"] == "later"]["energy_nn_ev"].tolist() == pytest.approx(again, abs=1e-12)


def test_it_learns_and_says_how(fitted):
    history = pd.read_csv(fitted / "history.csv")
    assert history["mse_ev2"].min() < 0.01 * history["mse_ev2"].iloc[0]
    summary = json.loads((fitted / "m.json").read_text())
    assert summary["stop_reason"] in ("maximum of iterations", "no progress")
    assert summary["weights"] == 6 * 4 + 4 + 4 + 1
    assert summary["seed"] == 3


@pytest.mark.parametrize("threads", [1, 3])
def test_equal_seeds_give_equal_files_alone_and_beside_others(data, fitted, tmp_path, threads):
    fit(tmp_path, data, seeds=(4, 3), threads=threads)
    for name in ("model.keras", "p.csv"):
        assert (tmp_path / "3" / name).read_bytes() == (fitted / name).read_bytes()
    assert (tmp_path / "4" / "p.csv").read_bytes() != (fitted / "p.csv").read_bytes()


def test_the_table_of_metrics_is_of_the_predictions(fitted):
    table = metrics(
        {"try": experiment()},
        [("try", fitted / "p.csv", fitted / "m.json")],
        {"try": fitted.parent / "baselines.csv"},
        {"try": 0.25},
    )
    assert table["noise_floor_mev_per_atom"].unique().tolist() == [0.25]
    assert table["set"].tolist() == ["train", "later"]
    assert table["functions"].unique().tolist() == ["4G2+2G5"] == [functions_label(experiment())]
    assert table["trained_on"].unique().tolist() == ["20 frames, step 1, from 0"]
    rows = table.set_index("set")
    predictions = pd.read_csv(fitted / "p.csv").query("set == 'later'")
    mse = ((predictions["energy_nn_ev"] - predictions["energy_dft_ev"]) ** 2).mean()
    assert rows.loc["later", "mse_ev2"] == pytest.approx(mse)
    assert rows.loc["later", "rmse_mev_per_atom"] == pytest.approx(1000 * mse**0.5 / 4)
    trained_on = pd.read_csv(fitted / "p.csv").query("set == 'train'")["energy_dft_ev"]
    assert rows.loc["train", "mean_rmse_mev_per_atom"] == pytest.approx(1000 * trained_on.std(ddof=0) / 4)


def test_ridge_is_scikit_learns_on_the_sums(data, fitted):
    table = pd.read_csv(fitted.parent / "baselines.csv").groupby("set")
    sums_of = {name: read_blocks(blocks).sums() for name, blocks in zip(SETS, data.blocks, strict=True)}
    known, later = table.get_group("train"), table.get_group("later")
    scaler = StandardScaler().fit(sums_of["train"])  # no function of these is dead
    candidates = [
        Ridge(alpha=alpha).fit(scaler.transform(sums_of["train"]), known["energy_dft_ev"]) for alpha in STRENGTHS
    ]
    predicted = [ridge.predict(scaler.transform(sums_of["later"])) for ridge in candidates]
    assert min(abs(p - later["energy_ridge_ev"]).max() for p in predicted) < 1e-8


def test_validation_frames_decide_on_weights_and_weight_decay(data, tmp_path):
    settings = experiment(validation="later", held_out=[])
    optimizer = OPTIMIZER.model_copy(update={"weight_decay": (1e-8, 10.0)})
    summary = json.loads((fit(tmp_path, data, settings, optimizer=optimizer) / "m.json").read_text())
    assert summary["weight_decay"] == 1e-8  # 10 leaves nothing but the mean
    history = pd.read_csv(tmp_path / "3" / "history.csv")
    assert summary["best_iteration"] == history["validation_mse_ev2"].idxmin()
    predictions = pd.read_csv(tmp_path / "3" / "p.csv").query("set == 'validation'")
    mse = ((predictions["energy_nn_ev"] - predictions["energy_dft_ev"]) ** 2).mean()
    assert mse == pytest.approx(history["validation_mse_ev2"].min())


def test_histories_are_joined(fitted):
    table = histories([("try", 3, fitted / "history.csv"), ("try", 4, fitted / "history.csv")])
    assert table.groupby("seed").size().nunique() == 1


def test_sums_of_all_atoms_and_of_one(data):
    every, first = (sums(data.blocks[0], data.thermo[0], "potential", atom) for atom in (None, 0))
    ones = [sums(data.blocks[0], data.thermo[0], "potential", atom)["sum"] for atom in range(4)]
    assert every["sum"].tolist() == pytest.approx(sum(ones).tolist())
    assert first["energy_ev"].tolist() == every["energy_ev"].tolist()
    with pytest.raises(ValueError, match="atom 4 does not exist"):
        sums(data.blocks[0], data.thermo[0], "potential", 4)


def test_an_energy_that_is_not_there_is_an_error(data, tmp_path):
    table = pd.read_csv(data.thermo[0]).assign(free_ev=float("nan"))
    write_table(tmp_path / "thermo.csv", table)
    thermo = [str(tmp_path / "thermo.csv")] * 2
    with pytest.raises(ValueError, match="20 of the frames have no free energy"):
        fit(tmp_path, data, experiment(energy="free"), thermo=thermo)
    assert not list((tmp_path / "3").iterdir())


def test_held_out_frames_of_other_functions_are_refused(data, tmp_path):
    swapped = [data.blocks[0], data.blocks[1][::-1]]
    with pytest.raises(ValueError, match="the model was made for"):
        fit(tmp_path, data, blocks=swapped)


def test_functions_that_see_nothing_are_refused(data, tmp_path):
    short = Block(type="G2", count=3, cutoff_angstrom=1.5, grid="fortnet")
    frames = [bulk("Cu", cubic=True) for _ in range(30)]
    blocks = []
    for name, chosen in (("first", range(20)), ("later", range(22, 30))):
        compute_blocks({tmp_path / name / "short.npy": short}, frames, chosen, tolerance=1e-12, threads=1)
        blocks.append([str(tmp_path / name / "short.npy")])
    with pytest.raises(ValueError, match=r"all 3 functions are dead.*cutoff beyond the nearest neighbours"):
        fit(tmp_path, data, experiment(functions=[short.model_dump()]), blocks=blocks)
    assert not list((tmp_path / "3").iterdir())


def test_one_validation_frame_is_refused(data, tmp_path):
    compute_blocks({tmp_path / "v.npy": BLOCKS[0]}, [bulk("Cu", cubic=True)], [0], tolerance=1e-12, threads=1)
    settings = experiment(validation="one", held_out=[], functions=[BLOCKS[0].model_dump()])
    with pytest.raises(ValueError, match="validation: one frame says nothing of the error"):
        fit(tmp_path, data, settings, blocks=[data.blocks[0][:1], [str(tmp_path / "v.npy")]])


def test_a_direct_layer_starts_at_ridge(data, tmp_path):
    settings = experiment(validation="later", held_out=[], direct=True)
    folder = fit(tmp_path, data, settings)
    table, ridge = (
        pd.read_csv(path).query("set == 'validation'") for path in (folder / "p.csv", tmp_path / "baselines.csv")
    )
    mse = [((t[c] - t["energy_dft_ev"]) ** 2).mean() for t, c in ((table, "energy_nn_ev"), (ridge, "energy_ridge_ev"))]
    history = pd.read_csv(folder / "history.csv")["validation_mse_ev2"]
    assert history[0] == pytest.approx(mse[1], rel=1e-8)
    assert history.min() == pytest.approx(mse[0], rel=1e-8)
    assert mse[0] <= mse[1]
