"""One table of the histories of all fits."""

from pathlib import Path

from bpstudy.evaluation.tables import histories
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    runs = [(*run, Path(path)) for run, path in zip(snakemake.params.runs, snakemake.input.histories, strict=True)]
    write_table(snakemake.output[0], histories(runs))
