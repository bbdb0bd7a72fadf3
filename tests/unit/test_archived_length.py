"""An archive holds all steps of its system, or the study does not begin."""

import json
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from bpstudy.config.base import ConfigError
from bpstudy.data.archived import MANIFEST, archived_length
from bpstudy.data.prepare import prepare

ROOT = Path(__file__).parents[2]
LENGTHS = {"cu4": 1000, "li27": 35000, "li27-b": 6000, "li-strained": 300}  # complete: steps, or cells


def archive(folder, **steps):
    """Archives as far as their length goes: chunks of 250 steps in the manifest, and the record of the last."""
    for system, length in {**LENGTHS, **steps}.items():
        of_system = folder / system
        of_system.mkdir(parents=True)
        chunks = -(-length // 250)
        names = [f"{n:04d}.{end}" for n in range(chunks) for end in ("record.json", "state.json", "traj.xz")]
        (of_system / MANIFEST).write_text("".join(f"{'0' * 64}  {name}\n" for name in names))
        key = "cells" if system == "li-strained" else "steps"
        made = {"predicate": {"buildDefinition": {"externalParameters": {key: [250 * (chunks - 1), length]}}}}
        if chunks:
            (of_system / f"{chunks - 1:04d}.record.json").write_text(json.dumps(made))
    return folder


def study(folder, **changes):
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    update_config(values, yaml.safe_load((ROOT / "profiles/archived/study.yaml").read_text()))
    return prepare({**values, "archive": str(folder), **changes})


@pytest.mark.parametrize("held", [0, 8000, 34750])
def test_a_short_archive_is_an_error_before_the_first_job(tmp_path, held):
    with pytest.raises(ConfigError, match=rf"systems\.li27\.steps = 35000: .*li27 holds {held}; use fewer steps"):
        study(archive(tmp_path, li27=held))


def test_so_is_one_with_too_few_strained_cells(tmp_path):
    with pytest.raises(ConfigError, match=r"systems\.li-strained\.count = 300: .* holds 250; use fewer cells"):
        study(archive(tmp_path, **{"li-strained": 250}))


def test_the_complete_archive_is_the_study_itself(tmp_path):
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    complete = study(archive(tmp_path, li27=35000)).study
    own = prepare(values).study
    assert complete.systems == own.systems
    assert complete.frames == own.frames
    assert list(own.frames["strided"].indices(35001)) == list(range(0, 372 * 64, 64))


def test_a_longer_archive_than_asked_is_not_used_up(tmp_path):
    assert study(archive(tmp_path, li27=36000)).study.systems["li27"].steps == 35000


def test_the_archive_of_the_project_is_complete():
    assert study(ROOT / "resources/trajectories").study.systems["li27"].steps == 35000


def test_a_gap_ends_the_archive(tmp_path):
    of_system = archive(tmp_path, li27=8000) / "li27"
    lines = (of_system / MANIFEST).read_text().splitlines(keepends=True)
    (of_system / MANIFEST).write_text("".join(line for line in lines if "0016" not in line))
    (of_system / "0031.record.json").rename(of_system / "0015.record.json")
    record = json.loads((of_system / "0015.record.json").read_text())
    record["predicate"]["buildDefinition"]["externalParameters"]["steps"] = [3750, 4000]
    (of_system / "0015.record.json").write_text(json.dumps(record))
    assert archived_length(of_system) == 4000


@pytest.mark.parametrize("content", [None, "{", "{}", "[]"])
def test_a_record_that_cannot_be_read_is_named(tmp_path, content):
    record = archive(tmp_path, li27=500) / "li27/0001.record.json"
    record.unlink() if content is None else record.write_text(content)
    with pytest.raises(ConfigError, match=r"0001\.record\.json: cannot be read"):
        study(tmp_path)
