"""Train one network from one seed, and let it predict the frames it was trained on and those held out."""

import sys
from pathlib import Path

from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.fitting import FitError, fit_experiment

blocks = len(snakemake.params.experiment["functions"])
held_out = snakemake.input.held_out
sets = [snakemake.input.train, *(held_out[i : i + blocks] for i in range(0, len(held_out), blocks))]
try:
    fit_experiment(
        Experiment(**snakemake.params.experiment),
        Optimizer(**snakemake.params.optimizer),
        seed=int(snakemake.wildcards.seed),
        threads=snakemake.threads,
        blocks=sets,
        thermo=snakemake.input.thermo,
        **{name: Path(path) for name, path in snakemake.output.items()},
    )
except FitError as error:
    sys.exit(f"training failed: {error}")
