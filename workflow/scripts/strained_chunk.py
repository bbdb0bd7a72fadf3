"""Energy, forces and stress of a chunk of a system's strained cells."""

import argparse
import json
import os
import sys
from pathlib import Path

from bpstudy.config.systems import Strained
from bpstudy.dynamics.chunks import DynamicsError
from bpstudy.dynamics.strained import run_chunk
from bpstudy.provenance import record
from bpstudy.running.imports import modules_behind

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--settings", required=True, help="the system's section of the configuration, as JSON")
parser.add_argument("--cells", required=True, type=int, nargs=2, metavar=("FIRST", "END"))
parser.add_argument("--frames", required=True, type=Path)
parser.add_argument("--record", required=True, type=Path)
parser.add_argument("--calculator-log", type=Path)
arguments = parser.parse_args()

started = record.now()
settings = Strained.model_validate(json.loads(arguments.settings))
try:
    run_chunk(settings, *arguments.cells, arguments.frames, arguments.calculator_log)
except (DynamicsError, ValueError) as error:
    sys.exit(f"strained cells failed: {error}")

record.write(
    arguments.record,
    record.statement(
        "strained_chunk",
        {"cells": arguments.cells, "recipe": settings.recipe()},
        inputs={},
        outputs=[arguments.frames],
        started=started,
        code=record.hashes(map(os.path.relpath, [*modules_behind("bpstudy.dynamics.strained"), __file__])),
    ),
)
