"""The paper, from its source and the results."""

from datetime import date
from pathlib import Path

from bpstudy.figures.paper import build
from bpstudy.files import atomic_path
from bpstudy.running.jobs import job

with job(snakemake):
    config = Path(snakemake.output.config)
    with atomic_path(config) as temporary:
        temporary.write_text(snakemake.params.config)
    build(
        Path(snakemake.input.source),
        Path(snakemake.output.paper),
        Path.cwd(),
        {"config": config} | {key: Path(path) for key, path in snakemake.params.inputs.items()},
        date.fromisoformat(snakemake.params.date),
    )
