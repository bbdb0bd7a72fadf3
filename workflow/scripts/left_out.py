"""Say what is left out, in one place."""

from pathlib import Path

from bpstudy.data.left_out import page
from bpstudy.files import atomic_path
from bpstudy.running.jobs import job

with job(snakemake), atomic_path(Path(snakemake.output[0])) as temporary:
    temporary.write_text(page(snakemake.params.lines))
