"""E against the sum of all symmetry functions."""

import pandas as pd

from bpstudy.figures.style import save
from bpstudy.figures.sums import energy_against_sum
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    figure = energy_against_sum(pd.read_csv(snakemake.input.sums), params.atom, width_cm=params.width_cm)
    save(figure, snakemake.output, params.dpi)
