"""Training error against iteration, of all seeds."""

import pandas as pd

from bpstudy.figures.histories import histories
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    table = pd.read_csv(snakemake.input.histories)
    figure = histories(table, list(params.experiments), params.targets, width_cm=params.width_cm)
    save(figure, snakemake.output, params.dpi)
