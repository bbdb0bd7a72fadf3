import datetime
import re
import sys
from pathlib import Path

import pytest

from tests import faults
from tests.workflow.project import TRAINED, TRAJECTORY, checksums, copied, snakemake, with_emt

FOLDERS = ["unit", "workflow", "reliability"]  # in this order, others after them
ROWS = pytest.StashKey[dict]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", type=Path, help="JSON file that keeps the outcome of each test marked `fault`")
    parser.addoption("--kills", type=int, default=1, help="random kills of the small study (make test-faults: 50)")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is fast and small comes first, so that a failure shows early; slow tests come last."""

    def order(item: pytest.Item) -> tuple[bool, int]:
        folder = item.path.parent.name
        return item.get_closest_marker("slow") is not None, FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)

    items.sort(key=order)


def pytest_collection_finish() -> None:
    """The fits' one thread, before any test uses TensorFlow, which cannot change it later."""
    if "tensorflow" in sys.modules:
        from bpstudy.training import set_threads

        with set_threads(1):
            pass


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
    folder = with_emt(copied(tmp_path_factory.mktemp("finished")))
    run = snakemake(folder, "--cores", "2", "--", TRAJECTORY, TRAINED)
    assert run.returncode == 0, run.stderr[-3000:]
    return folder


@pytest.fixture(scope="session")
def undisturbed(finished: Path) -> dict[str, str]:
    """Checksums of its results."""
    return checksums(finished)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with that small study."""
    return with_emt(copied(tmp_path))
