"""The potential of a recommended set, as every fit of the project leaves one: for ASE, MD, n2p2 and LAMMPS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.selection.targets import FrameErrors, Tolerances
from bpstudy.selection.trial import TrialNetwork, TrialSettings, committee_errors, fit_trial
from bpstudy.symmetry import SymmetryFunctions


def save_potential(
    functions: SymmetryFunctions,
    train: Sequence[Atoms],
    folds: Sequence[int] | NDArray[np.integer],
    tolerances: Tolerances,
    test: Sequence[Atoms],
    folder: Path,
    members: int = 1,
    settings: TrialSettings | None = None,
    threads: int = 1,
) -> FrameErrors:
    """Fit trial networks of the seeds 0, 1, …, the same as in the comparison, and write them: one to `folder`, a
    committee to `folder`/0, `folder`/1, … They replace what an earlier choice wrote there.

    Returns:
        Errors on the test frames, which did not take part; those of the mean of a committee.

    Raises:
        ValueError: frames that cannot be used.
    """
    networks = [fit_trial(functions, train, folds, tolerances, seed, settings) for seed in range(members)]
    errors = committee_errors([network.residuals(test) for network in networks])
    _remove_earlier(folder)
    for seed, network in enumerate(networks):
        write_potential(network, train, folder / str(seed) if members > 1 else folder, threads)
    return errors


def _remove_earlier(folder: Path) -> None:
    """Remove the networks of an earlier choice, and nothing else: members of another committee are no part of this."""
    from bpstudy.network.description import DESCRIPTION, MODEL

    for network in (folder, *folder.glob("[0-9]*/")):
        for file in (MODEL, DESCRIPTION):
            (network / file).unlink(missing_ok=True)
        if network != folder and not any(network.iterdir()):
            network.rmdir()


def write_potential(network: TrialNetwork, train: Sequence[Atoms], folder: Path, threads: int = 1) -> None:
    """Write a trial network as a potential (`bpstudy.potential.calculator.Potential`)."""
    from bpstudy.descriptors.compute import by_element, compute_features
    from bpstudy.network.description import DESCRIPTION, MODEL, describe
    from bpstudy.network.model import build_network
    from bpstudy.network.normalization import EnergyScale, Scaler

    labels, alive = tuple(network.functions.labels), np.zeros(len(network.functions), bool)
    scalers = {
        element: Scaler(labels, mean, scale, alive)
        for element, mean, scale in zip(network.elements, network.mean, network.scale, strict=True)
    }
    atomic = dict(zip(network.elements, network.atomic.tolist(), strict=True))
    unit = EnergyScale(atomic, 1.0, float(np.mean([len(frame) for frame in train])))
    built = build_network(scalers, unit, hidden=network.parameters.hidden, direct=True)
    flat = []
    for element in range(len(network.elements)):
        w1, b1, w2, b2, v, u, c = network.parameters.of(network.weights, element)
        flat += [w1.T, b1, w2.T, b2, v / unit.scale_ev, c / unit.scale_ev, u / unit.scale_ev]
    built.set_weights(np.concatenate([part.ravel() for part in flat]))
    built.save(folder / MODEL)
    features = compute_features(network.functions, train, threads)
    pbc = sorted({tuple(atoms.pbc.tolist()) for atoms in train})
    describe(folder / DESCRIPTION, by_element(network.functions, list(features.rows)), features, "free", pbc)
