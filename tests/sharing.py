"""Tests on several cores: what stays together in one process, and what all processes share."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDERS = ["unit", "workflow", "reliability"]  # in this order, others after them


def in_order(item: pytest.Item) -> tuple[bool, bool, int]:
    """What is fast and small comes first, so that a failure shows early. Of the slow tests, those of the quick study
    come first: its run takes longest, and the others fill the cores beside it and after it."""
    folder, slow = item.path.parent.name, is_slow(item)
    place = FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)
    return slow, slow and "results" not in _fixtures(item), place


def group(item: pytest.Item) -> str | None:
    """Tests of one group run in one process, one after another; those of none run wherever there is room."""
    if item.path.parent.name == "reliability":
        return "finished" if {"finished", "damaged"} & set(_fixtures(item)) else None  # they change it, or copy it
    return f"{item.path.stem}-slow" if is_slow(item) else item.path.stem  # they share their module's fixtures


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first process to ask for it makes; the others wait for it.

    Raises:
        AssertionError: it could not be made, here or in another process.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, made, failed = root / name, root / f"{name}.made", root / f"{name}.failed"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not failed.exists(), failed.read_text()
        if not made.exists():
            folder.mkdir()
            try:
                make(folder)
            except BaseException as error:
                failed.write_text(f"{name} could not be made: {error}")
                raise
            made.touch()
    return folder


def is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])
