"""Join a system's chunks and tabulate its thermodynamics."""

from bpstudy.data.trajectory import join, thermodynamics, write_frames
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    frames = join(snakemake.input.chunks)
    write_frames(snakemake.output.frames, frames)
    write_table(snakemake.output.thermo, thermodynamics(frames, snakemake.params.timestep_fs))
