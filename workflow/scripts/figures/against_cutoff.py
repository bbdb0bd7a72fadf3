"""What one grid of functions holds, against its cutoff."""

import pandas as pd

from bpstudy.figures.information import against_cutoff
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    table = pd.read_csv(snakemake.input.table).query("set == 'cutoffs'")
    save(against_cutoff(table, params.width_cm), snakemake.output, params.dpi)
