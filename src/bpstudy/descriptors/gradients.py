"""Forces of chosen frames and the derivatives of their symmetry functions, for the fit and for the test."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.data import chemical_symbols

from bpstudy.symmetry import SymmetryFunctions


class ForceError(ValueError):
    """Forces cannot be used; the message names the frame and what is wrong."""


@dataclass(frozen=True, eq=False)
class ForceSet:
    """Forces of some of the frames of a set.

    Attributes:
        places: which frames of the set, (n_frames,).
        gradients: dG/dR (1/Å) of each element's atoms: {symbol: (n_frames, n_atoms of it, n_components, n_functions)}.
        forces_ev_per_angstrom: (n_frames, n_components).
    """

    places: np.ndarray
    gradients: dict[str, np.ndarray]
    forces_ev_per_angstrom: np.ndarray

    def take(self, places: np.ndarray) -> ForceSet:
        """Those of some frames of the set, which are then counted anew."""
        kept = np.flatnonzero(np.isin(self.places, places))
        gradients = {element: d[kept] for element, d in self.gradients.items()}
        return ForceSet(np.searchsorted(places, self.places[kept]), gradients, self.forces_ev_per_angstrom[kept])


def read_functions(blocks: Sequence[str | Path]) -> SymmetryFunctions:
    """The functions of blocks side by side, from the descriptions beside the blocks.

    Raises:
        ForceError: the blocks were made with different tolerances.
    """
    sets = [SymmetryFunctions.from_json(Path(path).with_suffix(".json").read_text()) for path in blocks]
    if len({functions.tolerance for functions in sets}) > 1:
        raise ForceError(f"{blocks[0]} and others: made with different tolerances; remove them to compute them again")
    return SymmetryFunctions([f for functions in sets for f in functions.functions], sets[0].tolerance)


def force_set(
    functions: SymmetryFunctions,
    trajectory: Sequence[Atoms],
    frames: np.ndarray,
    count: int,
    components: int | None = None,
    seed: int = 0,
    threads: int = 1,
) -> ForceSet:
    """Forces and dG/dR of `count` of the `frames` of a trajectory, taken evenly (all where there are fewer).

    Args:
        components: how many of the 3N of each frame, drawn at random with `seed`; None takes all.

    Raises:
        ForceError: a frame has no forces, or these are not finite.
    """
    places = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int))
    rng, size = np.random.default_rng(seed), 3 * len(trajectory[0])
    wanted = min(components or size, size)
    chosen = [np.sort(rng.choice(size, wanted, replace=False)) for _ in places]
    looked_at = [trajectory[n] for n in frames[places]]
    known = [_forces(f, n)[c] for f, n, c in zip(looked_at, frames[places], chosen, strict=True)]

    def gradients(frame: Atoms, components: np.ndarray) -> np.ndarray:
        _, dense = functions.compute_with_gradients(frame)
        n_atoms, n_functions = dense.shape[:2]
        return dense.reshape(n_atoms, n_functions, size)[..., components].swapaxes(1, 2)

    with ThreadPoolExecutor(threads) as pool:
        values = np.array(list(pool.map(gradients, looked_at, chosen)))
    numbers = trajectory[0].numbers
    by_element = {chemical_symbols[n]: np.ascontiguousarray(values[:, numbers == n]) for n in np.unique(numbers)}
    return ForceSet(places, by_element, np.array(known, dtype=float))


def _forces(frame: Atoms, number: int) -> np.ndarray:
    try:
        forces = frame.get_forces(apply_constraint=False).ravel()
    except (RuntimeError, PropertyNotImplementedError):
        raise ForceError(f"frame {number} has no forces; leave `forces` out of the experiment (null)") from None
    if not np.isfinite(forces).all():
        raise ForceError(f"frame {number}: forces are not finite")
    return forces
