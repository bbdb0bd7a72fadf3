"""What the functions of each experiment, and of one grid at several cutoffs, hold."""

import pandas as pd

from bpstudy.evaluation.information import correlations, information
from bpstudy.files import write_table
from bpstudy.running.jobs import job
from bpstudy.training.sets import read_set

with job(snakemake):
    blocks = iter(snakemake.input.blocks)
    rows, maps = [], []
    for described, thermo in zip(snakemake.params.sets, snakemake.input.thermo, strict=True):
        frames = read_set([next(blocks) for _ in range(described["blocks"])], thermo, described["energy"])
        known = {key: described[key] for key in ("experiment", "set", "cutoff_angstrom")}
        rows.append({**known, **information(frames, snakemake.params.memory_fs)})
        if known["set"] == "train" and known["experiment"] in snakemake.params.heat_maps:
            maps.append(correlations(frames).assign(experiment=known["experiment"]))
    write_table(snakemake.output.table, pd.DataFrame(rows))
    write_table(snakemake.output.correlations, pd.concat(maps, ignore_index=True))
