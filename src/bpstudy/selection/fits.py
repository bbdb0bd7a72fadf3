"""Networks and linear potentials fitted to each set, and their errors on frames that chose nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.config.selection import Selection, TrialNetworks
from bpstudy.selection.linear import linear_errors
from bpstudy.selection.sets import FittedSet
from bpstudy.selection.targets import Tolerances
from bpstudy.selection.trial import TrialSettings, fit_trial
from bpstudy.statistics.splits import folds_in_time
from bpstudy.symmetry import SymmetryFunctions
from bpstudy.symmetry.neighbors import Neighbors

Array = NDArray[np.float64]
NETWORK, LINEAR = "network", "linear"
NO_SEED = -1  # of a linear potential


class _Kept(NamedTuple):
    atoms: Atoms  # held, so that no other frame gets its id
    near: Neighbors
    values: Array
    pairs: tuple[NDArray[np.intp], NDArray[np.intp], Array]


class Remembered(SymmetryFunctions):
    """Functions that keep what they computed of a frame: fits of several seeds have the same frames.

    Frames must not change meanwhile. In memory are a frame's neighbours, values and derivatives of pairs of atoms.
    """

    def __init__(self, functions: SymmetryFunctions) -> None:
        super().__init__(functions.functions, functions.tolerance)
        self._kept: dict[int, _Kept] = {}

    def _known(self, atoms: Atoms) -> _Kept:
        if id(atoms) not in self._kept:
            near = super().neighbors(atoms)
            values, pairs = super().compute(atoms, near=near), super().pair_gradients(atoms, near)
            self._kept[id(atoms)] = _Kept(atoms, near, values, pairs)
        return self._kept[id(atoms)]

    def neighbors(self, atoms: Atoms) -> Neighbors:
        return self._known(atoms).near

    def compute(self, atoms: Atoms, threads: int = 1, near: Neighbors | None = None) -> Array:
        return self._known(atoms).values

    def pair_gradients(
        self, atoms: Atoms, near: Neighbors | None = None, moved: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
        centre, atom, d = self._known(atoms).pairs
        if moved is None or moved.all():
            return centre, atom, d
        kept = moved[atom]
        return centre[kept], atom[kept], d[kept]

    def summed_gradients(
        self, atoms: Atoms, near: Neighbors | None = None, centres: NDArray[np.bool_] | None = None
    ) -> Array:
        centre, atom, slopes = self.pair_gradients(atoms)
        kept = np.ones(len(centre), bool) if centres is None else centres[centre]
        total = np.zeros((len(atoms), 3, len(self)))
        np.add.at(total, atom[kept], slopes[kept])
        return total

    def contract(
        self, atoms: Atoms, weights: Array, threads: int = 1, near: Neighbors | None = None
    ) -> tuple[Array, Array]:
        """The forces; the strain derivative, which is not kept, is NaN."""
        centre, atom, d = self.pair_gradients(atoms)
        forces = np.zeros((len(atoms), 3))
        np.subtract.at(forces, atom, (d @ weights[centre, :, None])[:, :, 0])
        return forces, np.full((3, 3), np.nan)


def trial_settings(network: TrialNetworks) -> TrialSettings:
    """Of the configuration's section."""
    return TrialSettings(
        hidden=network.hidden,
        iterations=network.max_iterations,
        patience=network.patience,
        decay=network.weight_decay,
        components=network.components,
    )


def fit_set(
    name: str,
    of: FittedSet,
    train: Sequence[Atoms],
    test: Sequence[Atoms],
    tolerances: Tolerances,
    selection: Selection,
    say: Callable[[str], None] = print,
) -> pd.DataFrame:
    """Errors of each test frame: a linear potential on each draw, a network for each seed; draws are dealt out in turn.

    Returns:
        A row a model, seed (−1 for the linear one), draw and frame: energy_error_ev_per_atom (predicted less true) and
        force_rmse_ev_per_angstrom (NaN without forces).

    Raises:
        ValueError: frames that cannot be used.
    """
    folds, settings, tables = folds_in_time(len(train)), trial_settings(selection.network), []
    for draw, functions in enumerate(of.draws):
        say(f"{name}, draw {draw}: fitting")
        remembered, n_seeds = Remembered(functions), len(selection.seeds)
        found = {(LINEAR, NO_SEED): linear_errors(remembered, train, folds, test, tolerances)}
        seeds = selection.seeds if len(of.draws) == 1 else [selection.seeds[draw % n_seeds]]
        for seed in seeds:
            network = fit_trial(remembered, train, folds, tolerances, seed, settings)
            found[NETWORK, seed] = network.errors(test)
        for (model, seed), (energies, forces, _) in found.items():
            table = {"energy_error_ev_per_atom": energies, "force_rmse_ev_per_angstrom": forces}
            rows = pd.DataFrame(table if forces is not None else table | {"force_rmse_ev_per_angstrom": np.nan})
            rows.insert(0, "frame", np.arange(len(rows)))
            tables.append(rows.assign(set=name, model=model, seed=seed, draw=draw))
    return pd.concat(tables, ignore_index=True)
