"""Packages hidden for the time of an import."""

import json
import subprocess
import sys

import pytest

from bpstudy.network.lean import absent


def test_a_package_is_hidden_and_comes_back():
    sys.modules.pop("colorsys", None)
    with absent("colorsys"), pytest.raises(ImportError):
        import colorsys
    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 1)[2] == 1


def test_what_is_imported_already_stays():
    with absent("json"):
        import json as again
    assert again is json


def test_it_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), absent("wave"):
        raise ZeroDivisionError
    assert "wave" not in sys.modules


def test_tensorflow_starts_without_a_word():
    """What it says before a script redirects its output would stand between the lines of every run."""
    started = subprocess.run([sys.executable, "-c", "import bpstudy.network.model"], capture_output=True, check=True)
    assert (started.stdout, started.stderr) == (b"", b"")
