"""Compiled loops work with and without a folder for their machine code."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numba
import pytest

from bpstudy.symmetry.compiled import compiled


def double(x):  # type: ignore[no-untyped-def]
    return 2 * x


def test_without_a_cache_folder_code_is_compiled_anew_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def njit(**options: object):  # type: ignore[no-untyped-def]
        if options.get("cache"):
            raise RuntimeError("cannot cache function 'double': no locator available")
        return numba.njit(**options)

    monkeypatch.setattr("bpstudy.symmetry.compiled.numba", SimpleNamespace(njit=njit))
    with caplog.at_level(logging.WARNING):
        assert compiled(double)(3.0) == 6.0
    assert "no locator available" in caplog.text


@pytest.mark.slow
def test_processes_that_start_together_share_an_empty_cache(tmp_path: Path) -> None:
    code = (
        "from ase.build import bulk; from bpstudy.symmetry import *;"
        "print(SymmetryFunctions([G1(3.0), G2(1.0, 2.0, 3.0)]).compute(bulk('Cu', 'fcc', a=3.6)).tobytes().hex())"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    printed = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0, 0]
    assert len(printed) == 1
    assert list(tmp_path.rglob("*.nbc"))
    assert subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout in printed
