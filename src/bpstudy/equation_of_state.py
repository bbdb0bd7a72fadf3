"""Energy of the ideal crystal against its volume: beyond what the networks were trained on, on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from ase import Atoms

from bpstudy.config.systems import Crystal
from bpstudy.potential import Potential
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


def networks(folders: Mapping[int, Path], frames: Sequence[Atoms], volumes: Sequence[float]) -> pd.DataFrame:
    """Energies (eV per atom) of the structures by each seed's network; `outside`: unlike all training."""
    tables = []
    for seed, folder in folders.items():
        potential = Potential(folder, on_extrapolation="warn")
        energies, outside = [], []
        for frame in frames:
            before = potential.extrapolations
            energies.append(potential.get_potential_energy(frame) / len(frame))
            outside.append(potential.extrapolations > before)
        table = with_volumes(frames, volumes)
        tables.append(table.assign(energy_ev_per_atom=energies, outside=outside, seed=seed))
    return pd.concat(tables, ignore_index=True)
