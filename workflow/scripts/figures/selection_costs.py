"""Error against the cost of each set."""

import pandas as pd

from bpstudy.figures.selection import pareto
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    table = pd.read_csv(snakemake.input.table)
    save(pareto(table, params.width_cm), snakemake.output, params.dpi)
