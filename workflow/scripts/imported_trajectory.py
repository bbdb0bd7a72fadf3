"""Read the user's own data and tabulate their energies."""

from bpstudy.config.analysis import PotentialRuns
from bpstudy.config.datasets import Imported
from bpstudy.data.importing import import_frames
from bpstudy.data.trajectory import StoredFrames
from bpstudy.running.jobs import job
from bpstudy.thermal.reference import check_reference

with job(snakemake):
    declared = Imported(**snakemake.params.declared)
    import_frames(declared, snakemake.output.frames, snakemake.output.thermo)
    if snakemake.params.runs:  # what would stop them is said now, not after the fits
        runs = PotentialRuns(**snakemake.params.runs)
        step_fs = declared.timestep_fs or runs.timestep_fs
        check_reference(StoredFrames(snakemake.output.frames)[round(runs.from_fs / step_fs) :], step_fs, runs)
