"""Energies alone against energies and forces."""

import pandas as pd

from bpstudy.figures.forces import with_forces
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    figure = with_forces(pd.read_csv(snakemake.input.seeds), tuple(params.goals), params.width_cm)
    save(figure, snakemake.output, params.dpi)
