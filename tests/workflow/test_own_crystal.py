"""A user's own trajectory goes through the same study, from an overlay on the configuration alone."""

import pandas as pd
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import read, write

from bpstudy.data.trajectory import snapshot
from bpstudy.network.model import load_network
from bpstudy.potential.calculator import Potential
from tests.workflow.project import copied, snakemake

OVERLAY = {
    "systems": {"alloy": {"trajectory": "alloy.extxyz"}},
    "unit_functions": {"system": "alloy", "other_cutoffs_angstrom": [4.0], "bins": 8},
    "frames": {
        "first": {"system": "alloy", "count": 16},
        "strided": {"system": "alloy", "count": 10, "stride": 1},
        "consecutive": {"system": "alloy", "count": 10},
        "thinned": {"system": "alloy", "count": 10, "stride": 1},
        "spread": {"system": "alloy", "start": 0, "count": 16, "stride": 1},
        "spread-800": {"system": "alloy", "start": 0, "count": 16, "stride": 1},
        "spread-validation": {"system": "alloy", "start": 17, "count": 3, "stride": 1},
        "curve": {"system": "alloy", "count": 16, "stride": 1},
        "validation": {"system": "alloy", "start": 18, "count": 2, "stride": 1},
        "later": {"system": "alloy", "start": 21, "count": 10, "stride": 1},
        "independent": {"system": "alloy", "start": 32, "count": 10, "stride": 1},
    },
    "held_out_gap_frames": 1,
    "with_forces": {"learning": {"counts": [8, 16]}, "runs": {"reference": "alloy"}},
    "learning_curves": {"counts": [5], "shares": [0.5, 1.0], "count_of_shares": 5},
    "optimizers": {"levenberg-marquardt": {"max_iterations": 5}, "with-forces": {"max_iterations": 5}},
    "seeds": [0],
}
RUN = "results/training/types-12G2-12G5/seed-0"
WITH_FORCES = "results/training/types-12G2-12G5-forces/seed-0"
pytestmark = pytest.mark.usefixtures("warm_jobs")


@pytest.fixture
def project(tmp_path):
    frames = []
    for seed in range(42):
        atoms = bulk("Cu", cubic=True)
        atoms.symbols[0] = "Al"
        atoms.rattle(0.1, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(snapshot(atoms))
    folder = copied(tmp_path)
    write(folder / "alloy.extxyz", frames)
    (folder / "mine.yaml").write_text(yaml.safe_dump(OVERLAY))
    return folder


@pytest.mark.slow
def test_an_alloys_trajectory_is_studied(project):
    wanted = (f"{RUN}/model.keras", f"{WITH_FORCES}/model.keras")
    run = snakemake(project, "--cores", "2", "--configfile", "mine.yaml", "--", *wanted)
    assert run.returncode == 0, run.stderr
    assert set(load_network(project / RUN / "model.keras").labels) == {"Al", "Cu"}
    predictions = pd.read_csv(project / RUN / "predictions.csv")
    assert predictions["set"].value_counts().to_dict() == {"train": 16, "later": 10, "independent": 10}
    thermo = pd.read_csv(project / "results/dynamics/alloy/thermo.csv")
    assert len(thermo) == 42
    # The fit with forces is a potential that knows the frames.
    predictions = pd.read_csv(project / WITH_FORCES / "predictions.csv").query("set == 'independent'")
    atoms = read(project / "alloy.extxyz", index=35)
    forces = atoms.get_forces()
    atoms.calc = Potential(project / WITH_FORCES, on_extrapolation="ignore")
    row = predictions[predictions["frame"] == 35].iloc[0]
    assert atoms.get_potential_energy() == pytest.approx(row["energy_nn_ev"], abs=1e-9)
    error = ((atoms.get_forces() - forces) ** 2).mean() ** 0.5
    assert error == pytest.approx(row["force_error_nn_ev_per_angstrom"], rel=1e-6)


@pytest.mark.slow
def test_nothing_else_is_simulated(project):
    plan = snakemake(project, "-n", "--cores", "2", "--configfile", "mine.yaml")
    assert plan.returncode == 0, plan.stderr
    assert "paper.pdf" in plan.stdout
    assert "dynamics_chunk" not in plan.stdout


@pytest.mark.slow
def test_a_trajectory_that_is_too_short_is_a_clear_error(project):
    overlay = OVERLAY | {
        "frames": OVERLAY["frames"] | {"independent": {"system": "alloy", "start": 35, "count": 10, "stride": 1}}
    }
    (project / "mine.yaml").write_text(yaml.safe_dump(overlay))
    run = snakemake(project, "--cores", "2", "--configfile", "mine.yaml", "--", f"{RUN}/model.keras")
    assert run.returncode != 0
    assert "45 frames of alloy are needed, its trajectory has 42" in run.stderr + run.stdout


@pytest.mark.slow
def test_a_damaged_trajectory_is_a_clear_error(project):
    (project / "alloy.extxyz").write_text("not a trajectory")
    run = snakemake(project, "--cores", "1", "--configfile", "mine.yaml", "--", "results/dynamics/alloy/thermo.csv")
    assert run.returncode != 0
    assert "alloy.extxyz, frame 0: ASE cannot read this trajectory" in run.stderr + run.stdout
