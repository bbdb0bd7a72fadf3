"""Temperature, energies and structure of a simulated system against what theory expects."""

import pandas as pd
from ase.io import read

from bpstudy.config.checks import Thermal
from bpstudy.config.systems import Crystal, Langevin
from bpstudy.dynamics.crystals import build_crystal
from bpstudy.files import write_table
from bpstudy.running.jobs import job
from bpstudy.thermal.analysis import Run, blocks, coordination, distributions, structure_frames, summary
from bpstudy.thermal.rdf import radial_distribution

with job(snakemake):
    params, output = snakemake.params, snakemake.output
    settings = Thermal(**params.settings)
    ideal = build_crystal(Crystal(**params.crystal))
    run = Run(pd.read_csv(snakemake.input.thermo), len(ideal), settings, Langevin(**params.bath))
    frames = read(snakemake.input.trajectory, index=structure_frames(run))
    structure = coordination(frames, ideal, settings.rdf_cutoff_angstrom)

    write_table(output.summary, pd.concat([summary(run), pd.DataFrame([structure])], ignore_index=True))
    write_table(output.blocks, blocks(run))
    write_table(output.distributions, distributions(run))
    write_table(output.rdf, radial_distribution(frames, settings.rdf_cutoff_angstrom, settings.rdf_bin_angstrom, ideal))
