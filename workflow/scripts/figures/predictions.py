"""E(DFT) and E(NN) against time with the residuals, of all seeds."""

import pandas as pd

from bpstudy.figures.predictions import predictions
from bpstudy.figures.style import save
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    tables = {seed: pd.read_csv(path) for seed, path in zip(params.seeds, snakemake.input.predictions, strict=True)}
    metrics = pd.read_csv(snakemake.input.metrics)
    figure = predictions(tables, metrics, params.experiment, tuple(params.held_out), width_cm=params.width_cm)
    save(figure, snakemake.output, params.dpi)
