"""A study no longer than its archive: the length follows the archive, the frames follow the length, and it is said."""

import json
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from bpstudy.config.base import ConfigError
from bpstudy.data.archived import MANIFEST, archived_steps
from bpstudy.data.prepare import prepare

ROOT = Path(__file__).parents[2]
LENGTHS = {"cu4": 1000, "li27-b": 1500}  # complete


def archive(folder, **steps):
    """Archives as far as their length goes: chunks of 250 steps in the manifest, and the record of the last."""
    for system, length in {**LENGTHS, **steps}.items():
        of_system = folder / system
        of_system.mkdir(parents=True)
        chunks = -(-length // 250)
        names = [f"{n:04d}.{end}" for n in range(chunks) for end in ("record.json", "state.json", "traj.xz")]
        (of_system / MANIFEST).write_text("".join(f"{'0' * 64}  {name}\n" for name in names))
        made = {"predicate": {"buildDefinition": {"externalParameters": {"steps": [250 * (chunks - 1), length]}}}}
        if chunks:
            (of_system / f"{chunks - 1:04d}.record.json").write_text(json.dumps(made))
    return folder


def study(folder, **changes):
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    update_config(values, yaml.safe_load((ROOT / "profiles/archived/study.yaml").read_text()))
    return prepare({**values, "archive": str(folder), **changes})


@pytest.mark.parametrize("held", [8000, 9250, 23500])
def test_a_short_archive_shortens_the_run_and_spreads_the_frames(tmp_path, held):
    found = study(archive(tmp_path, li27=held))
    assert found.study.systems["li27"].steps == held
    assert found.study.frames["strided"].stride == "even"
    chosen = found.study.frames["strided"].indices(held + 1)
    assert (len(chosen), chosen[0]) == (372, 0)
    assert chosen[-1] > 0.93 * held
    (line,) = [line for line in found.archived if line.startswith("li27:")]
    assert line.startswith(f"li27: {held} of 35000 steps archived")
    assert "frames.strided" in line
    assert found.study.systems["li27-b"].steps == 1500


@pytest.mark.parametrize("held", [23750, 35000])
def test_a_longer_archive_has_the_papers_frames(tmp_path, held):
    found = study(archive(tmp_path, li27=held))
    assert found.study.systems["li27"].steps == held
    assert found.study.frames["strided"].model_dump()["stride"] == 64
    assert list(found.study.frames["strided"].indices(held + 1)) == list(range(0, 372 * 64, 64))
    assert f"li27: {held} of 35000 steps archived" in found.archived


def test_the_complete_archive_is_the_study_itself(tmp_path):
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    complete = study(archive(tmp_path, li27=35000)).study
    own = prepare(values).study
    assert complete.systems == own.systems
    assert complete.frames == own.frames


def test_a_longer_archive_than_asked_is_not_used_up(tmp_path):
    found = study(archive(tmp_path, li27=36000))
    assert found.study.systems["li27"].steps == 35000


def test_no_archive_leaves_the_steps_for_the_check_of_the_archive(tmp_path):
    found = study(archive(tmp_path, li27=0))
    assert found.study.systems["li27"].steps == 35000
    assert "li27: 0 of 35000 steps archived" in found.archived


def test_a_gap_ends_the_archive(tmp_path):
    of_system = archive(tmp_path, li27=8000) / "li27"
    lines = (of_system / MANIFEST).read_text().splitlines(keepends=True)
    (of_system / MANIFEST).write_text("".join(line for line in lines if "0016" not in line))
    (of_system / "0031.record.json").rename(of_system / "0015.record.json")
    record = json.loads((of_system / "0015.record.json").read_text())
    record["predicate"]["buildDefinition"]["externalParameters"]["steps"] = [3750, 4000]
    (of_system / "0015.record.json").write_text(json.dumps(record))
    assert archived_steps(of_system) == 4000


@pytest.mark.parametrize("content", [None, "{", "{}", "[]"])
def test_a_record_that_cannot_be_read_is_named(tmp_path, content):
    record = archive(tmp_path, li27=500) / "li27/0001.record.json"
    record.unlink() if content is None else record.write_text(content)
    with pytest.raises(ConfigError, match=r"0001\.record\.json: cannot be read"):
        study(tmp_path)


def test_too_short_for_what_the_study_asks_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigError, match=r"frames\.first: 2000 frames are needed, li27 has 1001"):
        study(archive(tmp_path, li27=1000))


def test_by_default_the_steps_stay(tmp_path):
    found = study(archive(tmp_path, li27=8000), allow_short_archive=False)
    assert (found.study.systems["li27"].steps, found.archived) == (35000, ())


def test_the_archive_of_the_project_is_followed():
    found = study(ROOT / "resources/trajectories")
    assert found.study.systems["li27"].steps == archived_steps(ROOT / "resources/trajectories/li27") >= 8000
