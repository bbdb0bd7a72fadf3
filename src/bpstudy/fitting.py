"""One experiment: baselines, and a network for each seed, predict the frames trained on and those held out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.evaluation import mean_baseline, ridge_baseline, sum_over_atoms
from bpstudy.features import Features, labelled_energies, read_blocks
from bpstudy.files import atomic_path, write_table
from bpstudy.network import AtomicNetwork, build_network
from bpstudy.normalization import EnergyScale, Scaler
from bpstudy.training import TrainingResult, TrainingSettings, set_threads, train

TRAIN, VALIDATION = "train", "validation"
FOLD_GAP = 20  # a twentieth of the training frames lies between the folds that choose the strength of ridge


@dataclass(frozen=True)
class FitFiles:
    """What the fit of one seed writes."""

    model: Path
    history: Path
    predictions: Path
    metrics: Path


@dataclass(frozen=True)
class FrameSet:
    """Functions of some frames, and the table of their energies (frame, time_fs, energy_dft_ev)."""

    features: Features
    energies: pd.DataFrame

    def predicted(self, **columns) -> pd.DataFrame:
        """The table with predicted energies (eV per cell) beside those of the DFT."""
        return self.energies.assign(**columns).reset_index(drop=True)

    def take(self, places: np.ndarray) -> FrameSet:
        """Some of the frames."""
        features = replace(self.features, values=self.features.values[places], frames=self.features.frames[places])
        return FrameSet(features, self.energies.iloc[places])


def fit_experiment(
    experiment: Experiment,
    optimizer: Optimizer,
    fits: Mapping[int, FitFiles],
    baselines: Path,
    threads: int,
    blocks: Sequence[Sequence[str]],
    thermo: Sequence[str],
) -> None:
    """Fit a network for each seed of `fits` and write model, history, predictions and a summary; and the baselines.

    Args:
        blocks: files of symmetry functions, one group for each of `experiment.sets`.
        thermo: table of energies for each group of `blocks`.

    Raises:
        ValueError: inputs that do not fit together.
        TrainingDivergedError: a fit diverges; nothing of it is written.
    """
    sets = {
        name: read_set(group, table, experiment.energy)
        for name, group, table in zip(experiment.sets, blocks, thermo, strict=True)
    }
    write_table(baselines, predict_baselines(sets))
    scalers = fit_scalers(sets[TRAIN].features)
    for seed, files in fits.items():
        with set_threads(threads):
            network, result, decay = fit_network(experiment, optimizer, seed, scalers, sets)
            table = _by_set(
                {
                    name: of.predicted(energy_nn_ev=network.energies(of.features.by_element()))
                    for name, of in sets.items()
                }
            )
        network.save(files.model)
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


def read_set(blocks: Sequence[str], thermo: str, energy: str) -> FrameSet:
    """Blocks of functions of the same frames, and the energies of these."""
    features = read_blocks(blocks)
    return FrameSet(features, labelled_energies(features, thermo, energy))


def fit_scalers(features: Features) -> dict[str, Scaler]:
    """Mean and scale of each function, for the atoms of each element."""
    return {
        element: Scaler.fit(values, features.labels, features.block_sizes)
        for element, values in features.by_element().items()
    }


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
    fitted = []
    for decay in optimizer.weight_decays:
        network = build_network(scalers, scale, hidden=experiment.hidden, activation=experiment.activation, seed=seed)
        for of in sets.values():
            network.check_labels(of.features.labels_by_element())
        settings = TrainingSettings(**optimizer.model_dump(exclude={"weight_decay"}), weight_decay=decay)
        fitted.append((network, train(network, by_element, targets, settings, validation), decay))
    if len(fitted) == 1:
        return fitted[0]
    return min(fitted, key=lambda fit: fit[1].history["validation_mse_ev2"].min())


def predict_baselines(sets: Mapping[str, FrameSet]) -> pd.DataFrame:
    """What the networks have to beat on each set: the mean of the training energies, and ridge on the sums of G."""
    known, targets = sets[TRAIN].features.by_element(), sets[TRAIN].energies["energy_dft_ev"]
    ridge = ridge_baseline(known, targets, gap=len(targets) // FOLD_GAP)
    return _by_set(
        {
            name: of.predicted(
                energy_mean_ev=mean_baseline(targets, len(of.energies)),
                energy_ridge_ev=ridge.predict(sum_over_atoms(of.features.by_element())),
            )
            for name, of in sets.items()
        }
    )


def _by_set(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table.assign(set=name) for name, table in tables.items()], ignore_index=True)
