"""Learning curves, all seeds."""

from bpstudy.config.analysis import LearningCurves
from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.files import write_table
from bpstudy.running.jobs import job
from bpstudy.training import set_threads
from bpstudy.training.learning import learning_curves, points
from bpstudy.training.sets import read_set

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    experiment = Experiment(**params.experiment)
    run, held_out = (
        read_set(blocks, thermo, experiment.energy)
        for blocks, thermo in ((given.run, given.thermo[0]), (given.held_out, given.thermo[1]))
    )
    atomic = params.atomic_energies_ev
    settings, optimizer = LearningCurves(**params.settings), Optimizer(**params.optimizer)
    with set_threads(1):
        table = learning_curves(run, held_out, experiment, optimizer, points(settings), params.seeds, atomic)
    write_table(snakemake.output[0], table)
