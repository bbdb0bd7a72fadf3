"""What the user's environment may hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"


@pytest.mark.slow
@pytest.mark.fault("`KERAS_BACKEND=torch` in the environment", "the networks are on NumPy all the same")
def test_another_backend_of_keras(now):
    code = "import bpstudy.network.model, keras; print(keras.backend.backend())"
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(SRC)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert now(done.stdout.splitlines()[-1]) == "numpy"
