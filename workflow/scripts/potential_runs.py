"""Dynamics with one network, beside those of the DFT."""

from pathlib import Path

import pandas as pd

from bpstudy.config.analysis import PotentialRuns
from bpstudy.config.checks import Thermal
from bpstudy.data.trajectory import StoredFrames
from bpstudy.files import write_table
from bpstudy.potential.calculator import Potential
from bpstudy.potential.runs import all_runs
from bpstudy.running.jobs import job

with job(snakemake):
    settings, thermal = PotentialRuns(**snakemake.params.settings), Thermal(**snakemake.params.thermal)
    step_fs = pd.read_csv(snakemake.input.thermo)["time_fs"].diff().median()
    step_fs = settings.timestep_fs if pd.isna(step_fs) else step_fs
    frames = StoredFrames(snakemake.input.trajectory)[round(settings.from_fs / step_fs) :]
    potential = Potential(Path(snakemake.input.model).parent, threads=snakemake.threads)
    results = all_runs(potential, frames, step_fs, settings, thermal)
    for name in ("energies", "summary", "rdf", "motion"):
        write_table(snakemake.output[name], getattr(results, name))
