"""Energies alone against energies and forces."""

import pandas as pd

from bpstudy.config.analysis import WithForces
from bpstudy.evaluation.tables import with_forces, with_forces_summary
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    table = with_forces(pd.read_csv(snakemake.input.metrics), WithForces(**snakemake.params.settings))
    write_table(snakemake.output.seeds, table)
    write_table(snakemake.output.summary, with_forces_summary(table))
