import pytest

from tests.workflow import project, warm


@pytest.fixture(scope="session")
def _warm_programs(tmp_path_factory):
    with warm.programs(tmp_path_factory.mktemp("warm")) as folder:
        yield folder


@pytest.fixture
def warm_jobs(_warm_programs, monkeypatch):
    """The jobs of the test's studies start in milliseconds: see `warm`."""
    monkeypatch.setattr(project, "PYTHON", _warm_programs / "python")
