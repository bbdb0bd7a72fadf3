"""Symmetry functions with unit parameters: their magnitudes, all their sums, and how well those tell E."""

from bpstudy.config.functions import UnitFunctions
from bpstudy.data.trajectory import StoredFrames
from bpstudy.descriptors.hierarchy import all_sums, cell_energies_ev, cell_sums, magnitudes, unit_functions
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    settings = UnitFunctions(**snakemake.params.settings)
    frames = StoredFrames(snakemake.input.trajectory)[:]
    sums = cell_sums(unit_functions(settings, settings.cutoff_angstrom), frames)
    energy_ev = cell_energies_ev(frames)

    table = sums.assign(energy_ev=energy_ev, n_atoms=[len(frame) for frame in frames])
    write_table(snakemake.output.sums, table.rename_axis("frame").reset_index())
    write_table(snakemake.output.scatter, all_sums(energy_ev, sums, settings.bins))
    write_table(snakemake.output.hierarchy, magnitudes(settings, frames))
