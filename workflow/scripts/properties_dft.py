"""Properties of the ideal crystal by the study's DFT."""

from pydantic import TypeAdapter

from bpstudy.config.analysis import Properties
from bpstudy.config.systems import System
from bpstudy.dynamics.calculators import calculator_of, make_calculator
from bpstudy.dynamics.properties import crystal_properties
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    params, written = snakemake.params, snakemake.output
    system = TypeAdapter(System).validate_python(params.system)
    settings = calculator_of(system)
    curve, table = crystal_properties(
        system.crystal, lambda: make_calculator(settings, snakemake.log.calculator), Properties(**params.asked)
    )
    write_table(written.curve, curve)
    write_table(written.table, table)
