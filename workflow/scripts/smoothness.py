"""Spikes of all networks."""

from pathlib import Path

import pandas as pd

from bpstudy.evaluation.tables import smoothness
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    n_atoms = pd.read_csv(snakemake.input.metrics).groupby("experiment")["n_atoms"].first().to_dict()
    files = zip(snakemake.params.runs, snakemake.input.predictions, strict=True)
    table = smoothness([(name, seed, Path(path)) for (name, seed), path in files], n_atoms)
    write_table(snakemake.output[0], table)
