"""Fit networks to the sets of one method, and let them predict the held-out frames."""

from pathlib import Path

import pandas as pd

from bpstudy.config.experiments import Frames
from bpstudy.config.selection import Selection
from bpstudy.data.trajectory import StoredFrames
from bpstudy.files import write_table
from bpstudy.running.jobs import job
from bpstudy.selection.fits import fit_set
from bpstudy.selection.frames import chosen_frames, numbers_of
from bpstudy.selection.sets import read_sets

with job(snakemake):
    params, given = snakemake.params, snakemake.input
    settings = Selection(**params.settings)
    chosen = zip(given.trajectories, given.thermo, params.frames, (None, settings.tested), strict=True)
    train, test = (
        chosen_frames(StoredFrames(trajectory), numbers_of(Frames(**frames), thermo, count))
        for trajectory, thermo, frames, count in chosen
    )
    sets = read_sets(Path(given.sets).read_text(), pd.read_csv(given.pool))
    tables = [fit_set(name, sets.sets[name], train, test, sets.tolerances, settings) for name in params.sets]
    write_table(snakemake.output[0], pd.concat(tables))
