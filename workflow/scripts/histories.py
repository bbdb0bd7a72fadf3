"""One table of the histories of all fits."""

from pathlib import Path

from bpstudy.files import write_table
from bpstudy.jobs import job
from bpstudy.tables import histories

with job(snakemake):
    runs = [(*run, Path(path)) for run, path in zip(snakemake.params.runs, snakemake.input.histories, strict=True)]
    write_table(snakemake.output[0], histories(runs))
