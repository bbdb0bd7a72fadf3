"""Rank each group of experiments on the frames that they share."""

import pandas as pd

from bpstudy.config.analysis import Comparisons
from bpstudy.evaluation.comparison import compare
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    settings = Comparisons(**snakemake.params.settings)
    metrics = pd.read_csv(snakemake.input.metrics)
    n_atoms = metrics.groupby("experiment")["n_atoms"].first()
    files = iter(snakemake.input.predictions)
    rankings, differences = [], []
    for group, names in settings.groups.items():
        predictions = {name: [pd.read_csv(next(files)) for _ in snakemake.params.seeds] for name in names}
        ranking, difference = compare(predictions, int(n_atoms[names[0]]), settings)
        rankings.append(ranking.assign(group=group))
        differences.append(difference.assign(group=group))
    write_table(snakemake.output.ranking, pd.concat(rankings, ignore_index=True))
    write_table(snakemake.output.differences, pd.concat(differences, ignore_index=True))
