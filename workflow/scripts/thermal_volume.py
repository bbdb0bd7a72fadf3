"""The volume of a run at the pressure 0, and what the DFT's pressure says of it."""

import pandas as pd
from pydantic import TypeAdapter

from bpstudy.config.systems import System
from bpstudy.data.trajectory import StoredFrames
from bpstudy.dynamics.calculators import calculator_of, make_calculator
from bpstudy.dynamics.properties import thermal_volume
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    given, log = snakemake.input, snakemake.log
    system = TypeAdapter(System).validate_python(snakemake.params.system)
    modulus = pd.read_csv(given.dft).set_index("property").loc["B", "value"]
    calculator = make_calculator(calculator_of(system), log.calculator)
    table = thermal_volume(pd.read_csv(given.table), StoredFrames(given.frames), calculator, modulus)
    write_table(snakemake.output[0], table)
