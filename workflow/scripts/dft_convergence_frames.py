"""A few frames of a trajectory, taken evenly, and the energies and forces that they hold."""

from ase.io import read

from bpstudy.data.trajectory import write_frames
from bpstudy.dynamics.convergence import evaluate, even_frames
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    frames = read(snakemake.input.trajectory, index=even_frames(params.available, params.wanted))
    write_frames(snakemake.output.frames, frames)
    write_table(snakemake.output.held, evaluate(frames))
