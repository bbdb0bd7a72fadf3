"""Which combination is best, and how sure that is."""

import pandas as pd

from bpstudy.figures.ranking import ranking
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    functions = pd.read_csv(snakemake.input.metrics).groupby("experiment")["functions"].first().to_dict()
    table = pd.read_csv(snakemake.input.ranking)
    save(ranking(table, functions, params.groups, params.decided_on, params.width_cm), snakemake.output, params.dpi)
