"""Dynamics with a network beside those of the DFT."""

import pandas as pd

from bpstudy.figures.potential_runs import potential_runs
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params, given = snakemake.params, snakemake.input
    tables = (pd.read_csv(given[name]) for name in ("energies", "rdf", "motion"))
    save(potential_runs(*tables, params.width_cm), snakemake.output, params.dpi)
