"""The ledger of the paper's claims."""

import json

import pandas as pd

from bpstudy.claims import Evidence, ledger
from bpstudy.config.analysis import Reported
from bpstudy.files import atomic_path, write_table
from bpstudy.jobs import job

with job(snakemake):
    tables = {
        name: pd.read_csv(snakemake.input[name])
        for name in ("metrics", "smoothness", "ranking", "hierarchy", "unit_scatter")
    }
    shown = zip(snakemake.params.sums_of, snakemake.input.sums, strict=True)
    claims = ledger(
        Evidence(
            Reported(**snakemake.params.reported),
            **tables,
            sums={experiment: pd.read_csv(path) for experiment, path in shown},
            cutoff_angstrom=snakemake.params.cutoff_angstrom,
            bins=snakemake.params.bins,
            combinations=tuple(snakemake.params.combinations),
        )
    )
    write_table(snakemake.output.table, pd.DataFrame(claims))
    with atomic_path(snakemake.output.claims) as temporary:
        temporary.write_text(json.dumps(claims, indent=1, ensure_ascii=False) + "\n")
