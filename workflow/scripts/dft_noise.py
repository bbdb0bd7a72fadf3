"""The noise floor of each system's DFT."""

import pandas as pd

from bpstudy.config.checks import DftConvergence
from bpstudy.dynamics.convergence import noise
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    settings = {system: DftConvergence(**of) for system, of in snakemake.params.settings.items()}
    held, converged = (
        dict(zip(settings, map(pd.read_csv, files), strict=True))
        for files in (snakemake.input.held, snakemake.input.converged)
    )
    write_table(snakemake.output[0], noise(held, converged, settings))
