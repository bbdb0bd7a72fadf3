"""Compute one block of symmetry functions over the chosen frames."""

from pathlib import Path

from bpstudy.config.experiments import Frames
from bpstudy.config.functions import Block
from bpstudy.descriptors import compute_block
from bpstudy.jobs import job
from bpstudy.trajectory import StoredFrames

with job(snakemake):
    frames = StoredFrames(snakemake.input.trajectory)
    compute_block(
        Path(snakemake.output.values),
        Block(**snakemake.params.block),
        frames,
        Frames(**snakemake.params.frames).indices(len(frames)),
        tolerance=snakemake.params.tolerance,
        threads=snakemake.threads,
    )
