"""Data sets of frames of any size go through the whole study, by the commands that docs/own_data.md gives."""

import json
import lzma
import re
import shlex

import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from snakemake.utils import update_config

from bpstudy.network.model import load_network
from bpstudy.potential.calculator import Potential
from tests.alloys import strained_alloy
from tests.workflow.project import ROOT, SMALL, WITH_FORCES, audited, bpstudy, copied, snakemake

PAGE = (ROOT / "docs/own_data.md").read_text()
MLEARN = ROOT.parent / "shared/datasets/mlearn"
FIT = "results/training/types-12G2-6G4-6G5-forces/seed-0"
pytestmark = pytest.mark.usefixtures("warm_jobs")
needs_mlearn = pytest.mark.skipif(not MLEARN.is_dir(), reason="needs ../shared/datasets/mlearn")


def alloy(seed, forces=True):
    return strained_alloy(seed, seed % 4, 0.02, forces)


def recipe(first):
    """The commands of the page's block of commands that begins so, line by line."""
    blocks = [block.strip().splitlines() for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)]
    return next(block for block in blocks if block[0].startswith(first))


def followed(project, lines, overlay, *targets):
    """Run the lines of a recipe; the overlay keeps the study small, targets are for what another test runs whole."""
    for line in lines:
        program, *arguments = shlex.split(line)
        if program == "bpstudy":
            run = bpstudy(project, *arguments)
        else:
            assert program == "snakemake", line
            if targets:  # all can be planned, these are made
                plan = snakemake(project, *arguments, overlay, "-n", "--quiet")
                assert plan.returncode == 0, plan.stderr[-3000:]
            run = snakemake(project, *arguments, overlay, "--", *targets)
        assert run.returncode == 0, f"{line}\n{run.stdout[-3000:]}\n{run.stderr[-3000:]}"


def small(project, with_forces=True):
    """The name of an overlay that keeps the study small."""
    overlay = {}
    for part in (SMALL, WITH_FORCES if with_forces else {}):
        update_config(overlay, part)
    (project / "small.yaml").write_text(yaml.safe_dump(overlay))
    return "small.yaml"


def assert_audited(project):
    audit = audited(project)
    assert audit.returncode == 0, audit.stdout[-3000:]


def assert_whole(project):
    """Figures, tables, paper and page are there, and the audit finds nothing wrong."""
    assert (project / "results/paper/paper.pdf").stat().st_size > 10_000
    assert (project / "results/index.html").stat().st_size
    claims = {claim["id"]: claim["verdict"] for claim in json.loads((project / "results/claims.json").read_text())}
    assert claims["C6"] == "undecidable"  # spikes in time
    assert not (project / "results/figures/fig14.png").exists()  # of dynamics
    assert_audited(project)


@pytest.mark.slow
def test_the_recipe_of_the_page_for_alloys_of_two_elements_and_several_sizes(tmp_path):
    project = copied(tmp_path)
    write(project / "train.extxyz", [alloy(seed) for seed in range(60)])
    write(project / "test.extxyz", [alloy(seed) for seed in range(100, 112)])
    followed(project, recipe("bpstudy data train.extxyz"), small(project))
    assert (project / "data.html").stat().st_size
    assert_whole(project)
    for name in ("fig13", "fig15"):  # of forces
        assert (project / f"results/figures/{name}.png").stat().st_size
    said = (project / "results/left_out.md").read_text()
    assert "no momenta" in said
    assert "no times" in said
    fit = project / FIT
    network = load_network(fit / "model.keras")
    assert set(network.labels) == {"Al", "Cu"}
    assert network.energy_scale.offsets_ev["Al"] != network.energy_scale.offsets_ev["Cu"]
    # The potential gives what the study says of it.
    predictions = pd.read_csv(fit / "predictions.csv").query("set == 'independent'")
    atoms = read(project / "test.extxyz", index=3)
    atoms.calc = Potential(fit, on_extrapolation="ignore")
    row = predictions[predictions["frame"] == 3].iloc[0]
    assert atoms.get_potential_energy() == pytest.approx(row["energy_nn_ev"], abs=1e-9)


@pytest.mark.slow
def test_one_file_of_energies_alone_is_studied_to_the_end(tmp_path):
    """No forces, times or momenta, and no file of test frames."""
    project = copied(tmp_path)
    write(project / "train.extxyz", [alloy(seed, forces=False) for seed in range(60)])
    followed(project, ["bpstudy new train.extxyz", "snakemake --cores 2 --configfile mine.yaml"], small(project, False))
    assert_whole(project)
    said = (project / "results/left_out.md").read_text()
    for what in ("no times", "no forces", "chosen and compared by energies alone"):
        assert what in said
    chosen = pd.read_csv(project / "results/selection/comparison.csv")
    assert "force_rmse_ev_per_angstrom" not in chosen
    assert chosen["recommended"].any()
    assert pd.read_csv(project / "results/evaluation/smoothness.csv").empty


@pytest.mark.slow
@needs_mlearn
def test_the_recipe_of_the_page_for_germanium(tmp_path):
    """A third of the training frames, of every kind: cells of 12 to 64 atoms, strained, with vacancies and surfaces."""
    project = copied(tmp_path)
    for part, stride in (("training", 3), ("test", 1)):
        with lzma.open(MLEARN / f"Ge_{part}.xyz.xz", "rt") as file:
            frames = read(file, index=f"::{stride}", format="extxyz")
        write(project / f"{part.removesuffix('ing')}.extxyz", frames)
    made = (f"{FIT}/model.keras", "results/selection/recommended.json", "results/figures/fig15.png")
    followed(project, recipe("bpstudy data train.extxyz"), small(project), *made)
    assert_audited(project)
    mine = yaml.safe_load((project / "mine.yaml").read_text())
    assert mine["systems"]["mine"]["split"]["by"] == "description"
    assert len((project / "mine.yaml").read_text().splitlines()) <= 26


@pytest.mark.slow
def test_the_recipe_of_the_page_for_a_trajectory(tmp_path):
    """The overlay for one trajectory as it stands there, with a trajectory of as many frames."""
    project = copied(tmp_path)
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    system = next(block for block in blocks if "trajectory: my-trajectory.extxyz" in block)
    choices = next(block for block in blocks if "\nframes:" in block)
    (project / "mine.yaml").write_text(system + choices)
    rng = np.random.default_rng(0)
    crystal, frames = bulk("Al", cubic=True), []
    away = np.zeros((4, 3))
    for _ in range(3000):  # a random walk about the sites, as correlated as vibrations are
        away = 0.9 * away + rng.normal(scale=0.04, size=(4, 3))
        atoms = crystal.copy()
        atoms.positions += away
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        frames.append(crystal.copy())
        frames[-1].positions = atoms.positions
        frames[-1].calc = SinglePointCalculator(frames[-1], **results)
    write(project / "my-trajectory.extxyz", frames)
    command = next(line for line in PAGE.splitlines() if line.startswith("snakemake") and "--configfile" in line)
    made = (f"{FIT}/model.keras", "results/evaluation/learning_curves.csv", "results/figures/fig01.png")
    followed(project, [command], small(project), *made)
    assert_audited(project)
