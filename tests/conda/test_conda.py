"""The conda path with neither conda nor network: a channel on this disk, a stand-in for the command."""

import subprocess
import sys
import venv
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from bpstudy.provenance.environment import asked, check_workflow
from tests.workflow.project import TRAINED, TRAJECTORY, assert_same, environment

HERE = Path(__file__).parent
STAGES = ["descriptors", "dft", "figures", "paper", "training"]
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'
RULES = ["dynamics_chunk.py", ".trajectory.py", ".descriptors.py", ".train.py", ".energy.py"]  # parts of their commands
FIGURE = "results/figures/fig01.png"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    """The interpreter that has py-rattler."""
    folder = tmp_path_factory.mktemp("tools")
    venv.create(folder, with_pip=True)
    pip = [folder / "bin/python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
    return folder / "bin/python"


@pytest.fixture(scope="session")
def conda(tools, tmp_path_factory):
    """Environment variables under which `conda` is the stand-in."""
    base = tmp_path_factory.mktemp("conda")
    channel = tmp_path_factory.mktemp("channel") / "conda-forge"
    environments = [HERE.parents[1] / f"envs/{stage}.yaml" for stage in STAGES]
    subprocess.run([tools, HERE / "channel.py", channel, sys.executable, *environments], check=True)
    (base / "bin").mkdir()
    (base / "bin/activate").write_text(ACTIVATE)
    (base / "bin/conda").write_text(f'#!/bin/sh\nexec {tools} {HERE / "conda.py"} "$@"\n')
    (base / "bin/conda").chmod(0o755)
    return {"CONDA_BASE": str(base), "CONDA_CHANNEL": str(channel)}


@pytest.fixture
def run(project, conda):
    """Run a program in the project under the stand-in; (exit code, all it said)."""

    def runner(*command):
        variables = environment(project) | conda | {"CONDA_WITNESS": str(project / "witness.txt")}
        variables["PATH"] = f"{conda['CONDA_BASE']}/bin:{variables['PATH']}"
        done = subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return runner


def snakemake(*arguments):
    return ["snakemake", "--cores", "2", "--profile", "profiles/conda", *arguments]


def stage_of(prefix):
    """The stage whose yaml file Snakemake made an environment from."""
    made_from = Path(f"{prefix}.yaml").read_text()
    return next(path.stem for path in (HERE.parents[1] / "envs").glob("*.yaml") if path.read_text() == made_from)


def test_each_rule_enters_its_environment(project, run, undisturbed):
    code, said = run(*snakemake("--", TRAJECTORY, TRAINED, FIGURE))
    assert code == 0, said
    assert_same(project, undisturbed, TRAJECTORY, TRAINED)

    scripts = defaultdict(set)  # by stage
    for line in (project / "witness.txt").read_text().splitlines():
        prefix, package, *words = line.split()
        assert Path(package) == project / "src"  # else a true environment, which has no bpstudy, could not import it
        scripts[stage_of(prefix)] |= {rule for rule in RULES if any(rule in word for word in words)}
    assert scripts == {
        "dft": {"dynamics_chunk.py", ".trajectory.py"},
        "descriptors": {".descriptors.py"},
        "training": {".train.py"},
        "figures": {".energy.py"},
    }


def test_every_environment_is_made_as_pinned(project, run):
    code, said = run(*snakemake("--conda-create-envs-only"))
    assert code == 0, said
    made = check_workflow(project)
    assert sorted(stage_of(project / prefix) for prefix in made) == STAGES
    for prefix, found in made.items():
        wanted = yaml.safe_load((project / f"{prefix}.yaml").read_text())["dependencies"]
        by_pip = [text.replace("==", " ") for entry in wanted if isinstance(entry, dict) for text in entry["pip"]]
        assert found == [f"{text}: missing" for text in by_pip]  # the stand-in has no pip


def test_pin_files_are_made_and_honoured(project, run, conda):
    project.joinpath("tools").mkdir()
    project.joinpath("tools/pins.py").write_text((HERE.parents[1] / "tools/pins.py").read_text())
    code, said = run(sys.executable, "tools/pins.py")
    assert code == 0, said
    pins = sorted(project.glob("envs/*.linux-64.pin.txt"))
    assert [path.name.split(".")[0] for path in pins] == STAGES
    assert [str(p) for p in asked(project / "envs/paper.linux-64.pin.txt") if p.name == "pandas"] == ["pandas 3.1.1 0"]
    assert "typst==0.15.2" in (project / "envs/paper.post-deploy.sh").read_text()

    # A pin that is not what the yaml says shows which of the two was used.
    figures = project / "envs/figures.linux-64.pin.txt"
    (other,) = Path(conda["CONDA_CHANNEL"]).glob("noarch/seaborn-0.0.1*")
    lines = [line for line in figures.read_text().splitlines() if "/seaborn-" not in line]
    figures.write_text("\n".join([*lines, other.as_uri()]) + "\n")
    code, said = run(*snakemake("--", FIGURE))
    assert code == 0, said
    assert set(map(tuple, check_workflow(project).values())) == {()}
    (made,) = project.glob(".snakemake/conda/*/conda-meta/seaborn-*.json")
    assert "0.0.1" in made.name


def test_a_broken_pin_is_reported(project, run):
    pins = project / "envs/figures.linux-64.pin.txt"
    pins.write_text("@EXPLICIT\nhttps://channel.invalid/noarch/seaborn-0.0.2-0.conda#" + "0" * 32 + "\n")
    code, said = run(*snakemake("--", FIGURE))
    assert code == 0, said  # Snakemake carries on with the yaml
    assert "Failed to install conda environment from pin file" in said
    broken = [found for found in check_workflow(project).values() if found]
    assert ["seaborn 0.0.2 0: is seaborn 0.13.2 0"] in broken
