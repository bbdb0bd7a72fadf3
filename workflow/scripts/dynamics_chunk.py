"""One chunk of a system's molecular dynamics, alone or under mpirun."""

import argparse
import json
import os
import sys
from pathlib import Path

from bpstudy.config.systems import Simulation
from bpstudy.dynamics.chunks import DynamicsError, run_chunk
from bpstudy.provenance import record
from bpstudy.running.imports import modules_behind

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--settings", required=True, help="crystal, calculator and dynamics, as JSON")
parser.add_argument("--steps", required=True, type=int, nargs=2, metavar=("FIRST", "LAST"))
parser.add_argument("--state-in", type=Path, help="state at step FIRST; none at the start")
parser.add_argument("--frames", required=True, type=Path)
parser.add_argument("--state-out", required=True, type=Path)
parser.add_argument("--record", required=True, type=Path)
parser.add_argument("--calculator-log", type=Path)
arguments = parser.parse_args()

started = record.now()
settings = json.loads(arguments.settings)
try:
    wrote = run_chunk(
        Simulation.model_validate(settings),
        *arguments.steps,
        arguments.state_in,
        arguments.frames,
        arguments.state_out,
        arguments.calculator_log,
    )
except DynamicsError as error:
    sys.exit(f"dynamics failed: {error}")

if wrote:
    record.write(
        arguments.record,
        record.statement(
            "dynamics_chunk",
            {"steps": arguments.steps, "simulation": settings},
            inputs=record.hashes([arguments.state_in] if arguments.state_in else []),
            outputs=[arguments.frames, arguments.state_out],
            started=started,
            code=record.hashes(map(os.path.relpath, [*modules_behind("bpstudy.dynamics.chunks"), __file__])),
        ),
    )
