"""Speed of a potential, one core: `python -m benchmarks.potential`.

A step of dynamics is one evaluation of energy and forces. 20 G2 + 30 G5 at 8 Å, hidden layers 15-15, as the experiment
`rich-forces`; the weights do not matter. Times are processor seconds. Writes `potential.json` beside this file.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one core means one core

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.features import lithium, machine
from bpstudy.files import atomic_path
from bpstudy.network import build_network
from bpstudy.normalization import EnergyScale, Scaler
from bpstudy.potential import Potential, describe
from bpstudy.symmetry import SymmetryFunctions, grid

REPEATS = {(3, 3, 3): 20, (12, 6, 6): 3, (10, 10, 10): 2, (16, 16, 16): 1}


def potential(folder: Path) -> Potential:
    """A network of random weights for lithium."""
    chosen = SymmetryFunctions([*grid("G2", 20, 8.0, "fortnet"), *grid("G5", 30, 8.0, "behler2011")])
    features = {"Li": np.array([chosen.compute(lithium(seed=seed)) for seed in range(4)])}
    scalers = {"Li": Scaler.fit(features["Li"], chosen.labels)}
    build_network(scalers, EnergyScale(-1.9, 0.03), hidden=(15, 15)).save(folder / "model.keras")
    describe(folder / "potential.json", chosen, features, "free", [True] * 3)
    return Potential(folder)


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        calculator = potential(Path(folder))
    for repeat, count in REPEATS.items():
        atoms = lithium(repeat)
        atoms.calc = calculator
        atoms.get_forces()
        start = time.process_time()
        for step in range(count):
            atoms.positions[0, 0] += 1e-4 * (-1) ** step
            atoms.get_forces()
        seconds = (time.process_time() - start) / count
        rows.append({"atoms": len(atoms), "seconds_per_step": seconds, "atom_steps_per_second": len(atoms) / seconds})
        print(rows[-1], flush=True)
    with atomic_path(Path(__file__).parent / "potential.json") as temporary:
        temporary.write_text(
            json.dumps({"machine": machine(), "clock": "processor seconds", "rows": rows}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
