"""Energies and forces of a few frames with one variant of the DFT's settings."""

from ase.io import read
from pydantic import TypeAdapter

from bpstudy.config.checks import overlaid
from bpstudy.config.systems import Emt, Gpaw
from bpstudy.dynamics.calculators import make_calculator
from bpstudy.dynamics.convergence import evaluate
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    settings = overlaid(TypeAdapter(Gpaw | Emt).validate_python(params.calculator), params.overlay)
    frames = read(snakemake.input.frames, index=":")
    write_table(snakemake.output[0], evaluate(frames, make_calculator(settings, snakemake.log.calculator)))
