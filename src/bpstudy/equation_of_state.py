"""The ideal crystal at several volumes: beyond what the networks were trained on, on purpose."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from ase import Atoms

from bpstudy.config.systems import Crystal
from bpstudy.systems import build_crystal


def crystals(crystal: Crystal, volumes: Sequence[float]) -> list[Atoms]:
    """The ideal crystal at volumes relative to its own."""
    found = []
    for volume in volumes:
        atoms = build_crystal(crystal)
        atoms.set_cell(atoms.cell * volume ** (1 / 3), scale_atoms=True)
        found.append(atoms)
    return found


def with_volumes(frames: Sequence[Atoms], volumes: Sequence[float]) -> pd.DataFrame:
    """volume (relative) and volume_angstrom3_per_atom of each structure."""
    per_atom = [frame.get_volume() / len(frame) for frame in frames]
    return pd.DataFrame({"volume": list(volumes), "volume_angstrom3_per_atom": per_atom})
