"""Calibrated intervals of a committee, and how many held-out errors they hold."""

import json
from pathlib import Path

from bpstudy.data.trajectory import StoredFrames
from bpstudy.files import write_table
from bpstudy.potential.coverage import measure_coverage
from bpstudy.running.jobs import job

with job(snakemake):
    frames = StoredFrames(snakemake.input.trajectory)
    chosen = [frames[n] for n in json.loads(Path(snakemake.params.description).read_text())["frames"]]
    folders = [Path(model).parent for model in snakemake.input.models]
    calibration, table = measure_coverage(folders, chosen, snakemake.params.settings["confidence"])
    calibration.write(snakemake.output.calibration)
    write_table(snakemake.output.table, table)
