"""The GPAW that the set-up compiled: what it was built with, and that two MPI ranks agree with one."""

import json
import os
import re
import subprocess
import sys

import pytest

from bpstudy.dynamics import mpi

ENVIRONMENT = mpi.SETTINGS | dict(os.environ) | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# Γ only, so that both ranks share the plane waves of every band: as in the study of Li27.
ENERGY = """
from ase.build import bulk
from gpaw import GPAW, PW, FermiDirac
from gpaw.mpi import world
atoms = bulk("Li", "bcc", a=3.49, cubic=True)
atoms.rattle(0.05, seed=1)
atoms.calc = GPAW(mode=PW(150), kpts=(1, 1, 1), nbands=6, occupations=FermiDirac(0.1), txt=None,
                  convergence={"energy": 1e-6, "density": 1e-5, "eigenstates": 1e-8})
energy = atoms.get_potential_energy()
if world.rank == 0:
    print(world.size, float(energy))
"""

FEATURES = """
import ctypes, json, _gpaw, gpaw.mpi, gpaw.fftw
libraries = {line.split("/")[-1].strip() for line in open("/proc/self/maps") if ".so" in line}
print(json.dumps({"mpi": gpaw.mpi.have_mpi, "fftw": gpaw.fftw.have_fftw(), "blas": hasattr(_gpaw, "mmm"),
                  "libraries": sorted(libraries)}))
"""


def say(*command: str) -> str:
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_gpaw_info_shows_mpi_and_fftw():
    said = say(sys.executable, "-m", "gpaw", "info")
    for built_with in ("MPI enabled", "FFTW", r"libxc-[\d.]+"):
        assert re.search(rf"^\| {built_with} +yes +\|$", said, flags=re.MULTILINE), built_with


def test_the_extension_uses_fftw_blas_and_mpi_libraries():
    features = json.loads(say(sys.executable, "-c", FEATURES))
    assert features["mpi"]
    assert features["fftw"]
    assert features["blas"]
    for library in ("libxc.so", "libfftw3.so", "libopenblas", "libmpi.so"):
        assert any(name.startswith(library) for name in features["libraries"]), library


@pytest.mark.gpaw
@pytest.mark.slow
def test_two_ranks_give_the_energy_of_one():
    alone, energy_ev = say(sys.executable, "-c", ENERGY).split()
    both, energy_of_two_ev = say("mpirun", "-n", "2", sys.executable, "-c", ENERGY).split()
    assert (alone, both) == ("1", "2")
    assert float(energy_of_two_ev) == pytest.approx(float(energy_ev), abs=1e-6)
    assert float(energy_ev) < -3  # bound: two atoms of Li
