"""The profiles hold options that Snakemake and its plugin for SLURM know; those of places say what each key is for."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

PROFILES = sorted((Path(__file__).parents[2] / "profiles").glob("*/config.yaml"))
PLACES = [path for path in PROFILES if path.parent.name in ("slurm", "conda")]


def name(path):
    return path.parent.name


@pytest.mark.parametrize("profile", PROFILES, ids=name)
def test_every_option_is_known(profile):
    from snakemake.cli import get_argument_parser
    from snakemake_executor_plugin_slurm import ExecutorSettings

    known = {text for action in get_argument_parser()._actions for text in action.option_strings}
    known |= {f"--slurm-{field.name.replace('_', '-')}" for field in fields(ExecutorSettings)}
    assert {f"--{key}" for key in yaml.safe_load(profile.read_text())} <= known


@pytest.mark.parametrize("profile", PLACES, ids=name)
def test_every_key_of_a_place_has_a_comment(profile):
    lines = [line for line in profile.read_text().splitlines() if line.strip() and not line.startswith(("#", "    "))]
    assert {line for line in lines if "#" not in line} <= {"set-resources:"}


def test_status_is_looked_up_often_enough_for_the_usual_memory_of_slurm():
    (slurm,) = [yaml.safe_load(path.read_text()) for path in PLACES if name(path) == "slurm"]
    assert slurm["slurm-status-command"] == "squeue"
    assert 3 * slurm["slurm-init-seconds-before-status-checks"] <= 300  # MinJobAge, unless a cluster changed it
