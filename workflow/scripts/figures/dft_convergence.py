"""Figure S4: the settings of the DFT against a tight reference."""

import pandas as pd

from bpstudy.figures.dft_convergence import dft_convergence
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    tables = dict(zip(params.study, map(pd.read_csv, snakemake.input.tables), strict=True))
    save(dft_convergence(tables, params.study, width_cm=params.width_cm), snakemake.output, params.dpi)
