"""Energies of the ideal crystal at several volumes, and its elastic constants, by all networks of an experiment."""

from pathlib import Path

from bpstudy.config.systems import Crystal
from bpstudy.files import write_table
from bpstudy.potential.equation_of_state import crystals
from bpstudy.potential.runs import constants_of_networks, energies_at_volumes
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    folders = {s: Path(m).parent for s, m in zip(params.seeds, snakemake.input.models, strict=True)}
    crystal = Crystal(**params.crystal)
    frames = crystals(crystal, params.volumes)
    write_table(snakemake.output.energies, energies_at_volumes(folders, frames, params.volumes))
    write_table(snakemake.output.elastic, constants_of_networks(folders, crystal, params.strain))
