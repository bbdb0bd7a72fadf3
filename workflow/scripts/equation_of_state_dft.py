"""Energies of the ideal crystal at several volumes, and its elastic constants, by the study's DFT."""

from pydantic import TypeAdapter

from bpstudy.config.systems import Crystal, Emt, Gpaw
from bpstudy.dynamics.calculators import make_calculator
from bpstudy.dynamics.convergence import evaluate
from bpstudy.files import write_table
from bpstudy.potential.equation_of_state import crystals, elastic_constants, with_volumes
from bpstudy.running.jobs import job

with job(snakemake):
    params = snakemake.params
    crystal = Crystal(**params.crystal)
    frames = crystals(crystal, params.volumes)
    settings = TypeAdapter(Gpaw | Emt).validate_python(params.calculator)
    calculator = make_calculator(settings, snakemake.log.calculator)
    energies = evaluate(frames, calculator)["free_ev"] / len(frames[0])
    table = with_volumes(frames, params.volumes).assign(energy_ev_per_atom=energies)
    write_table(snakemake.output.energies, table)
    write_table(snakemake.output.elastic, elastic_constants(crystal, calculator, params.strain))
