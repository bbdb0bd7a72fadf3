"""Compute blocks of symmetry functions over the chosen frames."""

from pathlib import Path

from bpstudy.config.experiments import Frames
from bpstudy.config.functions import Block
from bpstudy.data.choose import chosen_of
from bpstudy.data.trajectory import StoredFrames
from bpstudy.descriptors.blocks import compute_blocks
from bpstudy.running.jobs import job

with job(snakemake):
    trajectory = StoredFrames(snakemake.input.trajectory)
    indices = chosen_of(Frames(**snakemake.params.frames), snakemake.input.thermo)
    frames = {index: trajectory[index] for index in indices}
    blocks = (Block(**block) for block in snakemake.params.blocks)
    compute_blocks(
        dict(zip(map(Path, snakemake.output.values), blocks, strict=True)),
        frames,
        indices,
        tolerance=snakemake.params.tolerance,
        threads=snakemake.threads,
        elements=snakemake.params.elements,
    )
