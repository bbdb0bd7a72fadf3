"""Packages hidden for the time of an import."""

import json
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
