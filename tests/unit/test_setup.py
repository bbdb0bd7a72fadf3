"""tools/setup.sh against stand-ins of Python, compilers and apt: done once, whole or not at all, by one at a time."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = [
    "bash",
    "cat",
    "cp",
    "cut",
    "dirname",
    "echo",
    "env",
    "flock",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "sha256sum",
    "sleep",
    "xargs",
]
LOCK = "".join(f"{name}==1.0 \\\n    --hash=sha256:00\n" for name in ("gpaw", "gpaw-data", "setuptools", "uv", "wheel"))

# Writes down what it installs; `-m venv` makes two copies of itself, one in the place of uv.
PYTHON = """#!/usr/bin/env bash
case "$*" in
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/uv" && echo venv >>"$LOG" ;;
*install*--editable*) echo package >>"$LOG" && [[ -z ${BROKEN:-} ]] ;;
*install*) echo "install $(cat "${@: -1}" | sed -n 's/==.*//p' | xargs) config=$GPAW_CONFIG" >>"$LOG"
    sleep "${SLOW:-0}" && [[ -z ${BROKEN:-} ]] ;;
*version_info*) [[ -z ${WRONG_PYTHON:-} ]] ;;
esac
"""
COMPILER = """#!/usr/bin/env bash
for library in ${MISSING:-}; do [[ " $* " != *" -l$library "* ]] || exit 1; done
"""
APT = """#!/usr/bin/env bash
echo "apt $(sed 's/.*recommends //' <<<"$*")" >>"$LOG"
[[ "$*" != *install* ]] || cp "${0%/*}/cc" "${0%/*}/mpicc"
"""


class Clone:
    """A folder with the set-up script, and a PATH that holds nothing but stand-ins and the tools it may use."""

    def __init__(self, place: Path) -> None:
        self.folder, self.bin, self.log = place / "a clone", place / "bin", place / "log"
        (self.folder / "tools").mkdir(parents=True)
        shutil.copy(ROOT / "tools" / "setup.sh", self.folder / "tools")
        (self.folder / "tools" / "gpaw_siteconfig.py").write_text("mpi = True\n")
        (self.folder / "requirements.lock").write_text(LOCK)
        (self.folder / "pyproject.toml").write_text("[project]\n")
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        self.add("python3.11", PYTHON)
        self.add("mpirun", "#!/bin/sh\n")
        for name in ("cc", "mpicc"):
            self.add(name, COMPILER)

    def add(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def start(self, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [self.folder / "tools" / "setup.sh"],
            cwd="/",
            env={"PATH": str(self.bin), "LOG": str(self.log), **environment},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, **environment: str) -> tuple[int, str]:
        process = self.start(**environment)
        said = process.communicate(timeout=60)[1]
        return process.returncode, said

    def done(self) -> list[str]:
        """What was done since the last call."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines

    @property
    def whole(self) -> list[str]:
        """A set-up from nothing: GPAW last and alone, with our options."""
        return [
            "venv",
            "install setuptools uv wheel config=",
            "install gpaw-data setuptools uv wheel config=",
            f"install gpaw config={self.folder}/tools/gpaw_siteconfig.py",
            "package",
        ]


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def test_sets_up_once(clone):
    assert clone.run()[0] == 0
    assert clone.done() == clone.whole
    assert clone.run() == (0, "")
    assert clone.done() == []


@pytest.mark.parametrize("changed", ["requirements.lock", "tools/gpaw_siteconfig.py"])
def test_a_changed_environment_is_made_anew(clone, changed):
    clone.run()
    clone.done()
    (clone.folder / ".venv" / "old").touch()
    with (clone.folder / changed).open("a") as file:
        file.write("# changed\n")
    assert clone.run()[0] == 0
    assert clone.done() == clone.whole
    assert not (clone.folder / ".venv" / "old").exists()


def test_a_changed_pyproject_reinstalls_only_this_package(clone):
    clone.run()
    clone.done()
    (clone.folder / "pyproject.toml").write_text("[project]\nversion = '2'\n")
    assert clone.run()[0] == 0
    assert clone.done() == ["package"]


def test_a_failed_change_that_is_taken_back_is_not_taken_for_done(clone):
    clone.run()
    (clone.folder / "pyproject.toml").write_text("[project]\nversion = '2'\n")
    assert clone.run(BROKEN="1")[0] != 0
    (clone.folder / "pyproject.toml").write_text("[project]\n")
    clone.done()
    assert clone.run()[0] == 0
    assert clone.done() == clone.whole


def test_a_moved_clone_is_set_up_anew(clone):
    clone.run()
    clone.done()
    clone.folder = clone.folder.rename(clone.folder.with_name("elsewhere"))
    assert clone.run()[0] == 0
    assert clone.done() == clone.whole


def test_a_lost_interpreter_is_noticed(clone):
    clone.run()
    clone.done()
    (clone.folder / ".venv" / "bin" / "python").unlink()
    assert clone.run()[0] == 0
    assert clone.done() == clone.whole


def test_a_failed_installation_leaves_nothing_that_counts(clone):
    assert clone.run(BROKEN="1")[0] != 0
    (clone.folder / ".venv" / "half-made").touch()
    clone.done()
    assert clone.run()[0] == 0
    assert clone.done() == clone.whole
    assert not (clone.folder / ".venv" / "half-made").exists()


def test_a_killed_set_up_is_done_again(clone):
    process = clone.start(SLOW="60")
    deadline = time.monotonic() + 20
    while not (clone.log.exists() and "install" in clone.log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert clone.done()[0] == "venv"
    assert clone.run()[0] == 0
    assert clone.done() == clone.whole


def test_two_at_once_do_it_once(clone):
    both = [clone.start(SLOW="0.3") for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert clone.done() == clone.whole
    assert sum("waiting" in text for text in said) == 1


def test_names_all_that_is_missing_in_one_line(clone):
    (clone.bin / "mpicc").unlink()
    code, said = clone.run(MISSING="xc fftw3")
    assert code == 1
    assert len(said.splitlines()) == 1
    assert "sudo apt-get install libxc-dev libfftw3-dev libopenmpi-dev " in said
    assert "openblas" not in said
    assert not (clone.folder / ".venv").exists()


def test_says_which_python_it_needs(clone):
    code, said = clone.run(WRONG_PYTHON="1")
    assert code == 1
    assert "missing: python3.11. " in said
    assert "requirements.lock is resolved" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="apt is used by root only")
def test_root_gets_what_is_missing_from_apt(clone):
    (clone.bin / "mpicc").unlink()
    clone.add("apt-get", APT)
    assert clone.run()[0] == 0
    assert [line for line in clone.done() if "apt" in line and "update" not in line] == ["apt libopenmpi-dev"]


@pytest.mark.skipif(os.geteuid() != 0, reason="apt is used by root only")
def test_a_failing_apt_is_said(clone):
    (clone.bin / "mpicc").unlink()
    clone.add("apt-get", "#!/bin/sh\nexit 100\n")
    code, said = clone.run()
    assert code == 1
    assert "apt-get failed" in said
    assert "missing: libopenmpi-dev" in said


def test_help_lists_every_target(tmp_path):
    makefile = (ROOT / "Makefile").read_text()
    targets = set(makefile.split(".PHONY:")[1].splitlines()[0].split())
    quiet = ["make", "--no-print-directory", "-f", ROOT / "Makefile"]  # the tests may run under make themselves
    said = subprocess.run(quiet, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in said.stdout.splitlines()} == targets
