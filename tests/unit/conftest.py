"""A small project whose results are recorded."""

import shutil

import pytest

from bpstudy.provenance import record as records
from tests.unit import small_project


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A small project after a run of its workflow."""
    folder = tmp_path_factory.mktemp("made") / "project"
    folder.mkdir()
    small_project.make(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(records, "repository", lambda root: [])  # of the package's own sources, which may be in work
        patch.setattr("bpstudy.provenance.recording._script", list)
        small_project.run_all()
    return folder


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy of it as the working directory."""
    folder = tmp_path / "project"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(records, "repository", lambda root: [])
    monkeypatch.setattr("bpstudy.provenance.recording._script", list)
    return folder
