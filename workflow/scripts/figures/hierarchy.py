"""Magnitudes of unit symmetry functions against the cutoff."""

import pandas as pd

from bpstudy.figures.hierarchy import hierarchy
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    figure = hierarchy(pd.read_csv(snakemake.input.hierarchy), width_cm=params.width_cm)
    save(figure, snakemake.output, params.dpi)
