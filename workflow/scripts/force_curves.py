"""Learning curves of a pair of experiments, energies alone and with forces, all seeds."""

import pandas as pd

from bpstudy.config.analysis import FITS
from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.files import write_table
from bpstudy.running.jobs import job
from bpstudy.training import set_threads
from bpstudy.training.learning import HELD_OUT, learning_curves
from bpstudy.training.sets import TRAIN, add_forces, read_set

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    pair = [Experiment(**experiment) for experiment in params.experiments]
    energy, forces, size = pair[1].energy, pair[1].forces, len(pair[1].functions)
    blocks = dict(zip((TRAIN, HELD_OUT), (given.blocks[:size], given.blocks[size:]), strict=True))
    sets = {name: read_set(of, table, energy) for (name, of), table in zip(blocks.items(), given.thermo, strict=True)}
    sets = add_forces(forces, sets, list(blocks.values()), given.trajectories, snakemake.threads)
    points = [(1.0, count) for count in params.counts]
    with set_threads(1):
        tables = [
            learning_curves(
                *sets.values(), experiment, Optimizer(**optimizer), points, params.seeds, params.atomic_energies_ev
            ).assign(fit=fit)
            for fit, experiment, optimizer in zip(FITS, pair, params.optimizers, strict=True)
        ]
    write_table(snakemake.output[0], pd.concat(tables))
