"""Error against the number of functions, networks of each method."""

import pandas as pd

from bpstudy.figures.selection import errors_by_size
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    table = pd.read_csv(snakemake.input.table)
    save(errors_by_size(table[table["model"] == "network"], params.width_cm), snakemake.output, params.dpi)
