"""The strained cells of a system before their DFT, to look at."""

from ase.io import write

from bpstudy.config.systems import Strained
from bpstudy.dynamics.strained import draw_cells
from bpstudy.files import atomic_path
from bpstudy.running.jobs import job

with job(snakemake), atomic_path(snakemake.output[0]) as temporary:
    write(temporary, draw_cells(Strained.model_validate(snakemake.params.system)), format="extxyz")
