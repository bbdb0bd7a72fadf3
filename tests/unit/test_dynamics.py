"""Molecular dynamics: exact restart, physics that can be computed by hand, and loud failures."""

import fcntl

import numpy as np
import pytest
from ase import units
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT

from bpstudy.config.systems import Simulation
from bpstudy.data.trajectory import degrees_of_freedom, read_frames, temperature_kelvin
from bpstudy.dynamics.chunks import DynamicsError, State, initial_state, run, run_chunk, sole_writer

CRYSTAL = {"lattice": "fcc", "element": "Cu", "lattice_constant_angstrom": 3.61, "cell": "cubic", "repeat": [1, 1, 1]}
DYNAMICS = {"temperature_kelvin": 300.0, "timestep_fs": 1.0, "friction_per_fs": 0.01, "seed": 1}


def copper(**changes):
    return Simulation.model_validate(
        {"crystal": CRYSTAL, "calculator": {"name": "emt"}, "dynamics": DYNAMICS | changes}
    )


class Springs(Calculator):
    """Each atom on a spring to its place of the ideal crystal: equipartition is exact."""

    implemented_properties = ("energy", "free_energy", "forces")

    def __init__(self, places, k=5.0):
        super().__init__()
        self.places, self.k = places, k

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        moved = atoms.positions - self.places
        energy = self.k / 2 * (moved**2).sum()
        self.results = {"energy": energy, "free_energy": energy, "forces": -self.k * moved}


def test_a_restarted_run_equals_an_uninterrupted_one():
    system = copper()
    start = initial_state(system)
    places = start.atoms().positions
    whole, end = run(start, system.dynamics, 20, Springs(places))
    first, between = run(start, system.dynamics, 8, Springs(places))
    second, again = run(between, system.dynamics, 20, Springs(places))
    assert len(whole) == 21
    assert again == end
    for a, b in zip(whole, first + second, strict=True):
        assert np.array_equal(a.positions, b.positions)
        assert np.array_equal(a.get_momenta(), b.get_momenta())


def test_a_state_survives_the_disk(tmp_path):
    system = copper()
    _, state = run(initial_state(system), system.dynamics, 3, EMT())
    state.write(tmp_path / "state.json")
    again = State.read(tmp_path / "state.json")
    assert again == state
    assert again.rng().normal() == state.rng().normal()


def test_the_run_starts_from_the_ideal_crystal_at_rest():
    state = initial_state(copper())
    atoms = state.atoms()
    assert np.allclose(atoms.get_momenta().sum(axis=0), 0, atol=1e-12)
    assert np.allclose(atoms.positions % (3.61 / 2), 0)
    assert temperature_kelvin(atoms) == pytest.approx(300, rel=1.5)
    assert initial_state(copper(seed=2)).momenta != state.momenta


@pytest.mark.slow
def test_temperature_and_energy_follow_equipartition():
    system = Simulation.model_validate(
        {
            "crystal": CRYSTAL | {"repeat": [2, 2, 2]},
            "calculator": {"name": "emt"},
            "dynamics": DYNAMICS | {"temperature_kelvin": 500.0, "friction_per_fs": 0.05, "timestep_fs": 2.0},
        }
    )
    start = initial_state(system)
    frames, _ = run(start, system.dynamics, 6000, Springs(start.atoms().positions))
    frames = frames[500:]
    freedom = degrees_of_freedom(len(frames[0]))
    temperatures = np.array([temperature_kelvin(frame) for frame in frames])
    potential = np.array([frame.get_potential_energy() for frame in frames])
    # sd of the means: T·√(2/3N′)/√(independent samples), some 6000·2 fs over 2/γ = 40 fs
    assert temperatures.mean() == pytest.approx(500, rel=0.03)
    assert potential.mean() == pytest.approx(freedom / 2 * units.kB * 500, rel=0.03)
    assert temperatures.std() == pytest.approx(500 * np.sqrt(2 / freedom), rel=0.15)


def test_the_centre_of_mass_stays():
    system = copper()
    frames, _ = run(initial_state(system), system.dynamics, 50, EMT())
    centres = np.array([frame.get_center_of_mass() for frame in frames])
    assert np.abs(centres - centres[0]).max() < 1e-10
    assert max(np.abs(frame.get_momenta().sum(axis=0)).max() for frame in frames) < 1e-10


def test_chunks_join_to_one_trajectory(tmp_path):
    system = copper()
    run_chunk(system, 0, 4, None, tmp_path / "0.traj", tmp_path / "0.json")
    run_chunk(system, 4, 6, tmp_path / "0.json", tmp_path / "1.traj", tmp_path / "1.json")
    assert [len(read_frames(tmp_path / name)) for name in ("0.traj", "1.traj")] == [5, 2]
    assert State.read(tmp_path / "1.json").step == 6


class Failing(EMT):
    """Fails, or returns nonsense, from its third energy on."""

    def __init__(self, failure):
        super().__init__()
        self.failure, self.calls = failure, 0

    def calculate(self, *arguments):
        super().calculate(*arguments)
        self.calls += 1
        if self.calls > 2 and self.failure is not None:
            raise self.failure
        if self.calls > 2:
            self.results["forces"][0, 0] = np.nan


@pytest.mark.parametrize(
    ("failure", "said"), [(RuntimeError("did not converge"), "RuntimeError: did not converge"), (None, "not finite")]
)
def test_a_bad_step_is_named(failure, said):
    system = copper()
    with pytest.raises(DynamicsError, match=f"step 2: .*{said}|step 3: .*{said}"):
        run(initial_state(system), system.dynamics, 5, Failing(failure))


def test_nothing_of_a_failed_chunk_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("bpstudy.dynamics.chunks.make_calculator", lambda settings, log: Failing(RuntimeError("no")))
    with pytest.raises(DynamicsError):
        run_chunk(copper(), 0, 5, None, tmp_path / "0.traj", tmp_path / "0.json")
    assert not [path for path in tmp_path.iterdir() if not path.name.endswith(".lock")]


def test_a_second_writer_is_refused(tmp_path):
    with (tmp_path / ".0.traj.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DynamicsError, match="another process"), sole_writer(tmp_path / "0.traj"):
            pass
    with sole_writer(tmp_path / "0.traj"):  # free again
        pass


def test_a_refused_writer_does_not_touch_the_log_of_the_first(tmp_path, monkeypatch):
    def begins_its_log(settings, log):
        log.write_text("anew")

    monkeypatch.setattr("bpstudy.dynamics.chunks.make_calculator", begins_its_log)
    log = tmp_path / "gpaw.txt"
    log.write_text("of the first")
    with sole_writer(tmp_path / "0.traj"), pytest.raises(DynamicsError, match="another process"):
        run_chunk(copper(), 0, 5, None, tmp_path / "0.traj", tmp_path / "0.json", log)
    assert log.read_text() == "of the first"


def test_a_state_of_another_step_is_refused(tmp_path):
    initial_state(copper()).write(tmp_path / "0.json")
    with pytest.raises(DynamicsError, match="is at step 0, this chunk starts at 4"):
        run_chunk(copper(), 4, 6, tmp_path / "0.json", tmp_path / "1.traj", tmp_path / "1.json")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"step": 3}'])
def test_a_damaged_state_is_named(tmp_path, text):
    (tmp_path / "0.json").write_text(text)
    with pytest.raises(DynamicsError, match=r"0\.json: not a state of the dynamics"):
        State.read(tmp_path / "0.json")
