"""Energy against volume."""

import pandas as pd

from bpstudy.figures.equation_of_state import equation_of_state
from bpstudy.figures.style import save
from bpstudy.jobs import job

with job(snakemake):
    params, given = snakemake.params, snakemake.input
    figure = equation_of_state(pd.read_csv(given.dft), pd.read_csv(given.networks), params.width_cm)
    save(figure, snakemake.output, params.dpi)
