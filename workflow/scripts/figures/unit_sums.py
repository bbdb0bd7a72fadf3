"""Figure 2: E against all sums of unit symmetry functions."""

import pandas as pd

from bpstudy.figures.style import save
from bpstudy.figures.sums import unit_sums
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    figure = unit_sums(
        pd.read_csv(snakemake.input.sums), pd.read_csv(snakemake.input.scatter), width_cm=params.width_cm
    )
    save(figure, snakemake.output, params.dpi)
