"""Speed of a potential beside the DFT it was fitted to, in one run: `python -m benchmarks.potential`.

A step of dynamics is one evaluation of energy and forces. The functions and the network are those of the experiment
`rich-forces`; the weights do not matter. Elapsed times, the least of several rounds: run it on a machine that does
nothing else. Writes `potential.json` beside this file.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one core means one core

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from benchmarks.features import lithium, machine
from bpstudy.config.study import load
from bpstudy.descriptors.blocks import block_functions
from bpstudy.descriptors.compute import compute_features
from bpstudy.dynamics.calculators import make_calculator
from bpstudy.files import atomic_path
from bpstudy.network.description import describe
from bpstudy.network.model import build_network
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.potential.calculator import Potential
from bpstudy.symmetry import SymmetryFunctions

ROOT = Path(__file__).parents[1]
STUDY = load(yaml.safe_load((ROOT / "config.yaml").read_text()))
EXPERIMENT = STUDY.experiments["rich-forces"]
REPEATS = {(3, 3, 3): 20, (12, 6, 6): 3, (10, 10, 10): 2, (16, 16, 16): 1}
ROUNDS = 4


def make_folder(folder: Path) -> None:
    """A network of random weights for lithium."""
    blocks = [block_functions(block, ["Li"], STUDY.angular_tolerance) for block in EXPERIMENT.functions]
    chosen = SymmetryFunctions([f for block in blocks for f in block.functions])
    features = compute_features(chosen, [lithium(seed=seed) for seed in range(4)])
    scalers = {"Li": Scaler.fit(features.rows["Li"].values, chosen.labels)}
    scale = EnergyScale({"Li": -1.9}, 0.006, 27.0)
    build_network(scalers, scale, hidden=EXPERIMENT.hidden).save(folder / "model.keras")
    describe(folder / "potential.json", {"Li": chosen}, features, "free", [[True] * 3])


def seconds(work: Callable[[], None], count: int) -> float:
    """Of one call: the least of some rounds of `count` calls."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(count):
            work()
        rounds.append((time.perf_counter() - start) / count)
    return min(rounds)


def main() -> None:
    dft = lithium()
    dft.calc = make_calculator(STUDY.systems["li27"].calculator)

    def step() -> None:
        dft.positions += 0.004 * np.random.default_rng(0).normal(size=dft.positions.shape)  # some 1 fs at 300 K
        dft.get_forces()

    step()
    dft_seconds = seconds(step, 2)
    print(f"DFT, {len(dft)} atoms: {dft_seconds:.2f} s a step", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        make_folder(Path(name))
        potentials = {threads: Potential(name, "ignore", threads=threads) for threads in (1, 2)}
    for repeat, count in REPEATS.items():
        atoms = lithium(repeat)
        row = {"atoms": len(atoms)}
        for threads, potential in potentials.items():
            atoms.calc = potential
            atoms.get_forces()

            def move(atoms=atoms) -> None:
                atoms.positions[0, 0] += 1e-4
                atoms.get_forces()

            row |= {f"seconds_per_step_{threads}": seconds(move, count)}
        row |= {"atom_steps_per_second": len(atoms) / row["seconds_per_step_1"]}
        row |= {"two_cores": row["seconds_per_step_1"] / row["seconds_per_step_2"]}
        if len(atoms) == len(dft):
            row |= {"against_dft": dft_seconds / row["seconds_per_step_1"]}
        rows.append(row)
        print(row, flush=True)
    measured = {"machine": machine(), "clock": "elapsed seconds", "dft_seconds_per_step": dft_seconds, "rows": rows}
    with atomic_path(Path(__file__).parent / "potential.json") as temporary:
        temporary.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
