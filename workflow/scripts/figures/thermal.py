"""Figure S3: temperature, energies and structure of the simulated systems against theory."""

import pandas as pd

from bpstudy.figures.style import save
from bpstudy.figures.thermal import Tables, thermal
from bpstudy.running.jobs import job

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    names = ("summary", "blocks", "distributions", "rdf")
    files = zip(*(inputs[name] for name in names), strict=True)
    systems = {
        system: Tables(*map(pd.read_csv, of_system)) for system, of_system in zip(params.systems, files, strict=True)
    }
    save(thermal(systems, width_cm=params.width_cm), snakemake.output, params.dpi)
