"""The `bpstudy` command: what it prints, its exit codes, no traceback for a mistake."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.config.study import load

ROOT = Path(__file__).parents[2]


def bpstudy(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_studys_configuration_is_valid():
    result = bpstudy("config", "check", ROOT / "config.yaml", ROOT / "profiles/quick/study.yaml")
    assert result.exit_code == 0
    experiments = len(load(yaml.safe_load((ROOT / "config.yaml").read_text())).experiments)
    seeds = len(yaml.safe_load((ROOT / "profiles/quick/study.yaml").read_text())["seeds"])
    assert f"4 systems, {experiments} experiments, {experiments * seeds} trainings" in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seeds: [0, 0]", "duplicate seed"),
        ("seeds: [", ": not valid YAML"),
        ("- 1", "must hold `key: value` lines, not a list"),
        ("", "systems: is missing"),
        ("seeds: !!python/object/apply:os.system [exit 7]", "could not determine a constructor"),
    ],
)
def test_a_wrong_configuration_is_one_clear_error(tmp_path, text, said):
    (tmp_path / "wrong.yaml").write_text(text)
    files = [tmp_path / "wrong.yaml"] if not text else [ROOT / "config.yaml", tmp_path / "wrong.yaml"]
    result = bpstudy("config", "check", *files)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_missing_file_is_an_error(tmp_path):
    result = bpstudy("config", "check", tmp_path / "none.yaml")
    assert (result.exit_code, "none.yaml" in result.output) == (1, True)


def test_the_schema_is_json():
    assert "systems" in json.loads(bpstudy("config", "schema").output)["properties"]


def test_archiving_nothing_says_so(tmp_path):
    result = bpstudy("archive", "cu4", "--results", tmp_path, "--into", tmp_path / "archive")
    assert "cu4: 0 chunks added, 0 in the archive" in result.output
