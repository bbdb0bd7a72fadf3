"""Train a network from each seed, and let it predict the frames it was trained on and those held out."""

from pathlib import Path

from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.running.jobs import job
from bpstudy.training.experiment import FitFiles, fit_experiment

with job(snakemake):
    experiment = Experiment(**snakemake.params.experiment)
    size = len(experiment.functions)
    blocks, written = snakemake.input.blocks, snakemake.output
    files = zip(written.model, written.potential, written.history, written.predictions, written.metrics, strict=True)
    fit_experiment(
        experiment,
        Optimizer(**snakemake.params.optimizer),
        fits={s: FitFiles(*map(Path, of)) for s, of in zip(snakemake.params.seeds, files, strict=True)},
        baselines=Path(written.baselines),
        threads=snakemake.threads,
        blocks=[blocks[i : i + size] for i in range(0, len(blocks), size)],
        thermo=snakemake.input.thermo,
        trajectories=snakemake.input.trajectories,
        atomic_energies_ev=snakemake.params.atomic_energies_ev,
    )
