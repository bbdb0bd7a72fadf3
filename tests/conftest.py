import datetime
import json
import re
import time
from pathlib import Path

import numpy as np
import pytest

from tests import faults, sharing
from tests.workflow.project import TRAINED, TRAJECTORY, checksums, copied, snakemake, with_emt

ROWS = pytest.StashKey[dict]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", type=Path, help="JSON file that keeps the outcome of each test marked `fault`")
    parser.addoption("--kills", type=int, default=1, help="random kills of the small study (make test-faults: 50)")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=sharing.in_order)
    for item in items:
        if name := sharing.group(item):
            item.add_marker(pytest.mark.xdist_group(name))


NUMPY = {"empty": np.empty, "empty_like": np.empty_like}
ERRORS = np.geterr()


def pytest_collection_finish() -> None:
    """NumPy as it is, which GPAW changes for all when it is imported under pytest."""
    for name, function in NUMPY.items():
        setattr(np, name, function)
    np.seterr(**ERRORS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    marker = item.get_closest_marker("fault")
    if marker and report.when == "call" and not report.skipped:
        fault, expected = marker.args
        where = {"slurm": "SLURM", "unit": faults.INPUTS}.get(item.path.parent.name, "one machine")
        rows, key = item.config.stash[ROWS], faults.key_of(item.nodeid, where, fault)
        before = rows.get(key, {"tried": 0, "survived": True})
        told = dict(report.user_properties)
        rows[key] = {
            "where": where,
            "fault": fault,
            "expected": expected,
            "tried": before["tried"] + told.get("tried", 1),
            "survived": before["survived"] and report.passed,
            "date": datetime.date.today().isoformat(),
        }
        if where == faults.INPUTS:
            rows[key]["now"] = told.get("now", before.get("now", ""))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    file = session.config.getoption("faults")
    if file and session.config.stash[ROWS]:
        faults.keep(file, session.config.stash[ROWS])


@pytest.fixture
def now(record_property):
    """Call it with what the program says of an input: the table of faults shows it, without this machine's paths."""

    def tell(text: object) -> str:
        said = " ".join(str(text).split())
        record_property("now", re.sub(r"(/[\w.+-]+)+/", "", said))
        return said

    return tell


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose small study ran undisturbed; what a test changes there, it changes back."""
    return sharing.once(tmp_path_factory, "finished", _finish)


def _finish(folder: Path) -> None:
    with_emt(copied(folder))
    began = time.monotonic()
    run = snakemake(folder, "--cores", "2", "--", TRAJECTORY, TRAINED)
    assert run.returncode == 0, run.stderr[-3000:]
    told = {"seconds": time.monotonic() - began, "checksums": checksums(folder)}
    (folder / "undisturbed.json").write_text(json.dumps(told))


@pytest.fixture(scope="session")
def undisturbed(finished: Path) -> dict[str, str]:
    """Checksums of its results."""
    return json.loads((finished / "undisturbed.json").read_text())["checksums"]


@pytest.fixture(scope="session")
def usual_seconds(finished: Path) -> float:
    """What its run took."""
    return json.loads((finished / "undisturbed.json").read_text())["seconds"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with that small study."""
    return with_emt(copied(tmp_path))
