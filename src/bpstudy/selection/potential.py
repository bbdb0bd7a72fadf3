"""The potential of a recommended set, as every fit of the project leaves one: for ASE, MD, n2p2 and LAMMPS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.selection.targets import FrameErrors, Tolerances, energy_per_atom, forces_of
from bpstudy.selection.trial import TrialSettings
from bpstudy.symmetry import SymmetryFunctions


def relative_weights(train: Sequence[Atoms], tolerances: Tolerances) -> tuple[float, float]:
    """What the tolerances are in the loss of `bpstudy.training`: (weight of the forces, square of s_E / spread).

    That loss is mean (ΔE/n)² / spread² + weight · mean ΔF² / mean F², with the spread of the energies an atom without
    those of the atoms. A term of the trial networks' loss times (s_E / spread)² is one of it.
    """
    symbols = sorted({s for frame in train for s in frame.get_chemical_symbols()})
    composition = np.array([[(np.array(f.get_chemical_symbols()) == s).mean() for s in symbols] for f in train])
    energies = np.array([energy_per_atom(f, k) for k, f in enumerate(train)])
    atomic, *_ = np.linalg.lstsq(composition, energies, rcond=None)
    factor = tolerances.energy_ev**2 / float(((energies - composition @ atomic) ** 2).mean())
    known = [f for f in (forces_of(frame) for frame in train) if f is not None]
    if not known:
        return 0.0, factor
    mean_square = float((np.concatenate(known) ** 2).mean())
    return factor * mean_square / tolerances.force_ev_per_angstrom**2, factor


def save_potential(
    functions: SymmetryFunctions,
    train: Sequence[Atoms],
    folds: Sequence[int] | NDArray[np.integer],
    tolerances: Tolerances,
    test: Sequence[Atoms],
    folder: Path,
    seed: int = 0,
    settings: TrialSettings | None = None,
    threads: int = 1,
) -> FrameErrors:
    """Fit a network with a direct layer (`bpstudy.training.frames.fit_frames`) as the trial ones, and write it.

    Returns:
        Its errors on the test frames, which did not take part.

    Raises:
        ValueError: frames that cannot be used.
    """
    from bpstudy.training.frames import fit_frames

    settings, fold = settings or TrialSettings(), np.asarray(folds)
    held = fold == np.unique(fold)[seed % len(np.unique(fold))]
    weight, factor = relative_weights(train, tolerances)
    fits = fit_frames(
        functions,
        [f for f, out in zip(train, held, strict=True) if not out],
        [f for f, out in zip(train, held, strict=True) if out],
        hidden=settings.hidden,
        seeds=(seed,),
        force_weight=weight,
        components=settings.components,
        weight_decay=settings.decay * factor,
        max_iterations=settings.iterations,
        patience=settings.patience,
        threads=threads,
    )
    fits.save(seed, folder)
    found = fits.predict(test, threads)[seed]
    energies, forces = [], []
    for number, frame in enumerate(test):
        energies.append(found.energies_ev[number] / len(frame) - energy_per_atom(frame, number))
        if (known := forces_of(frame)) is not None:
            forces.append(found.forces_ev_per_angstrom[number].ravel() - known)
    return FrameErrors.of(energies, forces)
