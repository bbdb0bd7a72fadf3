"""The documentation builds as a site: no dead links, no name in the reference that does not exist."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bpstudy.config.study import schema_json

PAGE = "reference/configuration.md"
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"NO_MKDOCS_2_WARNING": "1"})
    assert built.returncode == 0, built.stderr
    reference = (tmp_path / "site/reference/api/index.html").read_text()
    assert "bpstudy.potential.committee.Committee" in reference
    assert "bpstudy.symmetry.functions.G5" in reference
    configuration = (tmp_path / "site/reference/configuration/index.html").read_text()
    for key in json.loads(schema_json())["properties"]:
        assert f"<code>{key}</code>" in configuration


def test_every_page_is_in_the_navigation():
    def pages(entry):
        if isinstance(entry, str):
            yield entry
        for child in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
            yield from pages(child)

    shown = set(pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])) - {PAGE}  # which is generated
    assert shown == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
