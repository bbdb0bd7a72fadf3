"""One experiment: baselines and one network per seed, with predictions for training and held-out frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.descriptors.gradients import read_functions
from bpstudy.files import atomic_path, write_table
from bpstudy.network.description import describe
from bpstudy.network.normalization import Scaler
from bpstudy.symmetry.parallel import in_threads
from bpstudy.training.baselines import by_set, fit_ridge, predict_baselines
from bpstudy.training.networks import Fit, FitSettings, check_sets, fit_network, fit_scalers, predict_network
from bpstudy.training.sets import TRAIN, FrameSet, add_forces, add_stress, read_set
from bpstudy.training.threads import set_threads


@dataclass(frozen=True)
class FitFiles:
    """What the fit of one seed writes."""

    model: Path
    potential: Path
    history: Path
    predictions: Path
    metrics: Path


def fit_experiment(
    experiment: Experiment,
    optimizer: Optimizer,
    fits: Mapping[int, FitFiles],
    baselines: Path,
    threads: int,
    blocks: Sequence[Sequence[str]],
    thermo: Sequence[str],
    trajectories: Sequence[str] = (),
    atomic_energies_ev: Mapping[str, float] | None = None,
) -> None:
    """Fit a network for each seed of `fits` and write model, history, predictions and a summary; and the baselines.

    Args:
        blocks: files of symmetry functions, one group for each of `experiment.sets`.
        thermo: table of energies for each group of `blocks`.
        threads: seeds that are fitted at a time, each by one thread: the numbers do not depend on it.
        trajectories: the trajectory of each group of `blocks`, where the experiment looks at forces or stress.
        atomic_energies_ev: of each element, where the user gave them.

    Raises:
        ValueError: inputs that do not fit together, or that nothing can be learned from.
        TrainingDivergedError: a fit diverges; nothing of it is written.
    """
    sets = {
        name: read_set(group, table, experiment.energy)
        for name, group, table in zip(experiment.sets, blocks, thermo, strict=True)
    }
    if experiment.forces is not None:
        sets = add_forces(experiment.forces, sets, blocks, trajectories, threads)
    if experiment.stress is not None:
        sets = add_stress(experiment.stress, sets, blocks, trajectories, threads)
    check_sets(sets)
    scalers = fit_scalers(sets[TRAIN].features)
    settings = FitSettings.of(experiment, optimizer, atomic_energies_ev)
    ridge = fit_ridge(sets[TRAIN], settings.force_weight, settings.stress_weight)
    write_table(baselines, predict_baselines(sets, ridge))
    functions = dict.fromkeys(sets[TRAIN].features.rows, read_functions(blocks[0]))
    pbc = json.loads(Path(blocks[0][0]).with_suffix(".json").read_text())["pbc"]

    def fit_seed(seed: int) -> None:
        files, fit = fits[seed], fit_network(settings, seed, scalers, sets, ridge if settings.direct else None)
        table = by_set({name: of.predicted(**predict_network(fit.network, of)) for name, of in sets.items()})
        write_fit(files, seed, optimizer.name, fit, sets[TRAIN], scalers)
        write_table(files.predictions, table)
        describe(files.potential, functions, sets[TRAIN].features, experiment.energy, pbc)

    with set_threads(1):
        list(in_threads(threads, fit_seed, list(fits)))


def write_fit(
    files: FitFiles, seed: int, optimizer: str, fit: Fit, known: FrameSet, scalers: Mapping[str, Scaler]
) -> None:
    """Write the model, its history and a summary."""
    fit.network.save(files.model)
    write_table(files.history, fit.result.history)
    summary = {
        "seed": seed,
        "n_atoms": float(known.features.n_atoms.mean()),
        "weights": int(fit.network.get_weights().size),
        "optimizer": optimizer,
        "weight_decay": fit.weight_decay,
        "iterations": int(fit.result.history["iteration"].iloc[-1]),
        "best_iteration": fit.result.best_iteration,
        "seconds": float(fit.result.history["seconds"].iloc[-1]),
        "operations": float(fit.result.history["operations"].iloc[-1]),
        "stop_reason": fit.result.stop_reason,
        "dead_functions": {element: scaler.dead_labels for element, scaler in scalers.items()},
    }
    with atomic_path(files.metrics) as temporary:
        temporary.write_text(json.dumps(summary, indent=1) + "\n")
