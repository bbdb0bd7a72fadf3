"""Packages replaced or hidden for the time of an import, and Keras on its NumPy backend."""

import json
import subprocess
import sys
from types import ModuleType

import pytest

from bpstudy.network.lean import replaced


def test_a_package_is_hidden_and_comes_back():
    sys.modules.pop("colorsys", None)
    with replaced(absent=("colorsys",)), pytest.raises(ImportError):
        import colorsys
    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 1)[2] == 1


def test_a_package_is_replaced_and_comes_back():
    sys.modules.pop("colorsys", None)
    stand_in = ModuleType("colorsys")
    with replaced(stand_in):
        import colorsys

        assert colorsys is stand_in
    import colorsys

    assert colorsys is not stand_in


def test_what_is_imported_already_stays():
    with replaced(ModuleType("json")):
        import json as again
    assert again is json


def test_it_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), replaced(absent=("wave",)):
        raise ZeroDivisionError
    assert "wave" not in sys.modules


def test_networks_are_made_saved_and_read_without_tensorflow_and_without_a_word(tmp_path):
    """What a package says before a script redirects its output would stand between the lines of every run."""
    code = (
        "import sys, numpy as np\n"
        "from bpstudy.network.model import build_network, load_network\n"
        "from bpstudy.network.normalization import EnergyScale, Scaler\n"
        "scaler = Scaler.fit(np.arange(6.0).reshape(3, 2) ** 2, ('a', 'b'))\n"
        "build_network({'Li': scaler}, EnergyScale({'Li': -1.0}, 0.1, 2.0)).save('model.keras')\n"
        "load_network('model.keras')\n"
        "assert not {'tensorflow', 'jax', 'sklearn', 'matplotlib'} & set(sys.modules), sorted(sys.modules)\n"
    )
    started = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert (started.returncode, started.stdout, started.stderr) == (0, b"", b"")
