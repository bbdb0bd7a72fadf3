"""Take a system's trajectory from the archive, every file verified, and tabulate its thermodynamics."""

import sys
from pathlib import Path

from bpstudy.archive import ArchiveError, read_chunk
from bpstudy.config.systems import Simulated
from bpstudy.files import write_table
from bpstudy.trajectory import thermodynamics, write_frames

archive = Path(snakemake.params.archive)
system = Simulated.model_validate(snakemake.params.system)
try:
    frames = [
        frame
        for chunk in range(system.chunks)
        for frame in read_chunk(archive, f"{chunk:04d}", system.simulation(), system.chunk_range(chunk))
    ]
except ArchiveError as error:
    sys.exit(f"the archive cannot be used: {error}")
write_frames(snakemake.output.frames, frames)
write_table(snakemake.output.thermo, thermodynamics(frames, system.dynamics.timestep_fs))
