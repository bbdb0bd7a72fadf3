"""Energies of the ideal crystal at several volumes, by the study's DFT."""

from pydantic import TypeAdapter

from bpstudy.calculators import make_calculator
from bpstudy.config.systems import Crystal, Emt, Gpaw
from bpstudy.dft_convergence import evaluate
from bpstudy.equation_of_state import crystals, with_volumes
from bpstudy.files import write_table
from bpstudy.jobs import job

with job(snakemake):
    params = snakemake.params
    frames = crystals(Crystal(**params.crystal), params.volumes)
    settings = TypeAdapter(Gpaw | Emt).validate_python(params.calculator)
    table = evaluate(frames, make_calculator(settings, snakemake.log.calculator))
    energies = table["free_ev"] / len(frames[0])
    write_table(snakemake.output[0], with_volumes(frames, params.volumes).assign(energy_ev_per_atom=energies))
