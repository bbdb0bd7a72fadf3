"""Energies, forces and stress under the names that people use, or as the configuration names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress

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
STRESSES = frozenset(
    ["stress", "virial", "virials"]
    + [
        name
        for source in _SOURCES
        for word in ("stress", "virial")
        for name in (f"{source}_{word}", f"{word}_{source}")
    ]
)
NONE = "none"  # the configuration's word for: do not read forces, or stress


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
    texts = "".join(
        f"; {name} = {str(value)[:40]!r} is no number"
        for name, value in there.items()
        if name.lower() in ENERGIES - set(scalars)
    )
    chosen = _choose(
        "energy", energy, scalars, ENERGIES, where, "has no energy; each frame needs one (eV per cell)", texts
    )
    assert chosen is not None
    free = FREE if chosen == "energy" and FREE in scalars else chosen
    found = None if forces == NONE else _choose("forces", forces, arrays, FORCES, where, None)
    return Names(chosen, free, found)


def find_stress(atoms: Atoms, where: str, asked: str | None) -> str | None:
    """The name of a frame's stress or virial: the one asked for, or the only one there; None where there is none.

    Args:
        where: file and frame, for the message.
        asked: the name asked for, or "none": no stress is wanted.

    Raises:
        TrajectoryError: there are several, or what is asked for is not of six or nine numbers.
    """
    if asked == NONE:
        return None
    there = held(atoms)
    tensors = [
        name for name, value in there.items() if np.shape(value) in ((6,), (9,), (3, 3)) and is_tensor(name, atoms)
    ]
    if asked is not None:
        if asked in there and asked not in tensors:
            raise TrajectoryError(
                f"{where}: stress = {asked!r} has the shape {np.shape(there[asked])}; 6 or 3×3 is needed"
            )
        return asked if asked in tensors else None
    found = [name for name in tensors if name.lower() in STRESSES]
    if {name.lower() for name in found} == {"stress", "virial"}:  # people write both: −V σ is the virial
        found = [name for name in found if name.lower() == "stress"]
    if len(found) > 1:
        raise TrajectoryError(f"{where}: has {' and '.join(found)}; say which with the key `stress`, or `stress: none`")
    return found[0] if found else None


def is_tensor(name: str, atoms: Atoms) -> bool:
    """Whether a value belongs to the frame, not to its atoms, of which there may be six or nine."""
    return name not in atoms.arrays


def stress_voigt(value: Any, name: str, volume: float, where: str) -> np.ndarray:
    """A stress, or virial −V σ, as the stress in ASE's order (xx, yy, zz, yz, xz, xy), (6,), in the file's unit.

    Args:
        name: that contains "virial" for virials.
        volume: of the cell in the file's unit.

    Raises:
        TrajectoryError: not finite, not symmetric, or no volume.
    """
    full = np.asarray(value, dtype=float)
    if not np.isfinite(full).all():
        raise TrajectoryError(f"{where}: {name} is not finite")
    if full.size == 9:
        full = full.reshape(3, 3)
        if not np.allclose(full, full.T, rtol=1e-3, atol=1e-3 * np.abs(full).max()):
            raise TrajectoryError(f"{where}: {name} is not symmetric; is it a stress?")
        full = full_3x3_to_voigt_6_stress(full)
    if not volume > 0:
        raise TrajectoryError(f"{where}: {name} in a cell without volume; set `stress: none`")
    return -full / volume if "virial" in name.lower() else full


def _choose(
    key: str,
    asked: str | None,
    there: list[str],
    known: frozenset[str],
    where: str,
    missing: str | None,
    texts: str = "",
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
        listed += texts
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
