"""Correlations of the functions with each other."""

import pandas as pd

from bpstudy.figures.information import heat_maps
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    table = pd.read_csv(snakemake.input.correlations)
    save(heat_maps(table, params.experiments, params.width_cm), snakemake.output, params.dpi)
