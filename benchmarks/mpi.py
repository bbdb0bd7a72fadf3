"""Seconds a step of the lithium dynamics, on one MPI rank and on two; writes `mpi.json` beside this file.

A step's time is the difference of a long and a short chunk over the difference of their steps: the start of a job does
not count. The load of the machine is noted: two ranks need two idle cores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from bpstudy.config.study import load
from bpstudy.dynamics.mpi import prepare_environment
from bpstudy.files import atomic_path
from bpstudy.provenance.record import machine

ROOT = Path(__file__).parents[1]
SHORT, LONG = 1, 6


def seconds(steps: int, ranks: int) -> float:
    """Wall time of a job of so many steps."""
    study = load(yaml.safe_load((ROOT / "config.yaml").read_text()))
    simulation = study.systems["li27"].simulation().model_dump()  # type: ignore[union-attr]
    simulation["calculator"]["mpi_ranks"] = ranks
    with tempfile.TemporaryDirectory() as folder:
        files = {"--frames": "c.traj", "--state-out": "c.state.json", "--record": "c.record.json"}
        command = [
            *(["mpirun", "-n", str(ranks)] if ranks > 1 else []),
            *(sys.executable, str(ROOT / "workflow/scripts/dynamics_chunk.py")),
            *("--settings", json.dumps(simulation), "--steps", "0", str(steps)),
            *(word for option, name in files.items() for word in (option, f"{folder}/{name}")),
        ]
        start = time.monotonic()
        subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
        return time.monotonic() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    prepare_environment()
    load_before = os.getloadavg()[0]
    step = {n: (seconds(LONG, n) - seconds(SHORT, n)) / (LONG - SHORT) for n in options.parse_args().ranks}
    report = {
        "machine": machine(),
        "load_before": load_before,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "seconds_a_step": step,
        "speed_up": {n: step[1] / s for n, s in step.items() if 1 in step},
    }
    with atomic_path(Path(__file__).with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
