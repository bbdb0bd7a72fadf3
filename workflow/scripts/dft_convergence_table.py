"""The variants of the DFT's settings compared."""

import pandas as pd

from bpstudy.config.checks import TRAJECTORY, DftConvergence
from bpstudy.dynamics.convergence import compare
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    settings = DftConvergence(**snakemake.params.settings)
    names = [*settings.variants, TRAJECTORY]
    tables = map(pd.read_csv, [*snakemake.input.variants, snakemake.input.held])
    write_table(snakemake.output[0], compare(dict(zip(names, tables, strict=True)), settings))
