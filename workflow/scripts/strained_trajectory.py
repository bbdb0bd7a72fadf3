"""Join the chunks of strained cells, or those of the archive, every file verified, and tabulate their energies."""

from pathlib import Path

from bpstudy.config.systems import Strained
from bpstudy.data.trajectory import StoredFrames, write_frames
from bpstudy.dynamics.archive import read_strained
from bpstudy.dynamics.strained import table_of
from bpstudy.files import write_table
from bpstudy.running.jobs import job

with job(snakemake):
    if snakemake.params.archive:
        system = Strained.model_validate(snakemake.params.system)
        frames = read_strained(Path(snakemake.params.archive), system)
    else:
        frames = [frame for path in snakemake.input.chunks for frame in StoredFrames(path)]
    write_frames(snakemake.output.frames, frames)
    write_table(snakemake.output.thermo, table_of(frames))
