"""The pool of candidates and what was chosen of it."""

import pandas as pd

from bpstudy.figures.selection import pool_map
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    table = pd.read_csv(snakemake.input.table)
    save(pool_map(table, params.width_cm), snakemake.output, params.dpi)
