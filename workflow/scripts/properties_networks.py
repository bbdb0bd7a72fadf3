"""Properties of the ideal crystal by all networks of an experiment, and beside those of the DFT."""

from pathlib import Path

import pandas as pd

from bpstudy.config.analysis import Properties
from bpstudy.config.systems import Crystal
from bpstudy.files import write_table
from bpstudy.potential.properties import compare, properties_of_networks
from bpstudy.running.jobs import job

with job(snakemake):
    params, given, written = snakemake.params, snakemake.input, snakemake.output
    folders = {seed: Path(model).parent for seed, model in zip(params.seeds, given.models, strict=True)}
    asked = Properties(**params.asked)
    curve, networks = properties_of_networks(folders, Crystal(**params.crystal), asked)
    write_table(written.curve, curve)
    write_table(written.networks, networks)
    write_table(written.table, compare(pd.read_csv(given.dft), networks, asked.goal))
