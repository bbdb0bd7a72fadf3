"""Chunks of real GPAW dynamics: killed and resumed equals uninterrupted; the length of a chunk does not matter."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bpstudy.data.trajectory import join
from bpstudy.dynamics.mpi import prepare_environment

ROOT = Path(__file__).parents[2]
LITHIUM = {  # two atoms and a loose cutoff: a tenth of a second a step
    "crystal": {
        "lattice": "bcc",
        "element": "Li",
        "lattice_constant_angstrom": 3.49,
        "cell": "cubic",
        "repeat": [1, 1, 1],
    },
    "calculator": {
        "name": "gpaw",
        "functional": "PBE",
        "cutoff_ev": 150.0,
        "kpoints": [2, 1, 1],
        "smearing_ev": 0.1,
        "bands": 6,
        "convergence": {
            "energy_ev_per_electron": 1e-4,
            "density_electrons_per_electron": 1e-4,
            "eigenstates_ev2_per_electron": 1e-6,
        },
        "mixer": None,
    },
    "dynamics": {"temperature_kelvin": 300.0, "timestep_fs": 1.0, "friction_per_fs": 0.01, "seed": 1},
}
pytestmark = [pytest.mark.gpaw, pytest.mark.slow]


def command(folder, name, first, last, before=None, simulation=LITHIUM):
    return [
        sys.executable,
        str(ROOT / "workflow/scripts/dynamics_chunk.py"),
        *("--settings", json.dumps(simulation)),
        *("--steps", str(first), str(last)),
        *(["--state-in", str(folder / f"{before}.json")] if before else []),
        *("--frames", str(folder / f"{name}.traj")),
        *("--state-out", str(folder / f"{name}.json")),
        *("--record", str(folder / f"{name}.record.json")),
        *("--calculator-log", str(folder / f"{name}.txt")),
    ]


def complete(arguments):
    return subprocess.run(
        arguments, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=900
    )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert complete(command(folder, "first", 0, 8)).returncode == 0
    assert complete(command(folder, "second", 8, 16, before="first")).returncode == 0
    return folder


def test_killed_and_resumed_equals_uninterrupted_to_the_bit(uninterrupted, tmp_path):
    assert complete(command(tmp_path, "first", 0, 8)).returncode == 0
    second = command(tmp_path, "second", 8, 16, before="first")
    killed = subprocess.Popen(second, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    log = tmp_path / "second.txt"
    while not log.exists() or log.read_text().count("Forces in eV/Ang") < 3:  # it is in mid-chunk
        assert killed.poll() is None
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "second.traj").exists()
    assert not (tmp_path / "second.json").exists()

    assert complete(second).returncode == 0
    for name in ("first.traj", "first.json", "second.traj", "second.json"):
        assert (tmp_path / name).read_bytes() == (uninterrupted / name).read_bytes(), name


def test_the_length_of_a_chunk_does_not_matter(uninterrupted, tmp_path):
    assert complete(command(tmp_path, "whole", 0, 16)).returncode == 0
    parts = join([uninterrupted / "first.traj", uninterrupted / "second.traj"])
    for a, b in zip(parts, join([tmp_path / "whole.traj"]), strict=True):
        # fresh wave functions after step 8 stop the self-consistent cycle elsewhere within its criteria
        assert a.get_potential_energy() == pytest.approx(b.get_potential_energy(), abs=1e-3)
        assert np.abs(a.positions - b.positions).max() < 1e-4


def test_frames_keep_both_energies_and_the_record_names_the_files(uninterrupted):
    for frame in join([uninterrupted / "first.traj"]):
        extrapolated, free = (frame.get_potential_energy(force_consistent=which) for which in (False, True))
        assert free < extrapolated
        assert frame.get_forces().shape == (2, 3)
        assert frame.has("momenta")
    record = json.loads((uninterrupted / "second.record.json").read_text())
    assert {Path(made["name"]).name for made in record["subject"]} == {"second.traj", "second.json"}
    parameters = record["predicate"]["buildDefinition"]["externalParameters"]
    assert parameters == {"steps": [8, 16], "simulation": LITHIUM}


def test_two_mpi_ranks_give_the_same_frames(tmp_path):
    assert complete(command(tmp_path, "one", 0, 2)).returncode == 0
    prepare_environment()
    two = complete(["mpirun", "-n", "2", *command(tmp_path, "two", 0, 2)])
    assert two.returncode == 0, two.stderr
    for a, b in zip(join([tmp_path / "one.traj"]), join([tmp_path / "two.traj"]), strict=True):
        assert a.get_potential_energy() == pytest.approx(b.get_potential_energy(), abs=1e-6)
        assert np.abs(a.get_forces() - b.get_forces()).max() < 1e-4
    assert (tmp_path / "two.record.json").exists()


def test_an_unconverged_cycle_ends_the_job_with_the_step(tmp_path):
    convergence = dict.fromkeys(LITHIUM["calculator"]["convergence"], 1e-30)
    hopeless = LITHIUM | {"calculator": LITHIUM["calculator"] | {"convergence": convergence, "kpoints": [1, 1, 1]}}
    ended = complete(command(tmp_path, "first", 0, 2, simulation=hopeless))
    assert ended.returncode != 0
    assert "dynamics failed: step 0: KohnShamConvergenceError" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "first.traj").exists()


def test_too_few_bands_end_the_job(tmp_path):
    four_atoms = LITHIUM["crystal"] | {"repeat": [2, 1, 1]}
    poor = LITHIUM | {"crystal": four_atoms, "calculator": LITHIUM["calculator"] | {"bands": 1}}
    ended = complete(command(tmp_path, "first", 0, 2, simulation=poor))
    assert ended.returncode != 0
    assert "dynamics failed: step 0" in ended.stderr
    assert "more bands" in ended.stderr
