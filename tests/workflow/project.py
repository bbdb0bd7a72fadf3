"""Copies of the project, in which the workflow is run as a user runs it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from bpstudy.checksums import sha256

ROOT = Path(__file__).parents[2]
RESOURCES = ["resources/dft_noise.csv", "resources/properties"]
PROJECT = ["Snakefile", "config.yaml", "workflow", "profiles", "envs", "src", "paper", *RESOURCES]

# Enough of the study to pass through every stage that computes.
TRAJECTORY = "results/dynamics/cu4/trajectory.traj"
TRAINED = "results/training/strided/baselines.csv"
DETERMINED = [  # files whose content the configuration determines to the bit: no dates, no times
    "dynamics/*/*.*",
    "dynamics/*/chunks/*.traj",
    "dynamics/*/chunks/*.state.json",
    "descriptors/**/*.npy",
    "training/*/seed-*/model.keras",
    "training/*/seed-*/predictions.csv",
    "training/*/baselines.csv",
]


# An overlay that makes a study of one's own data take minutes: every stage, but few experiments, steps and seeds.
SMALL = {
    "lists": {"types": ["12G1-12G4", "12G2-6G4-6G5"], "twelve-g1": ["12G1-12G4"]},
    "comparisons": {
        "draws": 200,
        "groups": {"graded-or-degenerate": ["types-12G1-12G4", "types-12G1-12G4-degenerate"]},
    },
    "optimizers": {name: {"max_iterations": 3} for name in ("levenberg-marquardt", "validated", "damped", "lbfgs")},
    "information": {"cutoffs_angstrom": [4.0, 8.0]},
    "figures": {"formats": ["png"]},
    "seeds": [0],
    "selection": {
        "budgets": [3, 6],
        "methods": ["second-order", "random"],
        "random_sets": 2,
        "seeds": [0, 1],
        "pool": {"cutoff_angstrom": 5.0, "fractions": [1.0], "angular_etas": [0.2], "zetas": [1.0, 4.0]},
        "network": {"hidden": [3, 3], "max_iterations": 3},
    },
}
WITH_FORCES = {  # what SMALL needs beside, where the data have forces
    "optimizers": {name: {"max_iterations": 3} for name in ("with-forces", "long-with-forces")},
    "with_forces": {"learning": {"pair": "12G2+6G4+6G5"}},
}


PYTHON = Path(sys.executable)  # the fixture `warm_jobs` puts another in its place


def environment(folder):
    """Of a program that is to use the package of a copy of the project."""
    return os.environ | {"PYTHONPATH": str(folder / "src"), "PATH": f"{PYTHON.parent}:{os.environ['PATH']}"}


def snakemake(folder, *arguments):
    """Run Snakemake on a copy of the project, with the copy's own package."""
    return subprocess.run(
        [PYTHON.with_name("snakemake"), *arguments], cwd=folder, env=environment(folder), capture_output=True, text=True
    )


def bpstudy(folder, *arguments):
    """Run a command of a copy of the project."""
    return subprocess.run(
        [PYTHON, "-m", "bpstudy.cli", *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )


def audited(folder):
    """`bpstudy audit --all` of a copy, which has the lock file that its jobs' environment is compared with."""
    shutil.copy(ROOT / "requirements.lock", folder)
    return bpstudy(folder, "audit", "--all")


def copied(folder):
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, folder / name)
    return folder


def with_emt(folder):
    """Make the study of a copy one without DFT: the quick profile's, of copper and aluminium, by ASE's EMT."""
    from snakemake.utils import update_config

    study = yaml.safe_load((folder / "config.yaml").read_text())
    update_config(study, yaml.safe_load((folder / "profiles/quick/study.yaml").read_text()))
    study["systems"]["li-strained"] = None  # with all that needs it
    for system in filter(None, study["systems"].values()):
        system["calculator"] = {"name": "emt"}
        if system["crystal"]["element"] == "Li":
            system["crystal"] |= {"element": "Al", "lattice": "fcc", "lattice_constant_angstrom": 4.05}
    study["dft_convergence"] = {}
    (folder / "config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return folder


def checksums(folder):
    """SHA-256 of the results in a copy that are determined to the bit, by path; hidden files are what a kill left."""
    paths = [path for pattern in DETERMINED for path in (folder / "results").glob(pattern)]
    return {str(path.relative_to(folder)): sha256(path) for path in paths if not path.name.startswith(".")}


def assert_same(folder, undisturbed, *wanted):
    """The copy has the wanted results, and all it has are those of an undisturbed run."""
    found = checksums(folder)
    assert set(wanted) <= set(found)
    assert found == {path: undisturbed[path] for path in found}


def computing(folder):
    """The process that computes a chunk in `folder`, as soon as there is one."""
    end = time.monotonic() + 900
    while time.monotonic() < end:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if b"workflow/scripts/dynamics_chunk.py" in words and (entry / "cwd").resolve() == folder.resolve():
                    return int(entry.name)
            except OSError:
                continue  # ended while we looked
        time.sleep(0.1)
    raise AssertionError("no chunk is being computed")
