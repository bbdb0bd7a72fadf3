"""`potential.json`: what a fitted network needs beside its weights to run as a potential."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bpstudy.files import atomic_path
from bpstudy.network.domain import Known
from bpstudy.symmetry import SymmetryFunctions

MODEL, DESCRIPTION, FORMAT = "model.keras", "potential.json", 1

Array = NDArray[np.float64]


def describe(
    path: str | Path, functions: SymmetryFunctions, features: Mapping[str, Array], energy: str, pbc: list[bool]
) -> None:
    """Write `potential.json`.

    Args:
        features: raw functions of the training frames, {element: (n_frames, n_atoms, n_functions)}.
        energy: which energy was fitted: "potential", "free" or "total".
        pbc: along which axes the training frames were periodic.
    """
    data = {
        "format": FORMAT,
        "energy": energy,
        "pbc": [bool(axis) for axis in pbc],
        "functions": json.loads(functions.to_json()),
        "known": {e: Known.of(x.reshape(-1, x.shape[-1])).to_dict() for e, x in features.items()},
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(data) + "\n")
