"""One experiment: baselines, and a network for each seed, predict the frames trained on and those held out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bpstudy.config.experiments import Experiment, Forces, Optimizer
from bpstudy.data.trajectory import StoredFrames
from bpstudy.descriptors.features import Features, labelled_energies, read_blocks
from bpstudy.descriptors.gradients import ForceSet, force_set, read_functions
from bpstudy.files import atomic_path, write_table
from bpstudy.network.description import describe
from bpstudy.network.element import element_networks
from bpstudy.network.model import AtomicNetwork, build_network
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.statistics import rms
from bpstudy.training import ForceData, TrainingResult, TrainingSettings, set_threads, train
from bpstudy.training.ridge import (
    KnownForces,
    LinearModel,
    linear_model,
    mean_baseline,
    ridge_baseline,
    ridge_force_baseline,
    sum_over_atoms,
)

TRAIN, VALIDATION = "train", "validation"
FOLD_GAP = 20  # a twentieth of the training frames lies between the folds that choose the strength of ridge


@dataclass(frozen=True)
class FitFiles:
    """What the fit of one seed writes."""

    model: Path
    potential: Path
    history: Path
    predictions: Path
    metrics: Path


@dataclass(frozen=True)
class FrameSet:
    """Functions of some frames, the table of their energies (frame, time_fs, energy_dft_ev), and forces of some."""

    features: Features
    energies: pd.DataFrame
    forces: ForceSet | None = None

    def predicted(self, **columns) -> pd.DataFrame:
        """The table with predicted energies (eV per cell) beside those of the DFT."""
        return self.energies.assign(**columns).reset_index(drop=True)

    def force_data(self, scale_ev_per_angstrom: float, weight: float) -> ForceData:
        """The forces as the networks take them."""
        assert self.forces is not None
        features = {element: x[self.forces.places] for element, x in self.features.by_element().items()}
        known = self.forces.forces_ev_per_angstrom
        return ForceData(features, self.forces.gradients, known, scale_ev_per_angstrom, weight)

    def force_sums(self) -> np.ndarray:
        """dG/dR summed over each element's atoms, elements side by side: (n_frames, n_components, n)."""
        assert self.forces is not None
        return np.concatenate([d.sum(axis=1) for d in self.forces.gradients.values()], axis=2)

    def force_errors(self, predicted: np.ndarray) -> np.ndarray:
        """RMS over the components of each frame, eV/Å; NaN for frames whose forces are not looked at."""
        assert self.forces is not None
        found = np.full(len(self.energies), np.nan)
        found[self.forces.places] = np.sqrt(((predicted - self.forces.forces_ev_per_angstrom) ** 2).mean(axis=1))
        return found

    def take(self, places: np.ndarray) -> FrameSet:
        """Some of the frames, in order."""
        features = replace(self.features, values=self.features.values[places], frames=self.features.frames[places])
        return FrameSet(features, self.energies.iloc[places], self.forces and self.forces.take(places))


def force_weight(experiment: Experiment) -> float:
    """Of the forces in its loss; 0 where the energies count alone."""
    return experiment.forces.weight if experiment.forces else 0.0


def training_forces(experiment: Experiment, sets: Mapping[str, FrameSet]) -> dict[str, ForceData]:
    """The forces of each set that has them, in the unit of those trained on."""
    known = sets[TRAIN].forces
    if experiment.forces is None or known is None:
        return {}
    scale = rms(known.forces_ev_per_angstrom)
    weight = experiment.forces.weight or 1.0  # tested only: the weight is of no loss
    return {name: of.force_data(scale, weight) for name, of in sets.items()}


def fit_experiment(
    experiment: Experiment,
    optimizer: Optimizer,
    fits: Mapping[int, FitFiles],
    baselines: Path,
    threads: int,
    blocks: Sequence[Sequence[str]],
    thermo: Sequence[str],
    trajectories: Sequence[str] = (),
) -> None:
    """Fit a network for each seed of `fits` and write model, history, predictions and a summary; and the baselines.

    Args:
        blocks: files of symmetry functions, one group for each of `experiment.sets`.
        thermo: table of energies for each group of `blocks`.
        trajectories: the trajectory of each group of `blocks`, where the experiment looks at forces.

    Raises:
        ValueError: inputs that do not fit together.
        TrainingDivergedError: a fit diverges; nothing of it is written.
    """
    sets = {
        name: read_set(group, table, experiment.energy)
        for name, group, table in zip(experiment.sets, blocks, thermo, strict=True)
    }
    if experiment.forces is not None:
        sets = add_forces(experiment.forces, sets, blocks, trajectories, threads)
    write_table(baselines, predict_baselines(sets, force_weight(experiment)))
    scalers = fit_scalers(sets[TRAIN].features)
    for seed, files in fits.items():
        with set_threads(threads):
            network, result, decay = fit_network(experiment, optimizer, seed, scalers, sets)
            table = _by_set({name: of.predicted(**predict_network(network, of)) for name, of in sets.items()})
        network.save(files.model)
        description = Path(blocks[0][0]).with_suffix(".json")
        describe(
            files.potential,
            read_functions(blocks[0]),
            sets[TRAIN].features.by_element(),
            experiment.energy,
            json.loads(description.read_text())["pbc"],
        )
        write_table(files.history, result.history)
        write_table(files.predictions, table)
        summary = {
            "seed": seed,
            "n_atoms": len(sets[TRAIN].features.numbers),
            "weights": int(network.get_weights().size),
            "optimizer": optimizer.name,
            "weight_decay": decay,
            "iterations": int(result.history["iteration"].iloc[-1]),
            "best_iteration": result.best_iteration,
            "seconds": float(result.history["seconds"].iloc[-1]),
            "stop_reason": result.stop_reason,
            "dead_functions": {element: scaler.dead_labels for element, scaler in scalers.items()},
        }
        with atomic_path(files.metrics) as temporary:
            temporary.write_text(json.dumps(summary, indent=1) + "\n")


def predict_network(network: AtomicNetwork, of: FrameSet) -> dict[str, np.ndarray]:
    """Columns of the table of predictions."""
    columns = {"energy_nn_ev": network.energies(of.features.by_element())}
    if of.forces is not None:
        columns["force_error_nn_ev_per_angstrom"] = of.force_errors(_forces(network, of, of.forces))
    return columns


def _forces(network: AtomicNetwork, of: FrameSet, known: ForceSet) -> np.ndarray:
    """The network's forces (n_frames, n_components), eV/Å."""
    total = np.zeros_like(known.forces_ev_per_angstrom)
    for element, chosen in element_networks(network).items():
        values = of.features.by_element()[element][known.places]
        slopes = chosen.energies(values.reshape(-1, values.shape[-1]))[1].reshape(values.shape)
        total -= np.einsum("bacf,baf->bc", known.gradients[element], slopes, optimize=True)
    return total


def add_forces(
    asked: Forces,
    sets: Mapping[str, FrameSet],
    blocks: Sequence[Sequence[str]],
    trajectories: Sequence[str],
    threads: int,
) -> dict[str, FrameSet]:
    """The sets with forces and dG/dR of those of their frames that are asked for, computed here: it takes milliseconds
    a frame, and they are too large to keep. Where forces are only tested, those of the training frames are left out."""
    found = dict(sets)
    for (name, of), group, path in zip(sets.items(), blocks, trajectories, strict=True):
        if name == TRAIN and not asked.weight:
            continue
        count, components = (asked.frames, asked.components) if name == TRAIN else (asked.tested, None)
        frames = StoredFrames(path)
        forces = force_set(read_functions(group), frames, of.features.frames, count, components, threads=threads)
        found[name] = replace(of, forces=forces)
    return found


def read_set(blocks: Sequence[str], thermo: str, energy: str) -> FrameSet:
    """Blocks of functions of the same frames, and the energies of these."""
    features = read_blocks(blocks)
    return FrameSet(features, labelled_energies(features, thermo, energy))


def fit_scalers(features: Features) -> dict[str, Scaler]:
    """Mean and scale of each function, for the atoms of each element."""
    return {element: Scaler.fit(values, features.labels) for element, values in features.by_element().items()}


def fit_network(
    experiment: Experiment,
    optimizer: Optimizer,
    seed: int,
    scalers: Mapping[str, Scaler],
    sets: Mapping[str, FrameSet],
) -> tuple[AtomicNetwork, TrainingResult, float]:
    """The network of `seed`, its history and weight decay: of several, the one with the least validation error."""
    known = sets[TRAIN].features
    by_element, targets = known.by_element(), sets[TRAIN].energies["energy_dft_ev"]
    scale = EnergyScale.fit(targets, len(known.numbers))
    validation = None
    if VALIDATION in sets:
        seen = sets[VALIDATION]
        validation = (seen.features.by_element(), seen.energies["energy_dft_ev"])
    forces = training_forces(experiment, sets) if force_weight(experiment) else {}
    fitted = []
    for decay in optimizer.weight_decays:
        network = build_network(scalers, scale, hidden=experiment.hidden, activation=experiment.activation, seed=seed)
        for of in sets.values():
            network.check_labels(of.features.labels_by_element())
        settings = TrainingSettings(**optimizer.model_dump(exclude={"weight_decay"}), weight_decay=decay)
        fitted.append(
            (
                network,
                train(network, by_element, targets, settings, validation, forces.get(TRAIN), forces.get(VALIDATION)),
                decay,
            )
        )
    if len(fitted) == 1:
        return fitted[0]
    return min(fitted, key=lambda fit: fit[1].history["validation_mse_ev2"].min())


def predict_baselines(sets: Mapping[str, FrameSet], force_weight: float = 0.0) -> pd.DataFrame:
    """What the networks have to beat on each set: the mean of the training energies, and ridge on the sums of G, with
    the forces in its fit where they are in that of the networks."""
    known, targets = sets[TRAIN].features.by_element(), sets[TRAIN].energies["energy_dft_ev"]
    gap = len(targets) // FOLD_GAP
    forces = sets[TRAIN].forces
    if force_weight and forces is not None:
        fitted = KnownForces(forces.places, sets[TRAIN].force_sums(), forces.forces_ev_per_angstrom, force_weight)
        ridge = ridge_force_baseline(known, targets, fitted, gap=gap)
    else:
        ridge = linear_model(ridge_baseline(known, targets, gap=gap))
    return _by_set({name: of.predicted(**_simple_predictions(of, targets, ridge)) for name, of in sets.items()})


def _simple_predictions(of: FrameSet, targets: pd.Series, ridge: LinearModel) -> dict[str, np.ndarray]:
    """Columns of the table of the baselines; the mean energy has no forces."""
    columns = {
        "energy_mean_ev": mean_baseline(targets, len(of.energies)),
        "energy_ridge_ev": ridge.energies(sum_over_atoms(of.features.by_element())),
    }
    if of.forces is not None:
        columns["force_error_mean_ev_per_angstrom"] = of.force_errors(np.zeros_like(of.forces.forces_ev_per_angstrom))
        columns["force_error_ridge_ev_per_angstrom"] = of.force_errors(ridge.forces(of.force_sums()))
    return columns


def _by_set(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table.assign(set=name) for name, table in tables.items()], ignore_index=True)
