"""Compare the chosen sets on the held-out frames, and recommend."""

from pathlib import Path

import pandas as pd

from bpstudy.config.analysis import Comparisons
from bpstudy.config.experiments import Frames
from bpstudy.files import atomic_path, write_table
from bpstudy.running.jobs import job
from bpstudy.selection.comparison import compare_sets
from bpstudy.selection.frames import numbers_of
from bpstudy.selection.sets import read_sets

with job(snakemake):
    given, params, written = snakemake.input, snakemake.params, snakemake.output
    sets = read_sets(Path(given.sets).read_text(), pd.read_csv(given.pool))
    numbers = numbers_of(Frames(**params.frames), given.thermo, params.tested)
    times = pd.read_csv(given.thermo)["time_fs"].iloc[numbers]
    errors = pd.concat(map(pd.read_csv, given.fits))
    found = compare_sets(sets, errors, times.diff().min(), Comparisons(**params.settings))
    for name in ("table", "differences", "halves", "pool"):
        write_table(written[name], getattr(found, name))
    with atomic_path(Path(written.recommended)) as temporary:
        temporary.write_text(found.recommended)
