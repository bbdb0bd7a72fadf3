"""Compute one block of symmetry functions over the chosen frames."""

from pathlib import Path

from bpstudy.config.experiments import Frames
from bpstudy.config.functions import Block
from bpstudy.data.choose import chosen_of
from bpstudy.data.trajectory import StoredFrames
from bpstudy.descriptors.blocks import compute_block
from bpstudy.running.jobs import job

with job(snakemake):
    frames = StoredFrames(snakemake.input.trajectory)
    compute_block(
        Path(snakemake.output.values),
        Block(**snakemake.params.block),
        frames,
        chosen_of(Frames(**snakemake.params.frames), snakemake.input.thermo),
        tolerance=snakemake.params.tolerance,
        threads=snakemake.threads,
        elements=snakemake.params.elements,
    )
