"""The modules that a stage is said to depend on are those that Python loads."""

import subprocess
import sys

import pytest

from bpstudy.running.imports import SOURCE, modules_behind

STAGES = [
    "bpstudy.dynamics.chunks",
    "bpstudy.data.trajectory",
    "bpstudy.descriptors.blocks",
    "bpstudy.descriptors.hierarchy",
    "bpstudy.training.experiment",
    "bpstudy.evaluation.tables",
]
LOADED = """
import sys, importlib
importlib.import_module(sys.argv[1])
print("\\n".join(m.__file__ for n, m in sorted(sys.modules.items()) if n.split(".")[0] == "bpstudy"))
"""


@pytest.mark.parametrize("stage", STAGES)
def test_all_that_is_loaded_is_listed(stage):
    run = subprocess.run([sys.executable, "-c", LOADED, stage], capture_output=True, text=True, check=True)
    loaded = {line for line in run.stdout.splitlines() if line.startswith(str(SOURCE))}
    assert loaded
    assert loaded <= {str(path) for path in modules_behind(stage)}


def test_dynamics_do_not_depend_on_what_comes_after():
    names = {path.relative_to(SOURCE).as_posix() for path in modules_behind("bpstudy.dynamics.chunks")}
    assert "dynamics/calculators.py" in names
    assert not {name for name in names if name.startswith(("symmetry", "training", "figures", "config/experiments"))}


def test_an_unknown_module_is_an_error():
    with pytest.raises(ValueError, match=r"no module bpstudy\.nothing"):
        modules_behind("bpstudy.nothing")
