"""Take a system's trajectory from the archive, every file verified, and tabulate its thermodynamics."""

from pathlib import Path

from bpstudy.config.systems import Simulated
from bpstudy.data.columns import write_columns
from bpstudy.data.trajectory import thermodynamics
from bpstudy.dynamics.archive import read_system
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    system = Simulated.model_validate(snakemake.params.system)
    frames = read_system(Path(snakemake.params.archive), system)
    write_columns(snakemake.output.frames, frames)
    write_table(snakemake.output.thermo, thermodynamics(frames, system.dynamics.timestep_fs))
