"""Configurations, trajectories, features and models from a stranger: a clear error, nothing is executed."""

import io
import json
import pickle
import sys
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.config.study import Config, ConfigError, load
from bpstudy.data.trajectory import TrajectoryError, read_frames, snapshot
from bpstudy.descriptors.features import FeatureError, read_blocks
from bpstudy.dynamics.chunks import DynamicsError, State, initial_state
from bpstudy.network.model import ModelMismatchError, build_network, load_network
from bpstudy.network.normalization import EnergyScale, Scaler

ROOT = Path(__file__).parents[2]
STUDY = yaml.safe_load((ROOT / "config.yaml").read_text())
SUSPICIOUS = {
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pickle.find_class",
    "socket.connect",
    "subprocess.Popen",
}
WATCH = {"on": False, "seen": []}
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _audit(event, arguments, watch=WATCH):  # bound: at exit the module is empty
    if watch["on"] and event in SUSPICIOUS:
        watch["seen"].append((event, arguments))


sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def nothing_is_run():
    """Fails a test in which a program is started, a connection opened or a pickled object built."""
    WATCH.update(on=True, seen=[])
    yield
    WATCH["on"] = False
    assert WATCH["seen"] == []


@contextmanager
def nothing_worse_than(error, said):
    """What is inside works, or is refused with this error, whose message holds `said`."""
    try:
        yield
    except error as refusal:
        if said not in str(refusal):
            raise


class Attack:
    """Unpickled, it leaves a file behind."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def test_the_watch_sees_a_pickle(tmp_path):
    pickle.loads(pickle.dumps(Attack(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()
    assert {event for event, _ in WATCH["seen"]} == {"pickle.find_class"}
    WATCH["seen"].clear()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["$(reboot)", "a; reboot", "../../etc/passwd", "{threads}", "{0.__class__}", "'", "\0"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4),
    max_leaves=8,
)


def places(values, path=()):
    """The paths to all keys and items of the configuration."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


@FUZZ
@given(st.sampled_from(list(places(STUDY))), VALUES)
def test_any_value_anywhere_in_the_configuration(path, value):
    values = deepcopy(STUDY)
    section = values
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    with nothing_worse_than(ConfigError, "the configuration is wrong; nothing was run\n  "):
        assert isinstance(load(values), Config)


@FUZZ
@given(st.dictionaries(st.text(max_size=8) | st.integers(), VALUES, max_size=4))
def test_any_mapping_as_a_configuration(values):
    with pytest.raises(ConfigError):
        load(values)


@pytest.mark.parametrize("section", ["systems", "frames", "experiments", "optimizers"])
@pytest.mark.parametrize(
    "name", ["a; reboot", "$(reboot)", "`reboot`", "a b", "../a", "a/b", "-rf", "", "a\n", "é", "{threads}", "a'b"]
)
def test_names_that_a_shell_or_a_path_would_misread(section, name):
    values = deepcopy(STUDY)
    values[section][name] = next(iter(values[section].values()))
    # Braces in the name of an experiment stand for a list of the configuration.
    braces = section == "experiments" and name == "{threads}"
    with pytest.raises(ConfigError, match="not one of lists" if braces else "a name may hold ASCII letters"):
        load(values)


@pytest.mark.parametrize("functional", ["PBE; reboot", "$(reboot)", "PBE\n", "{threads}", "PBE'"])
def test_a_functional_is_a_word(functional):
    values = deepcopy(STUDY)
    values["systems"]["cu4"]["calculator"]["functional"] = functional
    with pytest.raises(ConfigError, match=r"systems\.cu4\.calculator\.functional"):
        load(values)


def test_a_template_is_refused_and_not_evaluated(tmp_path):
    attack = tmp_path / "attack.yaml"
    attack.write_text(f"__use_yte__: true\n?__import__('pathlib').Path({str(tmp_path / 'mark')!r}).touch(): 1\n")
    result = CliRunner().invoke(app, ["config", "check", str(ROOT / "config.yaml"), str(attack)])
    assert result.exit_code == 1
    assert "__use_yte__" in result.output
    assert not (tmp_path / "mark").exists()


def frames_of_copper():
    atoms = bulk("Cu", cubic=True)
    frames = []
    for seed in range(3):
        atoms.rattle(0.05, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
        frames.append(snapshot(atoms))
    return frames


@pytest.fixture(scope="module", params=["traj", "extxyz", "json", "db"])
def good(request, tmp_path_factory):
    """(suffix, content) of a sound trajectory in some format."""
    path = tmp_path_factory.mktemp("good") / f"good.{request.param}"
    write(path, frames_of_copper())
    return request.param, path.read_bytes()


def edits(size):
    """Changes of a file: bytes put in, taken out or replaced."""
    return st.lists(st.tuples(st.integers(0, size), st.integers(0, 40), st.binary(max_size=40)), min_size=1, max_size=4)


def edited(content, changes):
    for start, length, new in changes:
        content = content[:start] + new + content[start + length :]
    return content


@FUZZ
@given(st.data())
def test_a_damaged_or_forged_trajectory(good, tmp_path, data):
    suffix, content = good
    path = tmp_path / f"forged.{suffix}"
    path.write_bytes(edited(content, data.draw(edits(len(content)))))
    with nothing_worse_than(TrajectoryError, str(path)):
        assert all(np.isfinite(frame.get_potential_energy()) for frame in read_frames(path))


@pytest.mark.parametrize("suffix", ["traj", "pckl", "bundle", "py", "gpw", "npz"])
def test_a_pickle_in_the_place_of_a_trajectory(tmp_path, suffix):
    path = tmp_path / f"attack.{suffix}"
    path.write_bytes(b"PickleTrajectory" + pickle.dumps({"positions": Attack(tmp_path / "mark")}))
    with pytest.raises(TrajectoryError):
        read_frames(path)
    path.write_bytes(pickle.dumps(Attack(tmp_path / "mark")))
    with pytest.raises(TrajectoryError):
        read_frames(path)
    assert not (tmp_path / "mark").exists()


def test_a_program_in_the_place_of_a_trajectory(tmp_path):
    path = tmp_path / "attack.py"
    path.write_text(f"import pathlib; pathlib.Path({str(tmp_path / 'mark')!r}).touch()\n")
    with pytest.raises(TrajectoryError):
        read_frames(path)
    assert not (tmp_path / "mark").exists()


def test_pickled_features(tmp_path):
    path = tmp_path / "block.npy"
    np.save(path, np.array([Attack(tmp_path / "mark")], dtype=object), allow_pickle=True)
    path.with_suffix(".json").write_text(json.dumps({"frames": [0], "atoms": [[3]], "kinds": [0], "labels": ["G1"]}))
    with pytest.raises(FeatureError, match=r"block\.npy: cannot be read"):
        read_blocks([path])
    assert not (tmp_path / "mark").exists()


@FUZZ
@given(st.data())
def test_damaged_features(tmp_path, data):
    path = tmp_path / "block.npy"
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((6, 4)))
    path.write_bytes(edited(buffer.getvalue(), data.draw(edits(200))))
    path.with_suffix(".json").write_text(
        json.dumps({"frames": [0, 1], "atoms": [[3] * 3], "kinds": [0, 0], "labels": ["G1"] * 4})
    )
    with nothing_worse_than(FeatureError, "block.npy"):
        assert read_blocks([path]).rows["Li"].values.shape == (6, 4)


@FUZZ
@given(st.data())
def test_a_damaged_state(tmp_path, data):
    initial_state(load(STUDY).systems["cu4"]).write(tmp_path / "good.json")
    content = (tmp_path / "good.json").read_bytes()
    (tmp_path / "state.json").write_bytes(edited(content, data.draw(edits(len(content)))))
    with nothing_worse_than(DynamicsError, "state.json: not a state of the dynamics"):
        State.read(tmp_path / "state.json")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "good.keras"
    scaler = Scaler.fit(np.random.default_rng(0).normal(size=(30, 2)), ("G1", "G2"))
    build_network({"Li": scaler}, EnergyScale({"Li": 0.0}, 1.0, 1.0), hidden=(2,)).save(path)
    return path.read_bytes()


@settings(FUZZ, max_examples=40)
@given(st.data())
def test_a_damaged_model(model, tmp_path, data):
    path = tmp_path / "forged.keras"
    path.write_bytes(edited(model, data.draw(edits(len(model)))))
    with nothing_worse_than(ModelMismatchError, str(path)):
        load_network(path)
