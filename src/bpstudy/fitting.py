"""One experiment and one seed: a network is fitted and predicts the frames it was trained on and those held out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.features import Features, labelled_energies, read_blocks
from bpstudy.files import atomic_path, write_table
from bpstudy.network import AtomicNetwork, build_network
from bpstudy.normalization import EnergyScale, Scaler
from bpstudy.training import TrainingSettings, set_threads, train

TRAIN = "train"


def predict(network: AtomicNetwork, features: Features, energies: pd.DataFrame, name: str) -> pd.DataFrame:
    """`energies` with the network's beside them and the name of the set of frames."""
    predicted = network.energies(features.by_element())
    return energies.assign(energy_nn_ev=predicted).reset_index(drop=True).assign(set=name)


def fit_experiment(
    experiment: Experiment,
    optimizer: Optimizer,
    seed: int,
    threads: int,
    blocks: Sequence[Sequence[str]],
    thermo: Sequence[str],
    model: Path,
    history: Path,
    predictions: Path,
    metrics: Path,
) -> None:
    """Fit the network of `seed` and write model, history, predictions and the summary of the fit.

    Args:
        blocks: files of symmetry functions, those to train on first, then one group for each held-out set.
        thermo: table of energies for each group of `blocks`.

    Raises:
        ValueError: inputs that do not fit together.
        TrainingDivergedError: the fit diverges; nothing is written.
    """
    names = [TRAIN, *experiment.held_out]
    features = {name: read_blocks(group) for name, group in zip(names, blocks, strict=True)}
    energies = {
        name: labelled_energies(features[name], table, experiment.energy)
        for name, table in zip(names, thermo, strict=True)
    }
    known = features[TRAIN]
    targets = energies[TRAIN]["energy_dft_ev"]
    by_element = known.by_element()
    scalers = {element: Scaler.fit(values, known.labels, known.block_sizes) for element, values in by_element.items()}
    scale = EnergyScale.fit(targets, len(known.numbers))
    with set_threads(threads):
        network = build_network(scalers, scale, hidden=experiment.hidden, activation=experiment.activation, seed=seed)
        for name in names:
            network.check_labels(features[name].labels_by_element())
        result = train(network, by_element, targets, TrainingSettings(**optimizer.model_dump()))
        table = pd.concat([predict(network, features[name], energies[name], name) for name in names])
    network.save(model)
    write_table(history, result.history)
    write_table(predictions, table)
    summary = {
        "seed": seed,
        "n_atoms": len(known.numbers),
        "weights": int(network.get_weights().size),
        "optimizer": optimizer.name,
        "iterations": int(result.history["iteration"].iloc[-1]),
        "best_iteration": result.best_iteration,
        "seconds": float(result.history["seconds"].iloc[-1]),
        "stop_reason": result.stop_reason,
        "dead_functions": {element: scaler.dead_labels for element, scaler in scalers.items()},
    }
    with atomic_path(metrics) as temporary:
        temporary.write_text(json.dumps(summary, indent=1) + "\n")
