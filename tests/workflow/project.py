"""Copies of the project, in which the workflow is run as a user runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = ["Snakefile", "config.yaml", "workflow", "profiles", "envs", "src", "paper"]


def snakemake(folder, *arguments):
    """Run Snakemake on a copy of the project, with the copy's own package."""
    environment = os.environ | {
        "PYTHONPATH": str(folder / "src"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(["snakemake", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def copied(folder):
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder
