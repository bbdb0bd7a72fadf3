# ruff: noqa: E501 - a table of cases
"""What people write in a configuration: each ends valid and meant, or in an error that names file, line or key."""

import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bpstudy.config.explain import WRONG
from bpstudy.config.files import merged, overlay, read_file
from bpstudy.config.study import ConfigError, load

ROOT = Path(__file__).parents[2]
STUDY = yaml.safe_load((ROOT / "config.yaml").read_text())


def case(text, said, fault, expected="refused; the message says what to write"):
    return pytest.param(text, said, marks=pytest.mark.fault(fault, expected), id=fault)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        case("seeds: [1]\nthermal: {block_fs: 50.0}\nseeds: [2]\n", "line 3: duplicate key seeds (also in line 1)", "a key that stands in an overlay twice", "refused: YAML would keep the last without a word"),
        case("systems:\n  NO: {trajectory: x.xyz}\n", 'line 2: YAML reads the key NO as a truth value; quote it: "NO"', "a system called `NO`"),
        case("systems:\n  on: {trajectory: x.xyz}\n", 'line 2: YAML reads the key on as a truth value; quote it: "on"', "a system called `on`"),
        case("systems:\n  300: {trajectory: x.xyz}\n", 'line 2: YAML reads the key 300 as a number; quote it: "300"', "a system called `300`"),
        case("systems:\n  null: {trajectory: x.xyz}\n", 'line 2: YAML reads the key null as no value; quote it: "null"', "a system called `null`"),
        case("seeds: [010]\n", "line 1: YAML reads 010 as 8; write 8, or quote text", "`010`, which YAML 1.1 reads as octal"),
        case("held_out_gap_frames: 1:30\n", "line 1: YAML reads 1:30 as 90", "`1:30`, which YAML 1.1 reads as sexagesimal"),
        case("archive: r\xe9sultats\n".encode("latin-1"), "line 1: not UTF-8 (byte 0xe9); save the file as UTF-8", "an overlay in Latin-1", "refused, with the line and the encoding to save it in"),
        case("seeds: [1]\n".encode("utf-16"), "line 1: not UTF-8 (byte 0xff); save the file as UTF-8", "an overlay in UTF-16", "refused, with the encoding to save it in"),
        case("figures:\n\tdpi: 100\n", "line 2: not valid YAML", "a tab in an overlay", "refused, with the line"),
        case("paper_date: 2026-02-30\n", "not valid YAML: day is out of range", "30 February"),
        case("- 1\n", "must hold `key: value` lines, not a list", "an overlay that is a list"),
        case("[a, b]: 1\n", "line 1: a key must be text", "an overlay whose key is a list"),
        case("seeds: !!python/object/apply:os.system [exit 7]\n", "could not determine a constructor", "code in an overlay", "refused; nothing is run"),
    ],
)  # fmt: skip
def test_files_that_say_something_else(tmp_path, content, said, now):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as error:
        merged([ROOT / "config.yaml", path])
    assert said in now(error.value)
    assert "mine.yaml" in str(error.value)


@pytest.mark.fault("an overlay with a byte order mark, spaces and umlauts in its name", "read as any other")
def test_files_that_are_fine(tmp_path):
    path = tmp_path / "mein Überbau 2.yaml"
    path.write_text("archive: null\nseeds: [0x]\n".replace("0x", "3"), encoding="utf-8-sig")
    assert read_file(path) == {"archive": None, "seeds": [3]}
    path.write_text("")
    assert read_file(path) == {}
    path.write_text("base: &b {a: 1}\nother: {<<: *b, c: 2}\ny: Y\nbig: 1_000\n")
    assert read_file(path) == {"base": {"a": 1}, "other": {"a": 1, "c": 2}, "y": "Y", "big": 1000}
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        read_file(tmp_path / "none.yaml")


def crystal(**changes):
    base = {"lattice": "fcc", "element": "Cu", "lattice_constant_angstrom": 3.61, "cell": "cubic", "repeat": [1, 1, 1]}
    return {"systems": {"cu4": {"crystal": base | changes}}}


def experiment(**changes):
    return {"experiments": {"dense": changes}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        case("optimizers: {validated: {min_progress: 1e-3}}", "optimizers.validated.min_progress = '1e-3'", "`min_progress: 1e-3`, which YAML 1.1 reads as text", "refused, with `1.0e-3`"),
        case("optimizers: {validated: {min_progress: 1e3}}", "write 1.0e+3", "`1e3`, which YAML 1.1 reads as text"),
        case("optimizers: {validated: {max_iterations: 1e3}}", "write 1000, without quotes", "`max_iterations: 1e3`"),
        case('optimizers: {validated: {min_progress: "0,33"}}', "a decimal comma is not a number in YAML: write 0.33", "`0,33` with a decimal comma"),
        case("optimizers: {validated: {min_progress: 0,33}}", "33 is a key without a value; a decimal comma?", "`{min_progress: 0,33}` with a decimal comma"),
        case("systems: {cu4: {calculator: {cutoff_ev: 350 eV}}}", "write 350 alone: the unit is part of the key's name", "`350 eV`"),
        case('systems: {cu4: {calculator: {cutoff_ev: "350"}}}', "it is text: write 350, without quotes", "a number in quotes"),
        case("systems: {cu4: {steps: 1000.0}}", "write 1000, without a decimal point", "`steps: 1000.0`"),
        case("systems: {cu4: {crystal: {element: No}}}", 'write it in quotes, "No" for nobelium', "`element: No`, which YAML 1.1 reads as false"),
        case("systems: {cu4: {crystal: {element: cu}}}", "not a chemical symbol (write Cu)", "`element: cu`"),
        case("systems: {mine: {trajectory: on}}", "as a truth value: write it in quotes", "`trajectory: on`"),
        case("systems: {mine: {trajectory: 300}}", 'write it in quotes, "300"', "`trajectory: 300`"),
        case("systems: {mine: {trajectory: null}}", "name either `trajectory`", "`trajectory: null`"),
        case("systems: {cu4: {steps: yes}}", "as a truth value", "`steps: yes`"),
        case("systems: {cu4: {dynamics: {temperature_kelvin: .nan}}}", "finite number", "`.nan`"),
        case("comparisons: {confidence: .inf}", "comparisons.confidence = inf", "`.inf`"),
        case("angular_tolerance: .nan", "angular_tolerance = nan", "`angular_tolerance: .nan`"),
        case("systems: {cu4: {crystal: {lattice: hcp, lattice_constant_angstrom: 2.6}}}", "hcp has no such cell; allowed: primitive", "`lattice: hcp, cell: cubic`"),
        case("systems: {cu4: {crystal: {cell: primitive}}}", "a cell of one atom has no temperature", "a cell of one atom"),
        case("systems: {cu4: {crystal: {repeat: [1000, 1000, 1000]}}}", "4000000000 atoms, at most 10000", "a crystal of 4e9 atoms"),
        case("systems: {cu4: {crystal: {lattice_constant_angstrom: 0.361}}}", "is the unit Å?", "a lattice constant in nm"),
        case("systems: {cu4: {crystal: {lattice_constant_angstrom: 6.82}}}", "is the unit Å?", "a lattice constant in Bohr"),
        case("systems: {li27: {calculator: {name: emt}}}", "unknown key", "`calculator: {name: emt}` laid over GPAW's settings", "refused: GPAW's keys are unknown to it"),
        case("systems: {cu4: {dynamics: {timestep_fs: 0.001}}}", "greater than or equal to 0.01", "a time step in ps"),
        case("systems: {cu4: {dynamics: {friction_per_fs: 10.0}}}", "less than or equal to 1", "a friction in 1/ps"),
        case("systems: {cu4: {dynamics: {temperature_kelvin: 0.025}}}", "greater than or equal to 1", "a temperature in eV"),
        case("systems: {cu4: {calculator: {cutoff_ev: 13.0}}}", "greater than or equal to 30", "a cutoff in Hartree"),
        case("systems: {cu4: {calculator: {smearing_ev: 300.0}}}", "less than or equal to 10", "a smearing in K"),
        case("unit_functions: {cutoff_angstrom: 0.6}\nexperiments: {dense: {functions: [{type: G1, count: 2, cutoff_angstrom: 0.8, grid: graded}]}}", "greater than or equal to 1", "a cutoff Rc in nm"),
        case("figures: {width_cm: 170.0}", "less than or equal to 50", "a width in mm"),
        case("systems: {mine: {trajectory: a.xyz}}\nproperties: {system: mine}", "has no `crystal`; name a system with one", "properties of a trajectory of one's own"),
        case("properties: {volumes: [95.0, 100.0, 105.0]}", "less than or equal to 3", "volumes in per cent"),
        case("properties: {volumes: [1.0, 1.0, 1.0, 1.0]}", "duplicate 1.0; remove one", "volumes that are all the same"),
        case("with_forces: {runs: {supercell: [1000, 1000, 1000]}}", "at most 10000 copies", "a supercell of 1e9 cells"),
        case("with_forces: {runs: {nvt_steps: 100}}", "need 800 or more", "runs too short for their correlations", "refused before the first job"),
        case("with_forces: {runs: {from_fs: 1.0e+6}}", "lags up to longest_fs", "a reference shorter than what is left out of it", "refused before the first job"),
        case("seeds: [1, 2, 1]", "duplicate seed", "a duplicate seed"),
        case("information: {cutoffs_angstrom: [4.0, 4.0]}", "duplicate 4.0", "a duplicate cutoff"),
        case("comparisons: {groups: {types: [dense, dense]}}", "duplicate 'dense'", "an experiment compared with itself"),
        case("comparisons: {decided_on: independnt}", "comparisons.decided_on = 'independnt': not one of frames", "a misspelt `decided_on`", "refused before the first job"),
        case("reported: {seconds: {dens: 1.0}}", "reported.seconds.dens: not one of experiments", "a misspelt experiment in `reported`"),
        case("reported: {magnitudes: [G1, G9]}", "magnitudes.1 = 'G9'", "a type of functions that does not exist"),
        case("frames: {validation: {count: 1}}", "frames.validation.count = 1: at least 2", "`validation` of one frame", "refused before the first job"),
        case("frames: {first: {count: 3}}", "frames.first: 3 frames, at least 10 are needed", "three frames to train on", "refused before the first job"),
        case("frames: {First: {system: li27, count: 20}}", "frames: first and First differ only in upper and lower case", "names that differ in case only"),
        case("systems: {li27-b: {dynamics: {seed: 1}}}", "the same trajectory and not an independent one", "an \"independent\" system of the same random seed", "refused: its frames are those trained on"),
        case("systems: {schrödinger: {trajectory: x.xyz}}", "ASCII letters, digits", "a name with an umlaut"),
        case("systems: {" + "a" * 300 + ": {trajectory: x.xyz}}", "at most 100 characters", "a name of 300 letters"),
        case('archive: ""', "at least 1 character", "`archive: \"\"`"),
        case("sytems: {}", "unknown key; remove it or correct its spelling (did you mean systems?)", "a misspelt section"),
        case("systems: {cu4: {calculator: {cutof_ev: 300.0}}}", "(did you mean cutoff_ev?)", "a misspelt key"),
        case("systems: {li72: {steps: 100}}", "systems.li72.crystal: is missing (did you mean li27?)", "an overlay on a system that does not exist"),
    ],
)  # fmt: skip
def test_values_that_nobody_meant(tmp_path, text, said, now):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load(merged([ROOT / "config.yaml", tmp_path / "mine.yaml"]))
    assert said in now(str(error.value).removeprefix(WRONG))


@pytest.mark.fault("EMT for sodium", "refused before the first job, with the elements it has")
def test_emt_for_another_element(now):
    values = copy.deepcopy(STUDY)
    values["systems"]["li27"]["calculator"] = {"name": "emt"}
    with pytest.raises(ConfigError, match="'emt': not for Li; allowed: Al, Cu") as error:
        load(values)
    now(str(error.value).removeprefix(WRONG))


def test_a_negative_zero_is_zero():
    runs = {"with_forces": {"runs": {"from_fs": -0.0}}}
    assert str(load(overlay(STUDY, runs)).with_forces.runs.from_fs) == "0.0"


def outcome(function, argument):
    """What an error says, or what the function gives; any other error than ConfigError fails the test."""
    try:
        return "", function(argument)
    except ConfigError as error:
        return str(error), None


def leaves(values, path=()):
    """Every place of a value in the configuration."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from leaves(value, (*path, key))


PLACES = sorted(leaves(STUDY), key=str)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["1e-3", "0,5", "No", "", " ", "dense", "first", "li27", "G1", "10 fs", "−1"]),
    st.lists(st.integers(-2, 3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.mark.fault(
    "any value anywhere in the configuration", "a valid study, or an error that names the key; no traceback"
)
@settings(max_examples=60, deadline=None)
@given(place=st.sampled_from(PLACES), value=ODD)
@example(place=("frames", "thinned"), value=None)  # its experiments go with it, and the figures miss them
@example(place=("systems", "li27"), value=None)
@example(place=("protocols", "long-forces", "held_out"), value=[])
def test_anything_anywhere_is_valid_or_named(place, value):
    values = copy.deepcopy(STUDY)
    section = values
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = value
    said, study = outcome(load, values)
    assert (study is None) == bool(said)
    if study is None:
        written_out = [value] if place[0] == "lists" else []  # a member of a list becomes a part of names
        assert any(str(part) in said for part in [*place, *written_out])
    else:
        assert load(study.model_dump(mode="json")) == study


@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_any_text_is_a_mapping_or_an_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("text") / "mine.yaml"
    path.write_bytes(text.encode())
    said, values = outcome(read_file, path)
    assert "mine.yaml" in said if values is None else isinstance(values, dict)


def test_a_committee_of_one_seed_needs_no_frames():
    few = overlay(STUDY, {"frames": {"independent": {"count": 10}}, "selection": None})
    with pytest.raises(ConfigError, match=r"coverage\.confidence = 0\.95: needs 38 frames, frames\.independent has 10"):
        load(few)
    assert load(overlay(few, {"seeds": [0]})).with_forces.coverage is not None
