"""E against the sum of all symmetry functions of an experiment."""

from bpstudy.files import write_table
from bpstudy.jobs import job
from bpstudy.tables import sums

with job(snakemake):
    table = sums(snakemake.input.blocks, snakemake.input.thermo, snakemake.params.energy, snakemake.params.atom)
    write_table(snakemake.output[0], table)
