"""`bpstudy.running.doctor` on machines that lack one thing each."""

import io
import os
import sys
from collections import namedtuple
from importlib import metadata

import pytest
from rich.console import Console

from bpstudy.running import doctor


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A PATH with nothing on it; add(name, script) puts a program there."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def add(name, script):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return add


def test_this_machine_is_ready(request):
    checks = doctor.examine(request.config.rootpath)
    assert {check.name for check in checks} >= {
        "Python",
        "packages",
        "MPI",
        "GPAW",
        "PAW data",
        "disk",
        "SLURM",
        "conda",
    }
    assert [check for check in checks if check.status == "problem"] == []


def test_every_trouble_comes_with_advice(machine, tmp_path):
    for check in doctor.examine(tmp_path, elements=["Li", "Xx"]):
        assert bool(check.advice) == (check.status != "ok"), check


def test_another_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    check = doctor.check_python()
    assert (check.status, check.found) == ("problem", "3.12.1")
    assert "3.11" in check.advice


def test_packages_that_are_not_as_locked(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"numpy=={metadata.version('numpy')} \\\n    --hash=sha256:0\nscipy==0.1 \\\nno-such-package==2\n")
    check = doctor.check_packages(lock)
    assert check.status == "problem"
    assert check.found == f"scipy {metadata.version('scipy')}, not 0.1; no-such-package missing, not 2"


def test_names_of_packages_are_compared_in_their_normal_form(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"pyyaml=={metadata.version('PyYAML')}\ngpaw-data=={metadata.version('gpaw_data')}\n")
    assert doctor.check_packages(lock) == doctor.Check("packages", "ok", "all 2 as locked")


def test_outside_the_study(tmp_path):
    assert doctor.check_packages(tmp_path / "requirements.lock").status == "problem"


def test_no_mpi(machine):
    assert doctor.check_mpi().found == "mpirun is not on the PATH"


def test_mpi_that_starts_no_ranks(machine):
    machine("mpirun", '[ "$1" = --version ] && echo "Some MPI 1" && exit 0; echo "not enough slots" >&2; exit 1')
    check = doctor.check_mpi()
    assert (check.status, check.found) == ("problem", "not enough slots")


def test_a_program_that_hangs(machine):
    machine("sinfo", "exec /bin/sleep 60")
    assert doctor.run("sinfo", timeout_seconds=0.2) == (False, "sinfo did not answer within 0 s")


def test_the_users_mpi_settings_win(machine, monkeypatch):
    monkeypatch.setenv("OMPI_MCA_rmaps_base_oversubscribe", "mine")
    machine("show", 'echo "$OMPI_MCA_rmaps_base_oversubscribe $OMPI_ALLOW_RUN_AS_ROOT"')
    assert doctor.run("show") == (True, "mine 1")


def test_a_gpaw_that_cannot_be_imported(monkeypatch):
    monkeypatch.setattr(doctor, "_GPAW_PROBE", "import no_such_extension")
    (check,) = doctor.check_gpaw(["Li"])
    assert check.status == "problem"
    assert "no_such_extension" in check.found


def test_a_gpaw_without_fftw_and_without_data(monkeypatch):
    monkeypatch.setattr(doctor, "_GPAW_PROBE", """print('{"version": "1", "lacks": ["FFTW"], "no_data": ["Xx"]}')""")
    build, data = doctor.check_gpaw(["Xx"])
    assert (build.status, build.found) == ("problem", "1 without FFTW")
    assert (data.status, data.found) == ("problem", "none for Xx (PBE)")


def test_the_probe_finds_missing_data():
    build, data = doctor.check_gpaw(["Li", "Xx"])
    assert build.status == "ok"
    assert data.found == "none for Xx (PBE)"


@pytest.mark.parametrize(("limit", "cores"), [("max 100000", 8), ("150000 100000", 1.5), ("1600000 100000", 8)])
def test_cores_of_a_container(monkeypatch, tmp_path, limit, cores):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    (tmp_path / "cpu.max").write_text(limit + "\n")
    assert doctor.usable_cores(tmp_path / "cpu.max") == cores


def test_one_core(monkeypatch):
    monkeypatch.setattr(doctor, "usable_cores", lambda: 1.0)
    assert doctor.check_threads().status == "note"


def test_little_memory(monkeypatch):
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 500_000}.__getitem__)
    assert doctor.check_memory() == doctor.Check("memory", "problem", "2 GB", "one job needs up to 4 GB")


def test_a_full_disk(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage(10**12, 10**12, 2 * 10**9))
    assert doctor.check_disk(tmp_path).found == "2.0 GB free"


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    assert "cannot be written" in doctor.check_disk(tmp_path).found


def test_slurm_with_and_without_accounting(machine):
    machine("sbatch", "")
    machine("sinfo", "echo 'main* up 1:00 1 idle node'; echo 'long up 9:00 1 idle node'")
    assert doctor.check_slurm() == doctor.Check("SLURM", "ok", "2 partitions, no accounting")
    machine("sacct", "exit 0")
    assert doctor.check_slurm().found == "2 partitions, with accounting"


def test_slurm_that_forgets_its_jobs_soon(machine):
    machine("sbatch", "")
    machine("sinfo", "echo 'main* up 1:00 1 idle node'")
    machine("scontrol", "echo 'MinJobAge               = 60 sec'")
    check = doctor.check_slurm()
    assert (check.status, "after 60 s" in check.found) == ("note", True)
    machine("scontrol", "echo 'MinJobAge               = 300 sec'")
    assert doctor.check_slurm().status == "ok"


def test_slurm_whose_controller_is_down(machine):
    machine("sbatch", "")
    machine("sinfo", "echo 'slurm_load_partitions: Unable to contact slurm controller' >&2; exit 1")
    check = doctor.check_slurm()
    assert (check.status, check.found) == ("note", "slurm_load_partitions: Unable to contact slurm controller")


def test_conda(machine):
    assert doctor.check_conda().status == "note"
    machine("conda", "echo conda 25.1.0")
    assert doctor.check_conda() == doctor.Check("conda", "ok", "conda 25.1.0")


def test_table_shows_text_as_it_is():
    screen = io.StringIO()
    Console(file=screen, width=120).print(doctor.table([doctor.Check("MPI", "problem", "[red] exit", "do this")]))
    assert "MPI" in screen.getvalue()
    assert "[red] exit" in screen.getvalue()
    assert "do this" in screen.getvalue()
