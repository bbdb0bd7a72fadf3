"""The profile `archived`: the same study, the dynamics replaced by verified copies."""

import shutil

import pandas as pd
import pytest

from tests.workflow.project import ROOT, copied, snakemake

ARCHIVE = "resources/trajectories"


@pytest.fixture
def project(tmp_path):
    folder = copied(tmp_path)
    shutil.copytree(ROOT / ARCHIVE, folder / ARCHIVE)
    return folder


def run(project, *arguments):
    return snakemake(project, *arguments, "--workflow-profile", "archived")


@pytest.mark.slow
def test_all_but_the_dynamics_is_planned(project):
    plan = run(project, "-n")
    assert plan.returncode == 0, plan.stderr
    said = (plan.stdout + plan.stderr).replace("_", " ")  # the profile's progress bar writes rules so
    assert "archived trajectory" in said
    assert "strained trajectory" in said
    for computed in ("dynamics chunk", "strained chunk", "properties dft"):
        assert computed not in said


@pytest.mark.slow
def test_the_copies_are_the_archived_frames(project):
    done = run(project, "results/dynamics/cu4/thermo.csv")
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(project / "results/dynamics/cu4/thermo.csv")["step"].tolist() == list(range(1001))


@pytest.mark.slow
def test_a_flipped_byte_stops_the_run_with_the_files_name(project):
    damaged = project / ARCHIVE / "cu4/0002.traj.xz"
    content = bytearray(damaged.read_bytes())
    content[1000] ^= 1
    damaged.write_bytes(content)
    done = run(project, "results/dynamics/cu4/thermo.csv")
    assert done.returncode != 0
    assert f"{ARCHIVE}/cu4/0002.traj.xz" in done.stdout + done.stderr
    assert not (project / "results/dynamics/cu4/trajectory.traj").exists()
