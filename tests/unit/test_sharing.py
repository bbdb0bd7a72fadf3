"""Tests that share a fixture run in one process: otherwise each process makes it, the quick study among others."""

import subprocess
import sys

TEST = """
import os, pathlib, pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(5))
def test_which(number):
    with pathlib.Path("workers").open("a") as file:
        print(os.environ["PYTEST_XDIST_WORKER"], file=file)
"""


def test_a_group_stays_in_one_process(tmp_path):
    for name in "ab":
        (tmp_path / f"test_{name}.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
    workers = (tmp_path / "workers").read_text().split()
    assert len(workers) == 10
    assert len(set(workers)) == 1
