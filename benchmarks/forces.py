"""Speed of a fit to energies and forces of a data set of mixed cells.

The Ge set of Y. Zuo et al., J. Phys. Chem. A 124, 731 (2020), doi:10.1021/acs.jpca.9b08723, with the 27 functions of
the published network, 20-20 neurons and 25 steps.

    python benchmarks/forces.py --data FOLDER

FOLDER holds `Ge_training.xyz.xz`, `Ge_test.xyz.xz` and `Ge_published.nn` of the repository mlearn. Writes `forces.json`
beside this file: processor seconds of functions with dG/dR, of a Levenberg-Marquardt step and of the fit, peak memory,
and the errors on the test frames, of the network and of ridge.
"""

import argparse
import json
import lzma
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read

from bpstudy.files import atomic_path
from bpstudy.symmetry import from_n2p2
from bpstudy.training import FitSettings, TrainingSettings, fit_sets, frame_set

GOALS = {"cpu_s": 35.0, "peak_memory_gb": 3.0}


def frames(path: Path) -> list[Atoms]:
    with lzma.open(path, "rt") as file:
        return read(file, index=":", format="extxyz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--force-weight", type=float, default=1.0)
    parser.add_argument("--weight-decay", type=float, default=1e-5)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="without the direct layer")
    options = parser.parse_args()
    training, test = (frames(options.data / f"Ge_{part}.xyz.xz") for part in ("training", "test"))
    functions = from_n2p2((options.data / "Ge_published.nn").read_text())["Ge"]
    settings = FitSettings(
        (20, 20),
        (TrainingSettings(max_iterations=options.steps, weight_decay=options.weight_decay, patience=options.steps),),
        options.force_weight,
        direct=not options.plain,
    )
    frame_set(functions, training[:2])  # compiles
    one = replace(settings, training=(replace(settings.training[0], max_iterations=1),))
    few = frame_set(functions, training[:20], 48)
    fit_sets(functions, few, None, one)
    clock = [time.process_time()]
    known, checked = (frame_set(functions, of, 48) for of in (training, test))
    clock.append(time.process_time())
    fits = fit_sets(functions, known, checked, settings, seeds=range(options.seeds))
    clock.append(time.process_time())
    errors = {}
    reference = np.array([atoms.get_potential_energy() for atoms in test])
    forces = np.concatenate([atoms.get_forces() for atoms in test])
    for name, found in fits.predict(test).items():
        away = 1000 * (found.energies_ev - reference) / [len(atoms) for atoms in test]
        force = np.concatenate(found.forces_ev_per_angstrom) - forces
        errors[name] = {
            "energy_mae_mev_per_atom": np.abs(away).mean(),
            "force_mae_ev_per_angstrom": np.abs(force).mean(),
            "force_rmse_ev_per_angstrom": np.sqrt((force**2).mean()),
        }
    report = {
        "frames": [len(training), len(test)],
        "functions_cpu_s": clock[1] - clock[0],
        "fit_cpu_s": clock[2] - clock[1],
        "cpu_s": clock[2] - clock[0],
        "steps": [int(fit.result.history["iteration"].iloc[-1]) for fit in fits.fits.values()],
        "peak_memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "goals": GOALS,
        "errors": errors,
    }
    with atomic_path(options.output) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
