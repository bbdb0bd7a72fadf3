"""Learning curves."""

import pandas as pd

from bpstudy.figures.learning import learning
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    table = pd.read_csv(snakemake.input.curves)
    save(learning(table, params.count_of_shares, params.width_cm), snakemake.output, params.dpi)
