"""Energies and forces under the names that people use, or as the configuration names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from ase import Atoms

from bpstudy.data.errors import TrajectoryError

_SOURCES = ("ref", "dft", "pbe")  # REF_energy, energy_dft, …
FREE = "free_energy"
ENERGIES = frozenset(
    ["energy", FREE, "potential_energy", "total_energy", "e", "etot", "totenergy", "energy_ev"]
    + [
        name
        for source in _SOURCES
        for name in (f"{source}_energy", f"energy_{source}", f"{source}_{FREE}", f"e_{source}")
    ]
)
FORCES = frozenset(
    ["forces", "force", "f"]
    + [name for source in _SOURCES for word in ("forces", "force") for name in (f"{source}_{word}", f"{word}_{source}")]
)
NONE = "none"  # the configuration's word for: do not read forces


@dataclass(frozen=True)
class Names:
    """Under which names the energies and forces of a data set stand; `free` is the energy that the forces belong to."""

    energy: str
    free: str
    forces: str | None


def held(atoms: Atoms) -> dict[str, Any]:
    """Everything a frame holds beside its atoms, cell and periodic axes, by name."""
    found: dict[str, Any] = dict(atoms.info)
    found |= {name: array for name, array in atoms.arrays.items() if name not in ("numbers", "positions")}
    if atoms.calc is not None:
        found |= {name: value for name, value in atoms.calc.results.items() if value is not None}
    return found


def find_names(atoms: Atoms, where: str, energy: str | None, forces: str | None, others: Iterable[str] = ()) -> Names:
    """The names of a frame's energy and forces: those asked for, or the only ones that are there.

    Args:
        where: file and frame, for the message.
        energy: the name asked for; None: known ones.
        forces: likewise; "none": no forces are wanted.
        others: columns of a table that holds the energies instead.

    Raises:
        TrajectoryError: it is not there, there is none, or there are several; the message says what there is.
    """
    there = held(atoms)
    scalars = list(others) or [name for name, value in there.items() if _is_number(value)]
    arrays = [name for name, value in there.items() if np.shape(value) == (len(atoms), 3)]
    chosen = _choose("energy", energy, scalars, ENERGIES, where, "has no energy; each frame needs one (eV per cell)")
    assert chosen is not None
    free = FREE if chosen == "energy" and FREE in scalars else chosen
    found = None if forces == NONE else _choose("forces", forces, arrays, FORCES, where, None)
    return Names(chosen, free, found)


def _choose(
    key: str, asked: str | None, there: list[str], known: frozenset[str], where: str, missing: str | None
) -> str | None:
    listed = ", ".join(there) or "nothing of that kind"
    if asked is not None:
        if asked not in there:
            raise TrajectoryError(f"{where}: {key} = {asked!r} is not there; it has {listed}")
        return asked
    candidates = [name for name in there if name.lower() in known]
    if len(candidates) > 1:  # ASE's pair: extrapolated to zero smearing, and the free energy
        candidates = [name for name in candidates if name != FREE]
    if len(candidates) > 1:
        raise TrajectoryError(f"{where}: has {' and '.join(candidates)}; say which with the key `{key}`")
    if not candidates and missing:
        raise TrajectoryError(f"{where}: {missing}; it has {listed}: name the right one with the key `{key}`")
    return candidates[0] if candidates else None


def number(value: Any, where: str, name: str) -> float:
    """An energy.

    Raises:
        TrajectoryError: not a finite number.
    """
    if not (_is_number(value) and np.isfinite(float(value))):
        raise TrajectoryError(f"{where}: {name} is {value}, not a finite number (eV per cell)")
    return float(value)


def _is_number(value: Any) -> bool:
    return (isinstance(value, Real) and not isinstance(value, bool)) or (
        isinstance(value, np.ndarray) and value.shape == () and np.issubdtype(value.dtype, np.number)
    )
