"""One table of the errors of all networks."""

from pathlib import Path

import pandas as pd

from bpstudy.config.experiments import Experiment
from bpstudy.evaluation.tables import metrics
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    experiments = {name: Experiment(**settings) for name, settings in snakemake.params.experiments.items()}
    noise = [pd.read_csv(path).set_index("system")["energy_std_mev_per_atom"] for path in snakemake.input.noise]
    floor = noise[0] if noise else {}
    files = zip(snakemake.params.runs, snakemake.input.predictions, snakemake.input.fits, strict=True)
    write_table(
        snakemake.output[0],
        metrics(
            experiments,
            [(name, Path(predictions), Path(fit)) for (name, _), predictions, fit in files],
            {name: Path(path) for name, path in zip(experiments, snakemake.input.baselines, strict=True)},
            {name: floor[system] for name, system in snakemake.params.systems.items() if system in floor},
        ),
    )
