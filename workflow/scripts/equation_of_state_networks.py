"""Energies of the ideal crystal at several volumes, by all networks of an experiment."""

from pathlib import Path

from bpstudy.config.systems import Crystal
from bpstudy.equation_of_state import crystals
from bpstudy.files import write_table
from bpstudy.jobs import job
from bpstudy.potential_runs import energies_at_volumes

with job(snakemake):
    params = snakemake.params
    folders = {s: Path(m).parent for s, m in zip(params.seeds, snakemake.input.models, strict=True)}
    frames = crystals(Crystal(**params.crystal), params.volumes)
    write_table(snakemake.output[0], energies_at_volumes(folders, frames, params.volumes))
