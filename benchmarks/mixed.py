"""Time and memory of mixed data: `python -m benchmarks.mixed [--data FOLDER]`.

Each point is a process of its own on one core: processor seconds and the peak of its memory, that of the imports
included. Writes docs/mixed.csv; points that are not asked for (`--case`) stay as they are there.

published functions: the 27 functions of the published network of germanium and the 253 frames of Zuo et al. 2020
    (doi:10.1021/acs.jpca.9b08723; FOLDER is that of `benchmarks.mlearn`): functions, dG/dR of 48 components a frame,
    ridge, and 25 steps of Levenberg-Marquardt for a network of 20 and 20.
frames: functions, dG/dR and five steps of a fit to more and more rattled crystals of 4 to 108 atoms.
a large frame: the same of 200 such crystals and one frame of more and more atoms.
a choice: pool, equations and sample of `bpstudy choose`, and a trial network, of 50 crystals and one such frame.
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
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from benchmarks.growth import functions
from bpstudy.files import write_table

ROOT = Path(__file__).parents[1]
CASES = {  # what grows, and its values
    "published functions": ("frames", (253,)),
    "frames": ("frames", (500, 5000)),
    "a large frame": ("atoms of it", (64, 10_000)),
    "a choice": ("atoms of the largest frame", (64, 10_000)),
}


def crystal(side: int, seed: int) -> Atoms:
    """Rattled aluminium of 4 side³ atoms, with the energy and forces of exp(−r) between all pairs."""
    atoms = bulk("Al", a=4.05 * (1 + 0.01 * (seed % 5)), cubic=True).repeat(side)
    atoms.rattle(0.05, seed=seed)
    near = functions(10).neighbors(atoms)
    pull = np.exp(-near.distance)[:, None] * near.vector / near.distance[:, None]
    forces = np.zeros((len(atoms), 3))
    np.add.at(forces, near.centres(), -2 * pull)
    atoms.calc = SinglePointCalculator(atoms, energy=float(np.exp(-near.distance).sum()), forces=forces)
    return atoms


def mixed(count: int, largest: int | None = None) -> list[Atoms]:
    """`count` crystals of 4, 32 and, a few, 108 atoms; one more of about `largest` atoms."""
    frames = [crystal((1, 2, 1, 2, 3)[k % 5], k) for k in range(count)]
    if largest:
        frames.insert(count // 2, crystal(round((largest / 4) ** (1 / 3)), count))
    return frames


def fit(frames: list[Atoms]) -> Callable[[], object]:
    from bpstudy.training import fit_frames

    return lambda: fit_frames(functions(20), frames, hidden=(15, 15), components=24, max_iterations=5)


def choice(frames: list[Atoms]) -> Callable[[], object]:
    from bpstudy.selection.methods import choose
    from bpstudy.selection.setting import prepare
    from bpstudy.selection.trial import TrialSettings, fit_trial

    def work() -> None:
        setting = prepare(frames)
        chosen = choose("forward", setting.problem, 8)
        fit_trial(chosen, frames, setting.folds, setting.problem.tolerances, 0, TrialSettings(iterations=5))

    return work


def published(data: Path) -> Callable[[], object]:
    from benchmarks.mlearn import COMPONENTS, SETTINGS
    from bpstudy.selection.reading import read_data
    from bpstudy.symmetry import from_n2p2
    from bpstudy.training import fit_sets, frame_set

    chosen = from_n2p2((data / "Ge_published.nn").read_text())["Ge"]
    frames = read_data([data / f"Ge_{part}.xyz.xz" for part in ("training", "test")])
    frame_set(chosen, frames[:2])  # compiled code is loaded

    def work() -> None:
        known = frame_set(chosen, frames, COMPONENTS)
        held = np.arange(len(frames)) % 10 == 9
        fit_sets(chosen, known.take(np.flatnonzero(~held)), known.take(np.flatnonzero(held)), SETTINGS)

    return work


def measure(case: str, value: int, data: Path | None) -> None:
    if case == "published functions":
        assert data is not None
        work = published(data)
    elif case == "frames":
        fit(mixed(10))()  # compiled code is loaded
        work = fit(mixed(value))
    elif case == "a large frame":
        fit(mixed(10))()
        work = fit(mixed(200, value))
    else:
        work = choice(mixed(50, value))
    began = time.process_time()
    work()
    print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the data of Zuo et al.; without, that case is left out")
    parser.add_argument("--case", action="append", choices=CASES, help="several times (all)")
    parser.add_argument("--point", type=int, help="one value of the one case, in this process")
    options = parser.parse_args()
    cases = options.case or [case for case in CASES if options.data or case != "published functions"]
    if options.point:
        measure(cases[0], options.point, options.data)
        return
    output = ROOT / "docs/mixed.csv"
    rows = [] if not output.exists() else pd.read_csv(output).to_dict("records")
    rows = [row for row in rows if row["case"] not in cases]
    for case in cases:
        grows, values = CASES[case]
        for value in values:
            command = [sys.executable, "-m", "benchmarks.mixed", "--case", case, "--point", str(value)]
            command += ["--data", str(options.data)] if options.data else []
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, megabytes = map(float, done.stdout.split()[-2:])
            rows.append(
                {"case": case, "grows": grows, "value": value, "cpu_s": round(seconds, 2), "peak_mb": round(megabytes)}
            )
            print(rows[-1], flush=True)
            rows.sort(key=lambda row: (list(CASES).index(str(row["case"])), row["value"]))
            write_table(output, pd.DataFrame(rows))


if __name__ == "__main__":
    main()
