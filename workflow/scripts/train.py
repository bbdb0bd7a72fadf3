"""Train one network from one seed, and let it predict the frames it was trained on and those held out."""

from pathlib import Path

from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.fitting import fit_experiment
from bpstudy.jobs import job

with job(snakemake):
    experiment = Experiment(**snakemake.params.experiment)
    blocks = len(experiment.functions)
    held_out = snakemake.input.held_out
    fit_experiment(
        experiment,
        Optimizer(**snakemake.params.optimizer),
        seed=int(snakemake.wildcards.seed),
        threads=snakemake.threads,
        blocks=[snakemake.input.train, *(held_out[i : i + blocks] for i in range(0, len(held_out), blocks))],
        thermo=snakemake.input.thermo,
        **{name: Path(path) for name, path in snakemake.output.items()},
    )
