"""The combinations of types, ranked, with every seed."""

import pandas as pd

from bpstudy.figures.overview import overview
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    figure = overview(pd.read_csv(snakemake.input.metrics), list(params.experiments), width_cm=params.width_cm)
    save(figure, snakemake.output, params.dpi)
