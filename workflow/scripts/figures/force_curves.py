"""Errors against the number of frames, energies alone and with forces."""

import pandas as pd

from bpstudy.figures.force_curves import force_curves
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    table = pd.read_csv(snakemake.input.curves)
    save(force_curves(table, params.goals, params.width_cm), snakemake.output, params.dpi)
