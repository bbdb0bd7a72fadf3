"""Read the user's own data and tabulate their energies."""

from bpstudy.config.datasets import Imported
from bpstudy.data.importing import import_frames
from bpstudy.running.jobs import job

with job(snakemake):
    import_frames(Imported(**snakemake.params.declared), snakemake.output.frames, snakemake.output.thermo)
