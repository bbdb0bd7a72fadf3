"""What jobs share: everything is in the log, a wrong input is one message, a fault keeps its traceback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bpstudy.running.jobs import share_interpreter

PROGRAM = """
import os, sys
from types import SimpleNamespace
from bpstudy.running.jobs import job
nothing = dict(input={{}}, output=[], params={{}}, wildcards={{}}, threads=1)
with job(SimpleNamespace(log=[sys.argv[1]], rule="train", **nothing)):
    print("printed")
    os.system("echo from another program")
    {statement}
"""


def run(tmp_path: Path, statement: str):
    log = tmp_path / "job.log"
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement=statement), log], capture_output=True, text=True, cwd=tmp_path
    )
    assert ended.stdout == ""
    return ended.returncode, log.read_text()


def test_all_output_is_in_the_log(tmp_path):
    code, log = run(tmp_path, "print('an error', file=sys.stderr)")
    assert code == 0
    assert {"printed", "from another program", "an error"} <= set(log.splitlines())


@pytest.mark.parametrize("error", ["ValueError('a.npy: damaged')", "ArithmeticError('the fit diverged')"])
def test_a_wrong_input_is_one_message(tmp_path, error):
    code, log = run(tmp_path, f"raise {error}")
    assert code == 1
    assert "Traceback" not in log
    assert log.splitlines()[-1].startswith("train failed: ")


def test_a_fault_of_the_program_keeps_its_traceback(tmp_path):
    code, log = run(tmp_path, "raise KeyError('x')")
    assert code == 1
    assert "Traceback" in log


def test_python_of_a_shell_command_is_this_interpreter(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    share_interpreter()
    assert shutil.which("python") == str(Path(sys.executable).with_name("python"))
    assert shutil.which("sh") is not None  # the rest is found as before
