"""The ledger of the paper's claims."""

import json

import pandas as pd

from bpstudy.claims import NO_FORCES, NO_THERMAL, Choice, Evidence, ledger
from bpstudy.config.analysis import Reported, WithForces
from bpstudy.files import atomic_path, write_table
from bpstudy.running.jobs import job

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    names = ("metrics", "smoothness", "ranking", "hierarchy", "unit_scatter")
    tables = {n: pd.read_csv(given[n]) for n in names} | {"choice": Choice.read(params.selection, given.selection)}
    claims = ledger(
        Evidence(
            Reported(**params.reported),
            WithForces(**params.forces) if params.forces else None,
            **tables,
            thermal=pd.concat(map(pd.read_csv, given.thermal)) if given.thermal else NO_THERMAL,
            with_forces=pd.read_csv(given.with_forces[0]) if params.forces else NO_FORCES,
            sums={name: pd.read_csv(path) for name, path in zip(params.sums_of, given.sums, strict=True)},
            cutoff_angstrom=params.cutoff_angstrom,
            bins=params.bins,
            combinations=tuple(params.combinations),
            properties=pd.read_csv(given.properties[0]) if given.properties else None,
        )
    )
    write_table(snakemake.output.table, pd.DataFrame(claims))
    with atomic_path(snakemake.output.claims) as temporary:
        temporary.write_text(json.dumps(claims, indent=1, ensure_ascii=False) + "\n")
