"""LAMMPS brings an MPI of its own, which a process that has loaded another does not survive: its tests run apart."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bpstudy.potential.lammps import LammpsError, start

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("marked", ["not slow", pytest.param("slow", marks=pytest.mark.slow)])
def test_lammps_in_a_process_of_its_own(marked):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", marked, "tests/lammps/checks.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout or "[100%]" in done.stdout


def test_a_process_with_another_mpi_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "_gpaw", SimpleNamespace())
    with pytest.raises(LammpsError, match="GPAW has loaded another MPI"):
        start()
