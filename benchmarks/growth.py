"""How processor time and memory grow with frames, atoms and functions: `python -m benchmarks.growth`.

Each point is a process of its own on one core: processor seconds and the peak of memory above that of the imports.
Exponents are slopes of the logarithms between the last two points. Writes docs/growth.md and docs/images/growth.png.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one core means one core

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from benchmarks.features import lithium
from bpstudy.figures import style
from bpstudy.symmetry import SymmetryFunctions, compute_frames, grid

DOCS = Path(__file__).parents[1] / "docs"
CASES = {  # what grows: points, and the name of the work
    ("symmetry functions", "frames"): (100, 1000, 10_000, 35_000),
    ("symmetry functions", "atoms"): (27, 216, 1000, 4096),
    ("symmetry functions", "functions"): (10, 50, 200, 400),
    ("energy and forces", "atoms"): (27, 216, 1000, 4096),
    ("energy and forces", "functions"): (10, 50, 200, 400),
    ("fit of energies and forces", "frames"): (50, 200, 800, 3200),
    ("fit of energies and forces", "functions"): (10, 50, 100, 200),
}


def functions(count: int) -> SymmetryFunctions:
    """Half G2, half G5, within 8 Å."""
    return SymmetryFunctions([f for kind in ("G2", "G5") for f in grid(kind, count // 2, 8.0, "fortnet")], 1e-8)


def crystal(atoms: int) -> Atoms:
    side = round(atoms ** (1 / 3))
    return lithium((side, side, side))


def frames_with_results(count: int) -> list[Atoms]:
    """Frames of 27 atoms with energies and forces of pairs, quick to compute."""
    found = []
    for seed in range(count):
        atoms = lithium(seed=seed)
        near = functions(10).neighbors(atoms)
        pull = np.exp(-near.distance)[:, None] * near.vector / near.distance[:, None]
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, np.repeat(np.arange(len(atoms)), np.diff(near.start)), -2 * pull)
        atoms.calc = SinglePointCalculator(atoms, energy=float(np.exp(-near.distance).sum()), forces=forces)
        found.append(atoms)
    return found


def prepared(work: str, key: str, value: int) -> Callable[[], object]:
    """The work that is measured, with all it needs."""
    size = {"frames": 200, "atoms": 27, "functions": 50} | {key: value}
    if work == "symmetry functions":
        frames = [crystal(size["atoms"])] * (size["frames"] if key == "frames" else 10)
        chosen = functions(size["functions"])
        return lambda: compute_frames(chosen, frames)
    if work == "energy and forces":
        chosen, atoms = functions(size["functions"]), crystal(size["atoms"] if key == "atoms" else 216)
        weights = np.ones((len(atoms), len(chosen)))

        def step() -> None:
            near = chosen.neighbors(atoms)
            chosen.compute(atoms, near=near)
            chosen.contract(atoms, weights, near=near)

        return step
    frames = frames_with_results(size["frames"])
    from bpstudy.training import fit_frames  # imports that the others need not

    chosen = functions(size["functions"])
    return lambda: fit_frames(chosen, frames, hidden=(15, 15), force_weight=4.0, max_iterations=5)


def measure(work: str, key: str, value: int) -> None:
    prepared(work, key, CASES[work, key][0])()  # compiled code is loaded
    call = prepared(work, key, value)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    call()
    seconds = time.process_time() - start
    print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def table() -> pd.DataFrame:
    """work, against, value, seconds, megabytes, of every point."""
    rows = []
    for (work, key), values in CASES.items():
        for value in values:
            command = [sys.executable, "-m", "benchmarks.growth", "--point", work, key, str(value)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, megabytes = map(float, done.stdout.split()[-2:])
            rows.append((work, key, value, seconds, megabytes))
            print(*rows[-1], flush=True)
    return pd.DataFrame(rows, columns=["work", "against", "value", "seconds", "megabytes"])


def exponent(points: pd.DataFrame, column: str) -> float:
    """Of the last two points; NaN where memory is too little to tell."""
    (x0, x1), (y0, y1) = points["value"].iloc[-2:], points[column].iloc[-2:]
    return float(np.log(y1 / y0) / np.log(x1 / x0)) if y0 > 1e-3 else np.nan


def write(found: pd.DataFrame) -> None:
    lines = [
        "# How time and memory grow",
        "",
        "Written by `python -m benchmarks.growth`: processor time of one core, and memory beyond that of the imports;",
        "lithium, 8 Å, half G2 and half G5. Held fixed: 27 atoms (216 for energy and forces),",
        "200 frames (10 for symmetry functions), 50 functions. Fits are of five Levenberg–Marquardt steps, gradients",
        "included. The exponents are of the last two points.",
        "",
        "| work | against | from | to | seconds | MB | exponent of the time | of the memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (work, key), points in found.groupby(["work", "against"], sort=False):
        ends = points.iloc[[0, -1]]
        cells = [work, key, *(f"{value:g}" for value in ends["value"])]
        cells += [" to ".join(f"{value:.2g}" for value in ends[column]) for column in ("seconds", "megabytes")]
        cells += [f"{exponent(points, column):.2f}".replace("nan", "–") for column in ("seconds", "megabytes")]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "![Processor time against frames, atoms and functions](images/growth.png)"]
    (DOCS / "growth.md").write_text("\n".join(lines) + "\n")
    style.save(draw(found), [DOCS / "images/growth.png"], 200)


@style.themed
def draw(found: pd.DataFrame) -> style.Figure:
    """Processor time against each of what grows."""
    figure = style.figure(16.0, 7.0)
    keys, works = (list(dict.fromkeys(found[column])) for column in ("against", "work"))
    panels = figure.subplots(1, len(keys))
    for axes, key in zip(panels, keys, strict=True):
        for work, points in found[found["against"] == key].groupby("work", sort=False):
            color = f"C{works.index(str(work))}"
            axes.plot(points["value"], points["seconds"], "o-", markersize=3, color=color, label=work)
        axes.set(xscale="log", yscale="log", xlabel=key, ylabel="processor time, s" if key == keys[0] else "")
    figure.legend(*panels[-1].get_legend_handles_labels(), loc="outside upper center", ncols=len(works))
    return figure


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--point", nargs=3, metavar=("WORK", "KEY", "VALUE"), help="one point, in this process")
    point = arguments.parse_args().point
    if point:
        measure(point[0], point[1], int(point[2]))
    else:
        write(table())
