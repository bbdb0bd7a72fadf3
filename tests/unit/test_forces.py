"""Forces beside the energies: which are taken, what the experiment makes of them, ridge with forces."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.config.analysis import WithForces
from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.config.functions import Block
from bpstudy.data.trajectory import snapshot, thermodynamics, write_frames
from bpstudy.descriptors.blocks import block_functions, compute_blocks
from bpstudy.descriptors.compute import compute_features
from bpstudy.descriptors.gradients import ForceError, force_set, read_functions
from bpstudy.evaluation.tables import metrics, with_forces, with_forces_summary
from bpstudy.figures.forces import with_forces as drawn
from bpstudy.figures.tables import TableError
from bpstudy.files import write_table
from bpstudy.training.experiment import FitFiles, fit_experiment
from bpstudy.training.ridge import ridge
from tests.unit.dense import dense_gradients

BLOCKS = [
    Block(type="G2", count=5, cutoff_angstrom=5.0, grid="fortnet"),
    Block(type="G5", count=4, cutoff_angstrom=5.0, grid="fortnet", pairs="unordered"),
]
OPTIMIZER = Optimizer(name="levenberg-marquardt", max_iterations=15, target_mse_ev2=0.0, patience=15, min_progress=1e-3)
SETS = {"train": range(16), "validation": range(20, 24), "later": range(24, 32)}


@pytest.fixture(scope="module")
def frames():
    found = []
    for seed in range(32):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.08, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
        found.append(snapshot(atoms))
    return found


@pytest.fixture(scope="module")
def functions():
    return block_functions(BLOCKS[0], ["Cu"], 1e-12)


def some_forces(functions, frames, chosen, **options):
    """The functions of some frames, and `force_set`."""
    features = compute_features(functions, [frames[n] for n in chosen])
    features = replace(features, frames=np.array(chosen))
    return features, force_set(functions, frames, features, **options)


def test_some_frames_and_components_are_taken(frames, functions):
    features, some = some_forces(functions, frames, range(4, 20), count=5, components=7, seed=3)
    assert some.places.tolist() == [0, 4, 8, 11, 15]
    assert some.frame.tolist() == np.repeat(some.places, 7).tolist()
    _, every = some_forces(functions, frames, range(4, 20), count=5)
    whole = every.forces_ev_per_angstrom.reshape(5, 12)
    part = some.forces_ev_per_angstrom.reshape(5, 7)
    dense = dense_gradients(some, features, "Cu").reshape(5, 7, -1)
    everything = dense_gradients(every, features, "Cu").reshape(5, 12, -1)
    for k, place in enumerate(some.places):
        assert whole[k].tolist() == frames[4 + place].get_forces().ravel().tolist()
        at = [whole[k].tolist().index(force) for force in part[k]]
        assert sorted(set(at)) == at
        np.testing.assert_array_equal(dense[k], everything[k][at])
    assert some_forces(functions, frames, range(3), count=10)[1].places.tolist() == [0, 1, 2]


def test_the_gradients_are_slopes_of_the_functions(frames, functions):
    features, forces = some_forces(functions, frames, [2])
    found = dense_gradients(forces, features, "Cu").swapaxes(0, 1)
    step = 1e-5
    for component in (0, 7):
        up, down = frames[2].copy(), frames[2].copy()
        up.positions.flat[component] += step
        down.positions.flat[component] -= step
        slope = (functions.compute(up) - functions.compute(down)) / (2 * step)
        np.testing.assert_allclose(found[:, component], slope, rtol=1e-6, atol=1e-8)


def test_frames_without_forces_are_refused(frames, functions):
    bare = [frame.copy() for frame in frames[:3]]
    for frame in bare:
        frame.calc = SinglePointCalculator(frame, energy=1.0)
    with pytest.raises(ForceError, match="frame 1 has no forces; leave `forces` out"):
        some_forces(functions, bare, [1, 2])
    bare[2].calc = SinglePointCalculator(bare[2], energy=1.0, forces=np.full((4, 3), np.nan))
    with pytest.raises(ForceError, match="frame 2: forces are not finite"):
        some_forces(functions, bare, [2])


@pytest.fixture(scope="module")
def known(frames):
    """Functions of 16 frames, energies, forces of four."""
    energies = np.array([frame.get_potential_energy() for frame in frames[:16]])
    features, of = some_forces(block_functions(BLOCKS[0], ["Cu"], 1e-12), frames, range(16), count=8)
    return features, energies, of


def test_a_linear_energy_is_found_with_its_forces(known):
    features, _, of = known
    slopes = np.array([0.0, -2.0, 0.5, 0.1, 0.02])  # the first is dead
    energies = features.sums() @ slopes - 7
    known = replace(of, forces_ev_per_angstrom=-of.sums() @ slopes)
    model = ridge(features, energies, known)
    np.testing.assert_allclose(model.coefficients["Cu"], slopes, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(model.energies(features), energies, atol=1e-5)
    np.testing.assert_allclose(model.forces(known), -of.sums() @ slopes, atol=1e-5)


def test_ridge_with_forces_of_no_weight_is_ridge(known):
    features, energies, of = known
    plain, same = ridge(features, energies), ridge(features, energies, of, force_weight=0.0)
    np.testing.assert_allclose(same.energies(features), plain.energies(features), atol=1e-6)


def test_a_fold_without_forces_is_refused(known):
    features, energies, of = known
    some = replace(of.take(np.array([0]), features), frame=np.zeros(12, int))
    with pytest.raises(ValueError, match="a fold of the training frames has none"):
        ridge(features, energies, some)


@pytest.fixture(scope="module")
def results(frames, tmp_path_factory):
    """Of the same experiment without forces in its loss, and with."""
    folder = tmp_path_factory.mktemp("forces")
    write_table(folder / "thermo.csv", thermodynamics(frames, 1.0))
    write_frames(folder / "frames.traj", frames)
    for name, chosen in SETS.items():
        for block in BLOCKS:
            compute_blocks({folder / name / f"{block.slug}.npy": block}, frames, chosen, tolerance=1e-12, threads=1)
    groups = [[str(folder / name / f"{block.slug}.npy") for block in BLOCKS] for name in SETS]
    found = {}
    for name, weight in (("energies", 0.0), ("forces", 1.0)):
        experiment = Experiment.model_validate(
            {
                "frames": "first",
                "validation": "then",
                "held_out": ["later"],
                "functions": [block.model_dump() for block in BLOCKS],
                "hidden": [6],
                "energy": "free",
                "forces": {"weight": weight, "frames": 16, "components": 6, "tested": 8},
                "optimizer": "lm",
                "threads": 1,
            }
        )
        at = folder / name
        at.mkdir()
        files = FitFiles(*(at / file for file in ("model.keras", "potential.json", "history.csv", "p.csv", "m.json")))
        fit_experiment(
            experiment,
            OPTIMIZER,
            {0: files},
            at / "baselines.csv",
            1,
            groups,
            [str(folder / "thermo.csv")] * 3,
            [str(folder / "frames.traj")] * 3,
        )
        found[name] = experiment, files, at / "baselines.csv"
    return found


def table(results, name):
    experiment, files, baselines = results[name]
    rows = metrics({name: experiment}, [(name, files.predictions, files.metrics)], {name: baselines}, {})
    return rows.set_index("set")


def test_forces_in_the_fit_make_the_forces_of_unseen_frames_right(results):
    alone, together = (table(results, name).loc["later"] for name in ("energies", "forces"))
    column = "force_rmse_mev_per_angstrom"
    assert together[column] < 0.5 * alone[column]
    assert together["force_rmse_over_rms"] == pytest.approx(together[column] / together["force_rms_mev_per_angstrom"])


def test_the_rms_force_is_that_of_the_frames_tested(results, frames):
    rms = table(results, "forces").loc["later", "force_rms_mev_per_angstrom"]
    later = np.array([frames[i].get_forces() for i in SETS["later"]])
    assert rms == pytest.approx(1000 * np.sqrt((later**2).mean()), rel=1e-9)


def test_forces_of_frames_that_are_not_looked_at_are_empty(frames, functions):
    _, some = some_forces(functions, frames, range(16), count=4)
    assert len(some.places) == 4
    assert np.array_equal(some.forces_ev_per_angstrom, np.ravel([frames[i].get_forces() for i in some.places]))


def test_forces_of_some_frames_go_with_them(frames, functions):
    features, some = some_forces(functions, frames, range(16), count=4)
    places = np.array([0, 3, int(some.places[2])])
    kept = some.take(places, features)
    assert kept.places.tolist() == [0, 2]
    again = replace(features.take(places), frames=places)
    whole = force_set(functions, frames, again)
    assert np.array_equal(kept.forces_ev_per_angstrom, whole.take(np.array([0, 2]), again).forces_ev_per_angstrom)
    dense = dense_gradients(whole, again, "Cu").reshape(3, 12, 12, 5)[[0, 2]]
    assert np.array_equal(dense_gradients(kept, again, "Cu").reshape(2, 12, 12, 5), dense)


def test_validation_frames_decide_with_their_forces(results):
    _, files, _ = results["forces"]
    history = pd.read_csv(files.history)
    summary = json.loads(files.metrics.read_text())
    assert summary["best_iteration"] == history["validation_mse_ev2"].idxmin()
    predictions = pd.read_csv(files.predictions).query("set == 'validation'")
    mse = ((predictions["energy_nn_ev"] - predictions["energy_dft_ev"]) ** 2).mean()
    assert history["validation_mse_ev2"].min() > mse  # the forces' share


def test_functions_are_read_back_side_by_side(results, tmp_path, frames):
    paths = [tmp_path / f"{block.slug}.npy" for block in BLOCKS]
    for path, block in zip(paths, BLOCKS, strict=True):
        compute_blocks({path: block}, frames[:1], [0], tolerance=1e-12, threads=1)
    both = read_functions(paths)
    np.testing.assert_array_equal(both.compute(frames[0])[:, :5], np.load(paths[0]))
    np.testing.assert_array_equal(both.compute(frames[0])[:, 5:], np.load(paths[1]))
    compute_blocks({paths[1]: BLOCKS[1]}, frames[:1], [0], tolerance=1e-9, threads=1)
    with pytest.raises(ForceError, match="different tolerances"):
        read_functions(paths)


def compared(results):
    """The table of the two experiments, as if of two seeds."""
    rows = pd.concat([table(results, name).reset_index().assign(experiment=f"e-{name}") for name in results])
    rows = pd.concat([rows, rows.assign(seed=1, force_rmse_mev_per_angstrom=2 * rows["force_rmse_mev_per_angstrom"])])
    return with_forces(rows, SETTINGS)


PAIR = ["e-energies", "e-forces"]
STUDY = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())["with_forces"]
SETTINGS = WithForces.model_validate(
    STUDY | {"held_out": "later", "types": {"a": PAIR, "b": PAIR}, "others": {"c": PAIR}}
)


def test_pairs_are_put_side_by_side(results):
    found = compared(results)
    assert found.groupby(["section", "pair"]).size().to_dict() == {
        ("others", "c"): 4,
        ("types", "a"): 4,
        ("types", "b"): 4,
    }
    one = found.query("pair == 'c' and fit == 'energies and forces' and seed == 0").iloc[0]
    assert one["force_rmse_mev_per_angstrom"] == table(results, "forces").loc["later", "force_rmse_mev_per_angstrom"]
    summary = with_forces_summary(found).set_index(["pair", "fit"]).loc[("c", "energies and forces")]
    assert summary["force_rmse_mev_per_angstrom"] == pytest.approx(1.5 * one["force_rmse_mev_per_angstrom"])
    assert summary["force_rmse_mev_per_angstrom_greatest"] == pytest.approx(2 * one["force_rmse_mev_per_angstrom"])
    rows = table(results, "forces").reset_index().assign(experiment="e-energies", force_rmse_mev_per_angstrom=np.nan)
    with pytest.raises(ValueError, match="e-energies has no errors of forces on the frames later"):
        with_forces(rows, SETTINGS)


def test_the_figure_shows_all_seeds_the_goals_and_ridge(results):
    found = compared(results)
    left, right = drawn(found, (0.1, 5.0)).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["c", "b", "a"]
    assert left.get_xlabel() == "RMSE of the energy (meV per atom)"
    assert right.get_xlabel() == "RMSE of the forces (meV/Å)"
    points = [line.get_xdata() for line in right.lines if line.get_marker() == "o"]
    assert sorted(np.concatenate(points)) == sorted(found["force_rmse_mev_per_angstrom"])
    assert list(right.lines[-1].get_xdata()) == [5.0, 5.0]
    with pytest.raises(TableError, match="a finite number is needed"):
        drawn(found.assign(rmse_mev_per_atom=np.nan), (0.1, 5.0))
