"""Speed of a fit at the shape of the experiment `dense`: 2000 frames, 27 atoms, 25 G2 + 25 G5, hidden layers 27-27.

Seconds a gradient (L-BFGS, Adam), a Levenberg-Marquardt step, and to the paper's MSE of 5.95e-6 eV² by each optimizer;
writes `training.json` beside this file. Without `--trajectory` the frames are molecular dynamics of 27 aluminium atoms
with ASE's EMT: as many numbers. CPU seconds stand beside wall seconds: on a busy machine they tell more.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import thermalize_momenta

from bpstudy.data.trajectory import read_frames
from bpstudy.descriptors.compute import compute_features
from bpstudy.files import atomic_path
from bpstudy.network.model import build_network
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.symmetry import SymmetryFunctions, grid
from bpstudy.training import TrainingSettings, set_threads, train
from bpstudy.training.levenberg_marquardt import normal_equations
from bpstudy.training.objective import Objective

N_FRAMES, HIDDEN, TARGET_MSE_EV2 = 2000, (27, 27), 5.95e-6
GOALS = {"gradient_s": 0.060, "levenberg_marquardt_to_target_s": 20.0}


def aluminium() -> tuple[list[Atoms], np.ndarray]:
    """Consecutive frames (1 fs) of 27 Al atoms at 300 K, and their energies (eV)."""
    rng = np.random.default_rng(0)
    atoms = bulk("Al", "fcc", 4.05) * (3, 3, 3)
    atoms.calc = EMT()
    thermalize_momenta(atoms, 300, rng=rng)
    dynamics = Langevin(atoms, units.fs, temperature_K=300, friction=0.01 / units.fs, fixcm=False, rng=rng)
    frames, energies = [], []
    for _ in range(N_FRAMES):
        frames.append(atoms.copy())
        energies.append(atoms.get_potential_energy())
        dynamics.run(1)
    return frames, np.array(energies)


def recorded(path: Path) -> tuple[list[Atoms], np.ndarray]:
    """The first frames of a trajectory and their energies (eV)."""
    frames = read_frames(path)[:N_FRAMES]
    if len(frames) < N_FRAMES:
        raise SystemExit(f"{path} has {len(frames)} frames, {N_FRAMES} are needed")
    return frames, np.array([frame.get_potential_energy() for frame in frames])


def timed(call: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Median wall and mean CPU seconds of a call, after a first one that compiles."""
    call()
    walls, cpu = [], time.process_time()
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        walls.append(time.perf_counter() - start)
    cpu = (time.process_time() - cpu) / repeats
    return {"wall_s": float(np.median(walls)), "wall_min_s": min(walls), "cpu_s": cpu}


def machine(threads: int) -> dict[str, Any]:
    """Where and with what the figures were measured."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "load_average_before": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: version(name) for name in ("tensorflow-cpu", "keras", "numpy", "scipy")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--trajectory", type=Path, help="frames with energies, as ASE reads them")
    parser.add_argument("--cutoff", type=float, default=8.0, help="of the symmetry functions, Å")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-gradients", type=int, default=5000, help="iterations granted to L-BFGS and Adam")
    options = parser.parse_args()

    report: dict[str, Any] = {"machine": machine(options.threads), "goals": GOALS}
    frames, energies = recorded(options.trajectory) if options.trajectory else aluminium()
    functions = SymmetryFunctions(
        [*grid("G2", 25, options.cutoff, "fortnet"), *grid("G5", 25, options.cutoff, "fortnet")]
    )
    features = compute_features(functions, frames, threads=options.threads)
    element = frames[0].get_chemical_symbols()[0]
    values = features.rows[element].values
    report["data"] = {
        "trajectory": str(options.trajectory or "27 Al, EMT, 300 K"),
        "shape": (len(frames), len(frames[0]), len(functions)),
        "cutoff_angstrom": options.cutoff,
        "energy_sd_ev": energies.std(),
    }
    scalers = {element: Scaler.fit(values, functions.labels)}
    scale = EnergyScale.fit(energies, features.counts())
    settings = {
        "levenberg-marquardt": TrainingSettings(target_mse_ev2=TARGET_MSE_EV2),
        "lbfgs": TrainingSettings("lbfgs", options.max_gradients, TARGET_MSE_EV2, patience=options.max_gradients),
        "adam": TrainingSettings(
            "adam", options.max_gradients, TARGET_MSE_EV2, patience=options.max_gradients, learning_rate=0.01
        ),
    }
    with set_threads(options.threads):
        network = build_network(scalers, scale, hidden=HIDDEN)
        objective, weights = Objective(network, features, energies), network.get_weights()
        report["gradient"] = timed(lambda: objective.value_and_gradient(weights), 20)
        report["levenberg_marquardt_step"] = timed(lambda: normal_equations(objective, weights).step(0.1), 5)
        for name, choice in settings.items():
            network = build_network(scalers, scale, hidden=HIDDEN)
            cpu = time.process_time()
            result = train(network, features, energies, choice)
            report[name] = {
                "stop_reason": result.stop_reason,
                "iterations": int(result.history["iteration"].iloc[-1]),
                "mse_ev2": result.mse_ev2,
                "wall_s": result.history["seconds"].iloc[-1],
                "cpu_s": time.process_time() - cpu,
            }
            print(name, report[name], flush=True)
    report["goals_met"] = {
        "gradient_s": report["gradient"]["wall_s"] <= GOALS["gradient_s"],
        "levenberg_marquardt_to_target_s": report["levenberg-marquardt"]["stop_reason"] == "target"
        and bool(report["levenberg-marquardt"]["wall_s"] <= GOALS["levenberg_marquardt_to_target_s"]),
    }
    with atomic_path(options.output) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
