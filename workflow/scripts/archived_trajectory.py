"""Take a system's trajectory from the archive, every file verified, and tabulate its thermodynamics."""

from pathlib import Path

from bpstudy.config.systems import Simulated
from bpstudy.data.trajectory import thermodynamics, write_frames
from bpstudy.dynamics.archive import read_chunk
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    archive = Path(snakemake.params.archive)
    system = Simulated.model_validate(snakemake.params.system)
    frames = [
        frame
        for chunk in range(system.chunks)
        for frame in read_chunk(archive, f"{chunk:04d}", system.simulation(), system.chunk_range(chunk))
    ]
    write_frames(snakemake.output.frames, frames)
    write_table(snakemake.output.thermo, thermodynamics(frames, system.dynamics.timestep_fs))
