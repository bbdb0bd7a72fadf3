"""The configuration: the study's own is valid, every mistake is named with its key, its value and what is allowed."""

import json
import re
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest
import yaml

from bpstudy.config.experiments import Protocol
from bpstudy.config.functions import GRIDS, Block
from bpstudy.config.lists import expanded
from bpstudy.config.study import ConfigError, load, schema_json
from bpstudy.symmetry.grids import SCHEMES

ROOT = Path(__file__).parents[2]
STUDY = yaml.safe_load((ROOT / "config.yaml").read_text())
FORCES = {"weight": 4.0, "frames": 200, "components": 27, "tested": 60}


def merged(base, overlay):
    """What Snakemake does with a configuration file laid over another."""
    result = dict(base)
    for key, value in overlay.items():
        nested = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if nested else value
    return result


def changed(path, value):
    """The study's configuration with one key set, or removed where the value is `...`."""
    values = deepcopy(STUDY)
    *outer, last = path.split("/")
    section = values
    for key in outer:
        section = section[int(key) if isinstance(section, list) else key]
    if value is ...:
        del section[last]
    else:
        section[int(last) if isinstance(section, list) else last] = value
    return values


def test_the_study_is_the_papers():
    study = load(STUDY)
    assert study.systems["li27"].steps == 35000
    assert study.systems["cu4"].steps == 1000
    assert study.frames["strided"].model_dump(exclude_unset=True) == {"system": "li27", "count": 372, "stride": 64}
    combinations = [name for name in study.experiments if name.startswith("types-") and name[-1].isdigit()]
    assert len(combinations) == 9
    for name in combinations:
        readings = [study.experiments[name + suffix] for suffix in ("", "-validated")]
        readings += [study.experiments[name + "-degenerate"]] if "-12G1-" in name else []
        for experiment in readings:
            assert sum(block.count for block in experiment.functions) == 24
            assert {block.cutoff_angstrom for block in experiment.functions} == {8.0}
            assert name == "types-" + "-".join(f"{block.count}{block.type}" for block in experiment.functions)


def line_of(name, experiment, keys):
    """An experiment as a line of experiments.tsv."""
    blocks = " ".join(f"{block.folder}/{block.slug}" for block in experiment.functions)
    others = (getattr(experiment, key) for key in keys)
    words = ("-".join(map(str, value)) if isinstance(value, tuple) else str(value) for value in others)
    forces = "-" if experiment.forces is None else " ".join(map(str, experiment.forces.model_dump().values()))
    return "\t".join([name, blocks, *words, forces])


def test_the_experiments_are_those_of_the_table():
    """experiments.tsv lists what the study compares, each in full: a change of config.yaml shows here."""
    header, *expected = (Path(__file__).parent / "experiments.tsv").read_text().splitlines()
    keys = header.split("\t")[2:-1]
    assert set(keys) <= set(Protocol.model_fields)
    assert [line_of(name, experiment, keys) for name, experiment in load(STUDY).experiments.items()] == expected


@pytest.mark.parametrize("overlay", sorted(ROOT.glob("profiles/*/study.yaml")), ids=lambda path: path.parent.name)
def test_profiles_are_overlays_on_the_same_study(overlay):
    study = load(merged(STUDY, yaml.safe_load(overlay.read_text())))
    assert list(study.experiments) == list(load(STUDY).experiments)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("sytems", {}, ["sytems = {}", "unknown key"]),
        ("seeds", ..., ["seeds: is missing"]),
        ("systems/cu4/calculator/cutof_ev", 3.0, ["systems.cu4.calculator.cutof_ev = 3.0", "unknown key"]),
        ("systems/cu4/calculator/cutoff_ev", "350 eV", ["systems.cu4.calculator.cutoff_ev = '350 eV'", "valid number"]),
        ("systems/cu4/calculator/name", "vasp", ["systems.cu4.calculator", "'vasp'", "'gpaw', 'emt'"]),
        ("systems/cu4/crystal/element", "Xx", ["systems.cu4.crystal.element = 'Xx'", "not a chemical symbol"]),
        ("systems/cu4/steps", 10.5, ["systems.cu4.steps = 10.5", "valid integer"]),
        ("systems/cu4/dynamics/timestep_fs", 0.0, ["systems.cu4.dynamics.timestep_fs = 0.0", "equal to 0.01"]),
        ("systems/cu4/dynamics/temperature_kelvin", float("nan"), ["temperature_kelvin = nan"]),
        (
            "systems/li-strained/deformation/volume",
            12.0,
            ["systems.li-strained.deformation.volume = 12.0", "less than 0.5"],
        ),
        ("systems/li-strained/deformation/seed", ..., ["systems.li-strained.deformation.seed: is missing"]),
        ("systems/li-strained/crystals", [], ["systems.li-strained.crystals = []", "at least 1"]),
        ("protocols/energies/stress", {"weight": 1.0}, ["systems.li27 is dynamics, which keep no stress", "null"]),
        ("protocols/paper/stress", {"weight": 1.0}, ["energy must be 'free' where there is stress"]),
        ("systems/new", {"trajectory": 3}, ["systems.new.trajectory = 3", "valid string"]),
        ("systems/a b", {"trajectory": "x.xyz"}, ["a b", "letters, digits"]),
        ("blocks/12G1/cutoff_angstrom", 0.0, ["blocks.12G1.cutoff_angstrom = 0.0"]),
        ("blocks/12G1/type", "G6", ["blocks.12G1.type = 'G6'", "'G1', 'G2', 'G3', 'G4' or 'G5'"]),
        ("blocks/12G2/grid", "graded", ["blocks.12G2", "grid 'graded' does not exist for G2", "fortnet"]),
        ("blocks/12G4/pairs", None, ["blocks.12G4", "pairs must be given for G4"]),
        ("functions/dense", ["25G2"], ["functions.dense = '25G2': not one of blocks", "allowed: 12G1, 6G1"]),
        (
            "functions/dense",
            ["12G1", "12G1"],
            ["experiments.dense.functions", "duplicate block of functions"],
        ),
        ("functions/dense", [{"type": "G6"}], ["functions.dense.0.type = 'G6'"]),
        ("experiments/dense/functions", "dens", ["experiments.dense.functions = 'dens': not one of functions", "rich"]),
        ("experiments/dense/functions", ["12G6"], ["experiments.dense.functions = '12G6': not one of blocks"]),
        ("experiments/dense/functions", ..., ["experiments.dense.functions: is missing"]),
        (
            "experiments/dense/protocol",
            "papers",
            ["experiments.dense.protocol = 'papers': not one of protocols", "paper"],
        ),
        ("experiments/dense/protocol", ..., ["experiments.dense.hidden: is missing"]),
        ("experiments/dense/hidden", [], ["experiments.dense.hidden = []", "at least 1"]),
        ("experiments/dense/hiden", [3], ["experiments.dense.hiden = [3]", "unknown key"]),
        ("protocols/paper/hidden", [], ["protocols.paper.hidden = []", "at least 1"]),
        ("protocols/paper/functions", [], ["protocols.paper.functions = []", "unknown key"]),
        ("lists/types", [], ["lists.types = []", "at least 1"]),
        ("lists", {}, ["experiments: 'types-{types}' names 'types', not one of lists"]),
        (
            "figures/overview",
            ["types-{tpes}"],
            ["figures.overview: 'types-{tpes}' names 'tpes'", "types, twelve-g1, fit"],
        ),
        ("comparisons/groups/types", ["dense"], ["groups.types: at least two experiments"]),
        ("with_forces/types", {"a": ["dense-energies", "dense-forces"]}, ["types: at least two pairs"]),
        (
            "experiments/dense/optimizer",
            "sgd",
            ["experiments.dense.optimizer = 'sgd'", "levenberg-marquardt, validated, damped, lbfgs"],
        ),
        ("experiments/dense/frames", "second", ["experiments.dense.frames = 'second'", "allowed: first, strided"]),
        ("optimizers/adam/learning_rate", None, ["optimizers.adam", "learning_rate must be given for adam"]),
        ("unit_functions/system", "cu5", ["unit_functions.system = 'cu5'", "allowed: cu4, li27"]),
        ("frames/first/count", 35002, ["frames.first: 35002 frames are needed, li27 has 35001"]),
        ("experiments/dense/validation", "first", ["dense.validation: frames.first starts at 0", "after 2399"]),
        ("experiments/dense/held_out", ["later", "later"], ["held_out: duplicate frames"]),
        ("experiments/dense/optimizer", "validated", ["dense: optimizers.validated has several weight decays"]),
        ("protocols/forces/energy", "total", ["protocols.forces", "energy must be 'free'", "'total'"]),
        (
            "experiments/dense-forces",
            {"energy": "total"},
            ["experiments.dense-forces", "energy must be 'free'", "'total'"],
        ),
        ("protocols/forces/forces/weight", 0.0, ["with_forces.others.dense[1]", "a forces.weight above 0"]),
        ("experiments/dense-energies", {"forces": None}, ["with_forces.others.dense[0]", "a forces.weight of 0"]),
        ("with_forces/held_out", "validation", ["with_forces.types.12G1+12G4[0]", "is not tested on 'validation'"]),
        ("with_forces/runs/seed", 77, ["with_forces.runs.seed = 77: is not one of seeds"]),
        ("with_forces/learning/pair", "5G3", ["with_forces.learning.pair = '5G3'", "12G1+12G4"]),
        ("with_forces/learning/counts", [10, 201], ["with_forces.learning.counts: 201 frames", "frames.spread", "200"]),
        ("with_forces/others/dense", ["dense", "sparse"], ["with_forces.others.dense[1] = 'sparse'", "not one of"]),
        (
            "experiments/strided/held_out",
            ["validation"],
            ["frames.validation starts at 2400", "must start after 24144"],
        ),
        (
            "figures/predictions/fig03",
            "sparse",
            ["figures.predictions.fig03 = 'sparse'", "the closest of 61: strided, "],
        ),
        ("figures/predictions/fig01", "dense", ["fig01", "taken"]),
        ("figures/formats", ["gif"], ["figures.formats.0 = 'gif'", "'png', 'svg' or 'pdf'"]),
        ("seeds", [1, 1], ["seeds = [1, 1]", "duplicate seed"]),
        ("frames/later/count", 9, ["frames.later: 9 frames, at least 10", "comparisons.groups.types"]),
        ("frames/independent/system", "li27", ["learning_curves.held_out: frames.independent starts at 300"]),
        ("seeds", [-1], ["seeds.0 = -1", "greater than or equal to 0"]),
        ("selection/budgets", [12, 900], ["selection.budgets: 900 functions", "the pool has at most"]),
        ("selection/budgets", [12, 12], ["selection.budgets", "duplicate 12"]),
        ("selection/methods", ["best"], ["selection.methods.0 = 'best'", "second-order"]),
        ("selection/main_method", "random", ["selection", "main_method = 'random'", "allowed: second-order"]),
        ("selection/random_sets", 7, ["random_sets = 7", "a multiple of the 5 seeds", "write 5"]),
        ("selection/frames", "sprad", ["selection.frames = 'sprad'", "allowed: first"]),
        ("selection/combinations", ["types"], ["selection.combinations[0] = 'types'", "not one of experiments"]),
        (
            "selection/held_out",
            "validation",
            ["selection.held_out: frames.validation starts at 2400, it must start after"],
        ),
        ("selection/pool/fractions", [], ["selection.pool.fractions"]),
        ("selection/pool/cutoff_angstrom", 0.5, ["selection.pool.cutoff_angstrom = 0.5"]),
    ],
)
def test_a_mistake_is_named(path, value, said):
    with pytest.raises(ConfigError) as error:
        load(changed(path, value))
    for part in said:
        assert part in str(error.value)


def test_without_forces_no_experiment_looks_at_them():
    study = load(changed("with_forces", None))
    assert study.experiments == {name: e for name, e in load(STUDY).experiments.items() if e.forces is None}
    assert len(study.experiments) < len(load(STUDY).experiments)


def test_the_choice_of_functions_can_be_left_out():
    assert load(changed("selection", None)).selection is None
    assert len(load(STUDY).selection.combinations) == 9


def test_a_name_written_out_is_laid_over_what_braces_make():
    study = load(changed("experiments/types-12G1-12G4-forces", {"hidden": [3], "forces": {**FORCES, "frames": 7}}))
    plain = load(STUDY)
    assert list(study.experiments) == list(plain.experiments)
    different = {name for name, e in study.experiments.items() if e != plain.experiments[name]}
    assert different == {"types-12G1-12G4-forces"}
    own = study.experiments["types-12G1-12G4-forces"]
    assert (own.hidden, own.forces.frames, own.optimizer) == ((3,), 7, "with-forces")


def test_an_experiment_may_be_written_without_set_and_protocol():
    entry = {
        "frames": "first",
        "functions": ["12G1", {"type": "G2", "count": 3, "cutoff_angstrom": 6.0, "grid": "fortnet"}],
        "hidden": [4],
        "optimizer": "lbfgs",
        "threads": 1,
    }
    own = load(changed("experiments/mine", entry)).experiments["mine"]
    assert [block.slug for block in own.functions] == ["G1-12-graded", "G2-3-fortnet"]
    assert (own.held_out, own.validation, own.forces, own.energy) == ((), None, None, "potential")


def test_what_an_entry_says_itself_replaces_the_protocols():
    values = changed("experiments/dense-validated/validation", None)
    values["experiments"]["dense-validated"]["optimizer"] = "adam"
    own = load(values).experiments["dense-validated"]
    assert (own.validation, own.optimizer, own.frames) == (None, "adam", "thinned")


def test_several_braces_are_all_pairs_the_last_changing_fastest():
    lists = {"a": ["x-1", "y"], "b": ["u", "v"]}
    values = {"lists": lists, "figures": {"{a}_{b}": "{a} of {b}", "{a:+}": ["{a}", "z{b}", "{a} {c}"]}}
    assert expanded({**values, "lists": {**lists, "c": ["w"]}})["figures"] == {
        "x-1_u": "x-1 of u",
        "x-1_v": "x-1 of v",
        "y_u": "y of u",
        "y_v": "y of v",
        "x+1": ["x-1", "zu", "zv", "x-1 w"],
        "y": ["y", "zu", "zv", "y w"],
    }
    assert expanded({"lists": lists, "systems": {"{c}": "{d}"}})["systems"] == {"{c}": "{d}"}


def test_all_mistakes_are_named_at_once():
    values = changed("seeds", [-1])
    values["systems"]["cu4"]["steps"] = 0
    with pytest.raises(ConfigError, match=r"(?s)systems\.cu4\.steps.*seeds\.0"):
        load(values)


def test_systems_that_nothing_names_are_not_used():
    values = changed("systems/spare", STUDY["systems"]["li27"])
    study = load(values)
    assert set(study.systems) - set(study.used_systems) == {"spare"}


def test_even_stride_spreads_the_frames_over_what_there_is():
    frames = load(changed("frames/curve/stride", "even")).frames["curve"]
    assert len(frames.indices(35001)) == 800
    assert frames.indices(35001).step == 43
    assert list(frames.indices(800)) == list(range(800))
    with pytest.raises(ValueError, match="800 frames of li27 are needed, its trajectory has 100"):
        frames.indices(100)


def test_the_shipped_schema_is_the_models():
    assert schema_json() == (ROOT / "src/bpstudy/config/config.schema.json").read_text()
    schema = json.loads(schema_json())
    jsonschema.validate(STUDY, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed("systems/cu4/steps", "many"), schema)


NAMES = (
    "lists",
    "blocks",
    "functions",
    "protocols",
    "systems",
    "optimizers",
    "frames",
    "experiments",
    "predictions",
    "sums",
    "dft_convergence",
    "variants",
    "types",
    "others",
)


def keys(section, outer=()):
    """Every key of the configuration that is not a name given by the user."""
    for key, value in section.items():
        if not (outer and outer[-1] in NAMES):
            yield key
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                yield from keys(part, (*outer, key))


def test_every_key_is_commented():
    lines = (ROOT / "config.yaml").read_text().splitlines()
    explained = " ".join(
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if "#" in line or before.lstrip().startswith("#")
    )
    found = set(keys(STUDY))
    assert len(found) > 60
    assert [key for key in sorted(found) if not re.search(rf"\b{key}\b", explained)] == []


def test_grids_are_those_that_exist():
    assert {(kind, name) for kind, names in GRIDS.items() for name in names} == set(SCHEMES)


def test_blocks_have_names_of_their_own():
    block = {"count": 12, "cutoff_angstrom": 8.0}
    names = {
        Block(type="G1", grid="graded", **block).slug,
        Block(type="G1", grid="degenerate", **block).slug,
        Block(type="G5", grid="fortnet", pairs="unordered", **block).slug,
        Block(type="G5", grid="fortnet", pairs="fortnet", **block).slug,
    }
    assert names == {"G1-12-graded", "G1-12-degenerate", "G5-12-fortnet-unordered", "G5-12-fortnet-fortnet"}


def test_a_system_that_is_null_takes_along_what_needs_it():
    study = load(merged(STUDY, {"systems": {"li-strained": None}}))
    assert study.properties is None
    assert set(load(STUDY).experiments) - set(study.experiments) == {"rich-strained"}
    assert {frames.system for frames in study.frames.values()} == {"li27", "li27-b"}


def test_frames_that_are_null_take_along_what_is_trained_on_them():
    study = load(merged(STUDY, {"frames": {"strained-validation": None}}))
    assert study.properties is None
    assert "rich-strained" not in study.experiments
