"""Speed of the symmetry functions against DScribe, in one run on one core: `python benchmarks/features.py`.

Both compute the same functions of the same frames, in turn, and the medians are compared. Times are processor seconds
of this process, so other work on the machine disturbs them little. Writes `features.json` beside this file; `--quick`
leaves out what takes long.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one core means one core

import argparse
import importlib.metadata
import json
import multiprocessing
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from ase import Atoms
from ase.build import bulk
from dscribe.descriptors import ACSF

from bpstudy.files import atomic_path
from bpstudy.symmetry import G2, G4, G5, NeighborList, SymmetryFunctions, compute_frames, grid

HERE = Path(__file__).parent
# Name, radial and angular functions, cutoff in Å, repetitions, speed-up that is the goal.
CASES = [
    ("25 G2 + 25 G5, 8 Å", [("G2", 25), ("G5", 25)], 8.0, 5, 30),
    ("12 G2 + 6 G4, 8 Å", [("G2", 12), ("G4", 6)], 8.0, 5, 5),
    ("25 G2 + 25 G5, 20 Å", [("G2", 25), ("G5", 25)], 20.0, 3, 300),
    ("25 G2 + 25 G4, 20 Å", [("G2", 25), ("G4", 25)], 20.0, 3, 10),
]
# What most potentials consist of: name, (type, number, scheme) of each block at 8 Å, µs an atom that are the goal.
POTENTIALS = [
    ("12 G1 + 12 G4", [("G1", 12, "graded"), ("G4", 12, "fortnet")], 150),
    ("20 G2 + 30 G5", [("G2", 20, "fortnet"), ("G5", 30, "behler2011")], 120),
]


def lithium(repeat: tuple[int, int, int] = (3, 3, 3), seed: int = 0) -> Atoms:
    """A frame like those of the dynamics: bcc lithium, 0.15 Å rms displacement in each direction."""
    atoms = bulk("Li", "bcc", a=3.49) * repeat
    atoms.rattle(0.15, seed=seed)
    return atoms


def functions(blocks: list[tuple[str, int]], cutoff: float) -> SymmetryFunctions:
    return SymmetryFunctions([f for kind, count in blocks for f in grid(kind, count, cutoff, "fortnet")])


def functions_of(blocks: list[tuple[str, int, str]]) -> SymmetryFunctions:
    """Of one of `POTENTIALS`."""
    return SymmetryFunctions([f for kind, count, scheme in blocks for f in grid(kind, count, 8.0, scheme)])


def peer(chosen: SymmetryFunctions) -> ACSF:
    """DScribe with the same functions; its first column is G1."""
    angular = {
        cls: [[f.eta, f.zeta, f.lam] for f in chosen.functions if isinstance(f, cls)] or None for cls in (G4, G5)
    }
    radial = [[f.eta, f.rs] for f in chosen.functions if isinstance(f, G2)]
    return ACSF(
        r_cut=chosen.cutoff,
        g2_params=radial,
        g4_params=angular[G4],
        g5_params=angular[G5],
        species=["Li"],
        periodic=True,
    )


def seconds(work: Callable[[], object], repetitions: int = 1, clock: Callable[[], float] = time.process_time) -> float:
    """Median time of several calls; short calls are repeated until the clock resolves them."""
    times = []
    for _ in range(repetitions):
        count, start = 0, clock()
        while count == 0 or clock() - start < 0.2:
            work()
            count += 1
        times.append((clock() - start) / count)
    return median(times)


def against_dscribe(blocks: list[tuple[str, int]], cutoff: float, repetitions: int) -> dict[str, float]:
    """Alternating times of both, and how far the values are apart (where DScribe's are numbers)."""
    atoms, chosen = lithium(), functions(blocks, cutoff)
    other = peer(chosen)
    values = chosen.compute(atoms)  # compiled and planned before the clock starts
    ours, theirs = [], []
    for _ in range(repetitions):
        ours.append(seconds(lambda: chosen.compute(atoms)))
        start = time.process_time()
        expected = other.create(atoms)[:, 1:]
        theirs.append(time.process_time() - start)
    finite = np.isfinite(expected)
    difference = np.abs(np.where(finite, values - expected, 0.0))
    kinds = np.array([type(f).__name__ for f in chosen.functions])
    relative = [
        difference[:, kinds == k].max() / np.abs(np.where(finite, expected, 0.0)[:, kinds == k]).max()
        for k in set(kinds)
    ]
    weights = np.ones_like(values)
    value, forces = seconds(lambda: chosen.compute(atoms), 3), seconds(lambda: chosen.contract(atoms, weights), 3)
    tensor = seconds(lambda: chosen.compute_with_gradients(atoms), 3)
    return {
        "ours_s": median(ours),
        "dscribe_s": median(theirs),
        "speedup": median(theirs) / median(ours),
        "largest_difference_relative_to_type": float(max(relative)),
        "columns_where_dscribe_gives_nan": int((~finite).any(axis=0).sum()),
        "values_and_forces_over_values": (value + forces) / value,
        "values_and_gradient_tensor_over_values": tensor / value,
    }


def scaling(quick: bool) -> dict[str, list[dict[str, float]]]:
    """Seconds a frame against cutoff, number of functions, number of atoms and cores."""
    atoms, mixed = lithium(), [("G2", 25), ("G5", 25)]
    out: dict[str, list[dict[str, float]]] = {"cutoff": [], "functions": [], "atoms": [], "cores": []}
    for cutoff in (4.0, 6.0, 8.0, 12.0, 16.0, 20.0):
        row = {"cutoff_angstrom": cutoff}
        for key, blocks in (("g2_g5_s", mixed), ("g2_g4_s", [("G2", 25), ("G4", 25)])):
            chosen = functions(blocks, cutoff)
            chosen.compute(atoms)
            row[key] = seconds(lambda chosen=chosen: chosen.compute(atoms), 3)  # type: ignore[misc]
        out["cutoff"].append(row)
    for count in (6, 12, 25, 50, 100):
        row = {"functions_of_each": count}
        for key, kind in (("g2_s", "G2"), ("g4_s", "G4"), ("g5_s", "G5")):
            chosen = functions([(kind, count)], 8.0)
            chosen.compute(atoms)
            row[key] = seconds(lambda chosen=chosen: chosen.compute(atoms), 3)  # type: ignore[misc]
        out["functions"].append(row)
    chosen = functions(mixed, 8.0)
    for repeat in ((3, 3, 3), (4, 4, 4), (6, 6, 6), (8, 8, 8), (10, 10, 10), (20, 10, 10)):
        crystal = lithium(repeat)
        out["atoms"].append({"atoms": len(crystal), "seconds": seconds(lambda c=crystal: chosen.compute(c), 3)})  # type: ignore[misc]
    frames = [lithium(seed=s) for s in range(20 if quick else 200)]
    for threads in range(1, (os.cpu_count() or 1) + 1):
        wall = seconds(lambda n=threads: compute_frames(chosen, frames, n), 3, time.perf_counter)  # type: ignore[misc]
        out["cores"].append({"threads": threads, "wall_seconds_per_frame": wall / len(frames)})
    return out


def energy_and_forces() -> list[dict[str, float | str]]:
    """µs an atom and step of the functions of a potential: neighbours, values, and the forces of given dE/dG.

    With a search for neighbours at each step, and with a Verlet list in which no atom moves far.
    """
    rows: list[dict[str, float | str]] = []
    for name, blocks, goal in POTENTIALS:
        chosen = functions_of(blocks)
        for repeat in ((3, 3, 3), (12, 6, 6)):
            atoms = lithium(repeat)
            weights, moving = np.ones((len(atoms), len(chosen))), NeighborList(8.0)

            def step(skin: bool, atoms=atoms, chosen=chosen, weights=weights, moving=moving) -> None:  # type: ignore[no-untyped-def]
                near = moving.update(atoms) if skin else chosen.neighbors(atoms)
                chosen.compute(atoms, near=near)
                chosen.contract(atoms, weights, near=near)

            row: dict[str, float | str] = {"functions": name, "atoms": len(atoms), "goal_us_per_atom": goal}
            for key, skin in (("search_us_per_atom", False), ("skin_us_per_atom", True)):
                step(skin)
                row[key] = 1e6 * seconds(lambda skin=skin, step=step: step(skin), 5) / len(atoms)  # type: ignore[misc]
            rows.append(row)
    return rows


def pool() -> dict[str, float]:
    """Sums over centres of the gradients of a pool of candidates: seconds a frame of 64 Mo atoms, and for 230 frames
    on two cores."""
    candidates = [
        f
        for cutoff in (4.5, 5.5, 6.5, 8.0)
        for kind, count, scheme in (
            ("G2", 16, "fortnet"), ("G2", 9, "behler2011"), ("G4", 20, "behler2011"), ("G5", 20, "behler2011"),
            ("G4", 16, "fortnet"), ("G5", 16, "fortnet"),
        )
        for f in grid(kind, count, cutoff, scheme)
    ]  # fmt: skip
    chosen, atoms = SymmetryFunctions(candidates, 1e-8), bulk("Mo", "bcc", a=3.15, cubic=True) * (4, 4, 2)
    atoms.rattle(0.1, seed=0)
    chosen.summed_gradients_and_strain(atoms)
    one = seconds(lambda: chosen.summed_gradients_and_strain(atoms), 3)
    return {"functions": len(chosen), "atoms": len(atoms), "seconds_per_frame": one, "seconds_230_frames": 115 * one}


def _many(count: int, queue: multiprocessing.Queue) -> None:
    frames = [lithium(seed=s) for s in range(count)]
    chosen = functions([("G2", 25), ("G5", 25)], 20.0)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    compute_frames(chosen, frames, threads=2)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    queue.put(
        {
            "frames": count,
            "peak_mb": after / 1024,
            "before_mb": before / 1024,
            "cpu_seconds": time.process_time() - start,
        }
    )


def memory(count: int) -> dict[str, float]:
    """Peak memory of a process of its own that computes `count` frames at 20 Å with two threads."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_many, args=(count, queue))
    process.start()
    result = queue.get()
    process.join()
    return result


def machine() -> dict[str, object]:
    """What the numbers depend on besides the code."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "numba", "vesin", "dscribe", "ase")}
    return {
        "processor": (models or [platform.processor()])[0],
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "system": platform.system(),
        "python": platform.python_version(),
        **versions,
    }


def table(rows: list[dict[str, float | str]]) -> list[str]:
    """The comparison as lines of a Markdown table, as in the README."""
    columns = {
        "27 Li atoms": "case",
        "ours, s": "ours_s",
        "DScribe, s": "dscribe_s",
        "speed-up": "speedup",
        "goal": "goal_speedup",
        "difference": "largest_difference_relative_to_type",
        "values + forces / values": "values_and_forces_over_values",
        "values + tensor / values": "values_and_gradient_tensor_over_values",
    }
    cells = [[row[key] for key in columns.values()] for row in rows]
    lines = [[f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in line] for line in cells]
    return [f"| {' | '.join(line)} |" for line in ([*columns], ["---"] * len(columns), *lines)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HERE / "features.json")
    parser.add_argument("--quick", action="store_true", help="only the cases at 8 Å, and 100 frames for the memory")
    arguments = parser.parse_args()
    result: dict[str, object] = {
        "machine": machine(),
        "system": "27 Li, fortnet grids, unordered pairs",
        "clock": "processor seconds",
    }
    rows: list[dict[str, float | str]] = []
    for name, blocks, cutoff, repetitions, goal in CASES:
        if arguments.quick and cutoff > 10:
            continue
        row = against_dscribe(blocks, cutoff, repetitions)
        rows.append({"case": name, "goal_speedup": goal, **row})
        print(table(rows)[-1], flush=True)
    result |= {
        "against_dscribe": rows,
        "energy_and_forces": energy_and_forces(),
        "summed_gradients": pool(),
        "scaling": scaling(arguments.quick),
        "memory": memory(100 if arguments.quick else 2000),
    }
    with atomic_path(arguments.output) as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n")
    print(
        json.dumps(
            {key: result[key] for key in ("energy_and_forces", "summed_gradients", "scaling", "memory")}, indent=1
        )
    )


if __name__ == "__main__":
    main()
