"""`potential.json`: what a fitted network needs beside its weights to run as a potential."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bpstudy.descriptors.features import Features
from bpstudy.files import atomic_path
from bpstudy.network.domain import Known
from bpstudy.symmetry import SymmetryFunctions

MODEL, DESCRIPTION, FORMAT = "model.keras", "potential.json", 2


def describe(
    path: str | Path,
    functions: Mapping[str, SymmetryFunctions],
    features: Features,
    energy: str,
    pbc: Collection[Sequence[bool]],
) -> None:
    """Write `potential.json`.

    Args:
        functions: of each element's atoms.
        features: raw functions of the training frames.
        energy: which energy was fitted: "potential", "free" or "total".
        pbc: along which axes the training frames were periodic, each combination once.
    """
    data = {
        "format": FORMAT,
        "energy": energy,
        "pbc": sorted([bool(axis) for axis in axes] for axes in pbc),
        "functions": {element: json.loads(functions[element].to_json()) for element in features.rows},
        "known": {element: Known.of(of.values).to_dict() for element, of in features.rows.items()},
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(data) + "\n")
