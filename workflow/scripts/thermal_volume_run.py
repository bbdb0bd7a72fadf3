"""A run of one network at the pressure 0: its table, and the frames whose pressure the DFT tells."""

from pathlib import Path

from bpstudy.config.analysis import ThermalVolume
from bpstudy.config.systems import Crystal
from bpstudy.data.trajectory import write_frames
from bpstudy.files import write_table
from bpstudy.potential.properties import run_at_zero_pressure
from bpstudy.running.jobs import job

with job(snakemake):
    params, written = snakemake.params, snakemake.output
    folder = Path(snakemake.input.model).parent
    table, frames = run_at_zero_pressure(folder, Crystal(**params.crystal), ThermalVolume(**params.asked))
    write_table(written.table, table)
    write_frames(written.frames, frames)
