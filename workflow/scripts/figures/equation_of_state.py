"""Energy against volume, and elastic constants."""

import pandas as pd

from bpstudy.figures.equation_of_state import equation_of_state
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params, given = snakemake.params, snakemake.input
    files = (given.dft, given.networks, given.elastic_dft, given.elastic_networks)
    figure = equation_of_state(*map(pd.read_csv, files), params.width_cm)
    save(figure, snakemake.output, params.dpi)
