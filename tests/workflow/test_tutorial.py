"""docs/tutorial.md, line by line: its Python and its commands, in the order of the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.project import copied, environment

ROOT = Path(__file__).parents[2]
STEPS = re.findall(r"```(bash|python)\n(.*?)```", (ROOT / "docs/tutorial.md").read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_tutorial_as_written(tmp_path):
    project = copied(tmp_path / "clone")
    (project / ".venv").symlink_to(Path(sys.prefix))
    (project / "resources/trajectories").symlink_to(ROOT / "resources/trajectories")
    assert [kind for kind, _ in STEPS].count("bash") >= 6
    activate = ". .venv/bin/activate\n"
    for kind, text in STEPS:
        command = [sys.executable, "-c", text] if kind == "python" else ["bash", "-ec", activate + text]
        done = subprocess.run(command, cwd=project, env=environment(project), capture_output=True, text=True)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    for made in ("data.html", "chosen/report.html", "chosen/recommended.nn", "lammps/run.py", "md.traj", "mine.yaml"):
        assert (project / made).stat().st_size > 0
