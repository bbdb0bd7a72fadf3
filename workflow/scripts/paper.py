"""The paper, from its source and the results."""

import sys
from datetime import date
from pathlib import Path

from bpstudy.paper import PaperError, build

from bpstudy.files import atomic_path

params = snakemake.params
with atomic_path(snakemake.output.config) as temporary:
    temporary.write_text(params.config)
try:
    build(
        Path(snakemake.input.source),
        Path(snakemake.output.paper),
        Path.cwd(),
        {"config": Path(snakemake.output.config)} | {key: Path(path) for key, path in params.inputs.items()},
        date.fromisoformat(params.date),
    )
except PaperError as error:
    sys.exit(f"the paper was not built: {error}")
