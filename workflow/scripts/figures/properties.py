"""Energy against volume, and properties of the crystal, of networks and DFT."""

import pandas as pd

from bpstudy.figures.properties import properties
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params, given = snakemake.params, snakemake.input
    tables = (pd.read_csv(file) for file in (given.dft, given.curve, given.dft_table, given.networks))
    save(properties(*tables, params.goal, params.width_cm), snakemake.output, params.dpi)
