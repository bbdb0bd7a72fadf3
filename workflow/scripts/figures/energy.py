"""Figure 1: E of the cell against time."""

import pandas as pd

from bpstudy.figures.energy import energy_over_time
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    figure = energy_over_time(pd.read_csv(snakemake.input.thermo), width_cm=params.width_cm)
    save(figure, snakemake.output, params.dpi)
