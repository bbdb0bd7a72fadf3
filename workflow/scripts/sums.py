"""E against the sum of all symmetry functions of an experiment."""

from bpstudy.evaluation.tables import sums
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    table = sums(snakemake.input.blocks, snakemake.input.thermo, snakemake.params.energy, snakemake.params.atom)
    write_table(snakemake.output[0], table)
