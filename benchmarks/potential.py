"""Speed of a potential beside the DFT it was fitted to, in one run: `python -m benchmarks.potential`.

A step of dynamics is one evaluation of energy and forces. The functions and the network are those of the experiment
`rich-forces`; the weights do not matter. Neighbours come of a Verlet list. Two sets of functions are timed apart, with
`--n2p2 PATH` beside n2p2: the folder of its sources, built by `make libnnp COMP=gnu MODE=static` in `src`.
One core is measured in processor seconds, which other work on the machine changes little; two cores also in elapsed
seconds, in turns with one core, which needs two that do nothing else. The least of several rounds. Writes
`potential.json` beside this file and prints the tables of docs/benchmarks.md.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one core means one core

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

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
from bpstudy.symmetry.parallel import in_threads
from tools.potential import dynamics_table, sets_table

ROOT = Path(__file__).parents[1]
STUDY = load(yaml.safe_load((ROOT / "config.yaml").read_text()))
EXPERIMENT = STUDY.experiments["rich-forces"]
REPEATS = {(3, 3, 3): 20, (12, 6, 6): 3, (10, 10, 10): 2, (16, 16, 16): 1}
ROUNDS = 5
EIGEN = "/usr/include/eigen3"  # where n2p2 looks for it, too


def make_folder(folder: Path, chosen: SymmetryFunctions) -> None:
    """A network of random weights for lithium."""
    features = compute_features(chosen, [lithium(seed=seed) for seed in range(4)])
    scalers = {"Li": Scaler.fit(features.rows["Li"].values, chosen.labels)}
    scale = EnergyScale({"Li": -1.9}, 0.006, 27.0)
    build_network(scalers, scale, hidden=EXPERIMENT.hidden).save(folder / "model.keras")
    describe(folder / "potential.json", {"Li": chosen}, features, "free", [[True] * 3])


def set_row(name: str, chosen: SymmetryFunctions, goal: float, driver: Path | None) -> dict[str, Any]:
    """Microseconds per atom and step, for energy and forces of 432 atoms on one core; and those of n2p2 without its
    search for neighbours, as in dynamics."""
    atoms = lithium((12, 6, 6))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_folder(folder, chosen)
        atoms.calc = Potential(folder, "ignore")
        energy = atoms.get_potential_energy()
        ours = seconds(step_of(atoms), 3)
        row = {"functions": name, "atoms": len(atoms), "goal": goal, "microseconds": 1e6 * ours / len(atoms)}
        if driver is not None:
            start = lithium((12, 6, 6))
            start.calc = SinglePointCalculator(start, energy=energy)
            export(atoms.calc, folder)
            write(folder / "input.data", [start], Units())
            done = subprocess.run([driver, "5"], cwd=folder, check=True, capture_output=True, text=True)
            every, search, its_energy = map(float, done.stdout.splitlines()[-1].split())  # n2p2 talks before
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
    include, library = (f"-I{sources / 'include'}", f"-I{EIGEN}"), sources / "lib/libnnp.a"
    subprocess.run(["g++", "-O3", "-march=native", "-std=c++11", *include, source, library, "-o", program], check=True)
    return program


def seconds(work: Callable[[], None], count: int, clock: Callable[[], float] = time.process_time) -> float:
    """Of one call: the least of some rounds of `count` calls."""
    rounds = []
    for _ in range(ROUNDS):
        start = clock()
        for _ in range(count):
            work()
        rounds.append((clock() - start) / count)
    return min(rounds)


def longest_path(work: Callable[[], None]) -> float:
    """Processor seconds of one call that two cores with nothing else to do cannot share: of the main thread, and of the
    slower one of each pair of threads. The least of some rounds."""
    waited = 0.0

    def timed(threads: int, work: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
        nonlocal waited

        def one(part: Any) -> tuple[Any, float]:
            start = time.thread_time()
            return work(part), time.thread_time() - start

        found = list(in_threads(threads, one, parts))
        if len(parts) > 1:
            waited += max(spent for _, spent in found)
        return [result for result, _ in found]

    rounds = []
    with patch("bpstudy.symmetry.sets.in_threads", timed), patch("bpstudy.symmetry.skin.in_threads", timed):
        for _ in range(ROUNDS):
            waited, start = 0.0, time.thread_time()
            work()
            rounds.append(time.thread_time() - start + waited)
    return min(rounds)


def scaling_row(atoms: Atoms, potentials: dict[int, Potential], count: int) -> dict[str, float]:
    """A step on one core and on two."""
    elapsed = dict.fromkeys(potentials, np.inf)
    step = step_of(atoms)
    for _ in range(ROUNDS):
        for threads, potential in potentials.items():
            atoms.calc = potential
            atoms.get_forces()
            start = time.perf_counter()
            for _ in range(count):
                step()
            elapsed[threads] = min(elapsed[threads], (time.perf_counter() - start) / count)
    atoms.calc = potentials[2]
    longest = longest_path(step)
    atoms.calc = potentials[1]
    one = seconds(step, count)
    return {
        "atoms": len(atoms),
        "seconds_per_step_1": one,
        "atom_steps_per_second": len(atoms) / one,
        "two_cores_elapsed": elapsed[1] / elapsed[2],
        "two_cores": one / longest,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--n2p2", type=Path, help="folder of n2p2's sources, with lib/libnnp.a")
    n2p2 = arguments.parse_args().n2p2
    with tempfile.TemporaryDirectory() as name:
        driver = n2p2_driver(n2p2, Path(name)) if n2p2 else None
        sets = [set_row(of, functions_of(blocks), goal, driver) for of, blocks, goal in POTENTIALS]
    print(*sets_table(sets), sep="\n", flush=True)
    dft = lithium()
    dft.calc = make_calculator(STUDY.systems["li27"].calculator)

    def step() -> None:
        dft.positions += 0.004 * np.random.default_rng(0).normal(size=dft.positions.shape)  # some 1 fs at 300 K
        dft.get_forces()

    step()
    dft_seconds = seconds(step, 2)
    print(f"DFT, {len(dft)} atoms: {dft_seconds:.2f} s a step", flush=True)
    with tempfile.TemporaryDirectory() as name:
        blocks = [block_functions(block, ["Li"], STUDY.angular_tolerance) for block in EXPERIMENT.functions]
        make_folder(Path(name), SymmetryFunctions([f for block in blocks for f in block.functions]))
        potentials = {threads: Potential(name, "ignore", threads=threads) for threads in (1, 2)}
    rows = [scaling_row(lithium(repeat), potentials, count) for repeat, count in REPEATS.items()]
    print(*dynamics_table(rows), sep="\n", flush=True)
    measured = {
        "machine": machine(),
        "clock": "processor seconds",
        "dft_seconds_per_step": dft_seconds,
        "dft_over_network": dft_seconds / rows[0]["seconds_per_step_1"],
        "rows": rows,
        "sets": sets,
    }
    with atomic_path(Path(__file__).parent / "potential.json") as temporary:
        temporary.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
