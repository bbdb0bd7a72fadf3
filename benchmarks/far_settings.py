"""Settings of the experiment `far-forces`, chosen on validation frames alone.

    python -m benchmarks.far_settings [--output docs/far_settings.csv]

Reads the trajectory of Li27 that `make run` leaves in `results/`, and nothing of the independent run that decides claim
F3. One setting after the other is varied from the best so far: functions, weight of the forces, weight decay, number
of frames and force components, neurons, iterations. Each trial is one network of seed 0, fitted to frames of 0.3 to
27 ps and stopped on `spread-validation` (27.5 to 30.5 ps). The criterion is the product of the validation errors of
energies and forces, so a per cent of either counts the same. Every trial is written, with its errors and processor
time.
"""

import argparse
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bpstudy.config.files import read_file
from bpstudy.config.functions import Block
from bpstudy.config.study import Config, load
from bpstudy.data.trajectory import StoredFrames
from bpstudy.files import write_table
from bpstudy.network.element import predict
from bpstudy.statistics.metrics import rms
from bpstudy.symmetry import SymmetryFunctions, grid
from bpstudy.training.frames import fit_sets, frame_set
from bpstudy.training.networks import FitSettings
from bpstudy.training.settings import TrainingSettings

TRAJECTORY = Path("results/dynamics/li27/trajectory.traj")
FIRST, LAST = 300, 27_026  # fs; of the training frames


@dataclass(frozen=True)
class Trial:
    """The settings of one fit."""

    blocks: tuple[str, ...] = ()
    weight: float = 1.0
    weight_decay: float = 1e-5
    frames: int = 400
    components: int = 27
    neurons: int = 15
    max_iterations: int = 30


RADIAL = ("6G2-20A", "20G2-12A")
ANGULAR = ("30G5-behler2011-8A",)
VARIED = [
    ("blocks", [(*RADIAL, *ANGULAR)]),
    (
        "blocks",
        [
            ("20G2-8A", *ANGULAR),
            ("10G2-20A", "20G2-12A", *ANGULAR),
            (*RADIAL, *ANGULAR, "12G4"),
            (*RADIAL, *ANGULAR, "25G5-8A"),
        ],
    ),
    ("weight", [4.0, 16.0]),
    ("weight_decay", [1e-6, 1e-4]),
    ("frames", [800]),
    ("components", [81]),
    ("neurons", [10, 20]),
    ("max_iterations", [60]),
    ("blocks", [("20G2-20A", "20G2-12A", *ANGULAR), ("10G2-20A", "20G2-12A", "30G5-behler2011-12A")]),
]


OTHER_BLOCKS = {  # beside those of the configuration
    "20G2-20A": Block(type="G2", count=20, cutoff_angstrom=20.0, grid="fortnet"),
    "30G5-behler2011-12A": Block(type="G5", count=30, cutoff_angstrom=12.0, grid="behler2011", pairs="unordered"),
}


class Fitter:
    """Fits trials, and computes functions and dG/dR of the frames of one set of blocks at a time."""

    def __init__(self, study: Config) -> None:
        self.study, self.stored = study, StoredFrames(TRAJECTORY)
        self.known: dict[tuple, tuple] = {}

    def functions(self, blocks: tuple[str, ...]) -> SymmetryFunctions:
        of = [{**self.study.blocks, **OTHER_BLOCKS}[name] for name in blocks]
        made = [grid(b.type, b.count, b.cutoff_angstrom, b.grid, b.pairs or "unordered") for b in of]
        return SymmetryFunctions(list(itertools.chain(*made)), self.study.angular_tolerance)

    def sets(self, trial: Trial) -> tuple:
        key = (trial.blocks, trial.frames, trial.components)
        if key not in self.known:
            self.known.clear()
            functions = self.functions(trial.blocks)
            training = [self.stored[k] for k in np.linspace(FIRST, LAST, trial.frames).round().astype(int)]
            held = self.study.frames["spread-validation"].indices(len(self.stored))
            self.known[key] = (
                functions,
                frame_set(functions, training, trial.components),
                frame_set(functions, [self.stored[k] for k in held]),
            )
        return self.known[key]

    def errors(self, trial: Trial) -> dict[str, float]:
        """Validation errors of the network, and processor time of its fit."""
        functions, training, validation = self.sets(trial)
        optimizer = self.study.optimizers["with-forces"]
        shared = optimizer.model_dump(exclude={"weight_decay", "max_iterations"})
        how = TrainingSettings(**shared, weight_decay=trial.weight_decay, max_iterations=trial.max_iterations)
        settings = FitSettings((trial.neurons,) * 2, (how,), trial.weight, direct=True)
        start = time.process_time()
        network = fit_sets(functions, training, validation, settings).fits[0].network
        seconds = time.process_time() - start
        energies, forces = predict(network, validation.features, validation.forces)
        energy = 1000 * rms((energies - validation.energies_ev) / validation.features.n_atoms)
        force = 1000 * rms(forces - validation.forces.forces_ev_per_angstrom)
        return {
            "validation_energy_rmse_mev_per_atom": energy,
            "validation_force_rmse_mev_per_angstrom": force,
            "product": energy * force,
            "cpu_s": seconds,
        }


def trials(fitter: Fitter, known: pd.DataFrame) -> Iterator[dict]:
    """Every trial with its errors, each setting varied from the best so far; those in `known` are not fitted again."""
    best, least = Trial(), np.inf
    for key, values in VARIED:
        for trial in [replace(best, **{key: value}) for value in values]:
            settings = {**vars(trial), "blocks": " ".join(trial.blocks)}
            same = known[(known[list(settings)] == list(settings.values())).all(axis=1)] if len(known) else known
            errors = same.iloc[0].drop(list(settings)).to_dict() if len(same) else fitter.errors(trial)
            yield {**settings, **errors}
            if errors["product"] < least:
                best, least = trial, errors["product"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("docs/far_settings.csv"), help="trials in it are kept")
    options = parser.parse_args()
    known = pd.read_csv(options.output) if options.output.exists() else pd.DataFrame()
    found: list[dict] = []
    for trial in trials(Fitter(load(read_file(Path("config.yaml")))), known):
        found.append(trial)
        print({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in trial.items()}, flush=True)
        if len(found) > len(known):
            write_table(options.output, pd.DataFrame(found))


if __name__ == "__main__":
    main()
