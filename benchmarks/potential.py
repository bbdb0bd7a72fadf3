"""Speed of a potential beside the DFT it was fitted to, in one run: `python -m benchmarks.potential`.

A step of dynamics is one evaluation of energy and forces. The functions and the network are those of the experiment
`rich-forces`; the weights do not matter. Two sets of functions are timed apart, with neighbours found anew each time,
and with `--n2p2 PATH` beside n2p2: the folder of its sources, built by `make libnnp COMP=gnu MODE=static` in `src`.
Elapsed times, the least of several rounds: run it on a machine that does nothing else. Writes `potential.json` beside
this file.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one core means one core

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from benchmarks.features import POTENTIALS, functions_of, lithium, machine
from bpstudy.config.datasets import Units
from bpstudy.config.study import load
from bpstudy.data.n2p2 import write
from bpstudy.descriptors.blocks import block_functions
from bpstudy.descriptors.compute import compute_features
from bpstudy.dynamics.calculators import make_calculator
from bpstudy.files import atomic_path
from bpstudy.network.description import describe
from bpstudy.network.model import build_network
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.potential.calculator import Potential
from bpstudy.potential.n2p2 import export
from bpstudy.symmetry import SymmetryFunctions

ROOT = Path(__file__).parents[1]
STUDY = load(yaml.safe_load((ROOT / "config.yaml").read_text()))
EXPERIMENT = STUDY.experiments["rich-forces"]
REPEATS = {(3, 3, 3): 20, (12, 6, 6): 3, (10, 10, 10): 2, (16, 16, 16): 1}
ROUNDS = 4


def make_folder(folder: Path, chosen: SymmetryFunctions) -> None:
    """A network of random weights for lithium."""
    features = compute_features(chosen, [lithium(seed=seed) for seed in range(4)])
    scalers = {"Li": Scaler.fit(features.rows["Li"].values, chosen.labels)}
    scale = EnergyScale({"Li": -1.9}, 0.006, 27.0)
    build_network(scalers, scale, hidden=EXPERIMENT.hidden).save(folder / "model.keras")
    describe(folder / "potential.json", {"Li": chosen}, features, "free", [[True] * 3])


def set_row(name: str, chosen: SymmetryFunctions, driver: Path | None) -> dict[str, Any]:
    """Microseconds an atom and step, for energy and forces of 432 atoms on one core; and those of n2p2 without its
    search for neighbours, as in dynamics."""
    atoms = lithium((12, 6, 6))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_folder(folder, chosen)
        atoms.calc = Potential(folder, "ignore")
        energy = atoms.get_potential_energy()
        ours = seconds(step_of(atoms), 3)
        row = {"functions": name, "atoms": len(atoms), "microseconds": 1e6 * ours / len(atoms)}
        if driver is not None:
            start = lithium((12, 6, 6))
            start.calc = SinglePointCalculator(start, energy=energy)
            export(atoms.calc, folder)
            write(folder / "input.data", [start], Units())
            done = subprocess.run([driver, "5"], cwd=folder, check=True, capture_output=True, text=True)
            every, search, its_energy = map(float, done.stdout.split())
            if abs(its_energy - energy) > 1e-8 * len(atoms):
                sys.exit(f"{name}: n2p2 gives {its_energy} eV, we give {energy} eV")
            ours = min(ours, seconds(step_of(atoms), 3))  # before and after
            theirs = every - search
            row |= {"microseconds": 1e6 * ours / len(atoms), "n2p2_microseconds": 1e6 * theirs / len(atoms)}
            row |= {"n2p2_over_ours": theirs / ours}
    return row


def step_of(atoms: Atoms) -> Callable[[], None]:
    """A step of dynamics: an atom moves a little, and energy and forces are computed."""

    def step() -> None:
        atoms.positions[0, 0] += 1e-4
        atoms.get_forces()

    return step


def n2p2_driver(sources: Path, folder: Path) -> Path:
    """`n2p2_timing.cpp` linked with n2p2's library."""
    source, program = Path(__file__).with_name("n2p2_timing.cpp"), folder / "n2p2_timing"
    include, library = sources / "include", sources / "lib/libnnp.a"
    subprocess.run(
        ["g++", "-O3", "-march=native", "-std=c++11", f"-I{include}", source, library, "-o", program], check=True
    )
    return program


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
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--n2p2", type=Path, help="folder of n2p2's sources, with lib/libnnp.a")
    n2p2 = arguments.parse_args().n2p2
    with tempfile.TemporaryDirectory() as name:
        driver = n2p2_driver(n2p2, Path(name)) if n2p2 else None
        sets = [set_row(of, functions_of(blocks), driver) for of, blocks, _ in POTENTIALS]
    for row in sets:
        print(row, flush=True)
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
        blocks = [block_functions(block, ["Li"], STUDY.angular_tolerance) for block in EXPERIMENT.functions]
        make_folder(Path(name), SymmetryFunctions([f for block in blocks for f in block.functions]))
        potentials = {threads: Potential(name, "ignore", threads=threads) for threads in (1, 2)}
    for repeat, count in REPEATS.items():
        atoms = lithium(repeat)
        row = {"atoms": len(atoms)}
        for threads, potential in potentials.items():
            atoms.calc = potential
            atoms.get_forces()

            row |= {f"seconds_per_step_{threads}": seconds(step_of(atoms), count)}
        row |= {"atom_steps_per_second": len(atoms) / row["seconds_per_step_1"]}
        row |= {"two_cores": row["seconds_per_step_1"] / row["seconds_per_step_2"]}
        if len(atoms) == len(dft):
            row |= {"against_dft": dft_seconds / row["seconds_per_step_1"]}
        rows.append(row)
        print(row, flush=True)
    measured = {"machine": machine(), "clock": "elapsed seconds", "dft_seconds_per_step": dft_seconds, "rows": rows}
    measured["sets"] = sets
    with atomic_path(Path(__file__).parent / "potential.json") as temporary:
        temporary.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
