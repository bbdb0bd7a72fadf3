# ruff: noqa: E501 - a table of cases
"""What people give `bpstudy functions`: lines of other programs, other encodings, outputs that are inputs."""

import codecs
import re
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from typer.testing import CliRunner

from bpstudy.cli import app

LINES = "symfunction_short Cu 2 Cu 0.1 0.0 12.0\nsymfunction_short Cu 2 Cu 0.5 0.0 12.0\n"


def case(content, said, fault, *options, expected="refused, with file and line"):
    return pytest.param(content, options, said, marks=pytest.mark.fault(fault, expected), id=fault)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, rng=np.random.default_rng(0))
    write("cu.xyz", [atoms, atoms * 2], format="extxyz")


def functions(*arguments):
    done = CliRunner().invoke(app, ["functions", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


@pytest.mark.fault("functions of n2p2 in a file with a byte order mark", "read as without: the first line too")
def test_a_byte_order_mark_hides_no_function():
    Path("plain.nn").write_text(LINES)
    Path("bom.nn").write_bytes(codecs.BOM_UTF8 + LINES.encode())
    plain, bom = functions("plain.nn"), functions("bom.nn")
    assert "2 functions" in plain.output
    assert plain.output == bom.output


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        case(LINES + "global_symfunction_short 2 0.1 0.0 12.0\n", r"input\.nn: line 3 .*global_symfunction_short is not read here", "`global_symfunction_short` of RuNNer among the functions", expected="refused: it was left out without a word"),
        case(LINES.upper(), r"input\.nn: line 1 .*SYMFUNCTION_SHORT is not read here", "keywords in capitals"),
        case(LINES.replace("short Cu", "short Qq"), r"line 1 .*'Qq' is not the symbol of an element", "functions of an element that does not exist"),
        case("é\n".encode("latin-1"), r"input\.nn: is not UTF-8 \(byte 0xe9 at 0\); save it as UTF-8", "functions in Latin-1", expected="refused, with the file"),
        case('{"a": 1}', r"input\.nn: not a set of functions", "a JSON file that holds no functions", expected="refused, with the file"),
        case('{"functions": [', r"input\.nn: Expecting value", "a JSON file that was cut off", expected="refused, with the file"),
        case(LINES.replace("Cu", "Al"), r"input\.nn: has functions of Al; the frames of --data have Cu", "functions of another element than the data's", "--data", "cu.xyz", expected="refused, with both"),
        case(LINES, r"--csv input\.nn: is read by this command and would be overwritten", "`--csv` is the file of functions", "--csv", "input.nn", expected="refused: no input is overwritten"),
        case(LINES, r"--csv cu\.xyz: is read by this command", "`--csv` is the data", "--data", "cu.xyz", "--csv", "cu.xyz", expected="refused: no input is overwritten"),
        case(LINES, r"--csv \.: is a folder", "`--csv` is a folder", "--csv", ".", expected="refused before any work"),
        case(LINES, r"--csv cu\.xyz/a\.csv: .*cu\.xyz is not a folder", "`--csv` within a file", "--csv", "cu.xyz/a.csv", expected="refused before any work"),
    ],
)  # fmt: skip
def test_functions_that_cannot_be_read(content, options, said, now):
    Path("input.nn").write_bytes(content if isinstance(content, bytes) else content.encode())
    done = functions("input.nn", *options)
    assert done.exit_code == 1
    assert re.search(said, now(done.output.replace(f"{Path.cwd()}/", "")).replace("\n", " "))


@pytest.mark.fault("`--data a@1.xyz`", "the file of that very name is read")
def test_the_very_file_is_judged():
    Path("cu.xyz").rename("a@1.xyz")
    Path("input.nn").write_text(LINES)
    assert functions("input.nn", "--data", "a@1.xyz").exit_code == 0
