"""Choose symmetry functions by every method at every budget."""

from pathlib import Path

from bpstudy.config.experiments import Frames
from bpstudy.config.functions import Block
from bpstudy.config.selection import Selection
from bpstudy.data.trajectory import StoredFrames
from bpstudy.files import atomic_path, write_table
from bpstudy.running.jobs import job
from bpstudy.selection.frames import chosen_frames, combined_blocks, numbers_of
from bpstudy.selection.sets import choose_sets

with job(snakemake):
    params, given = snakemake.params, snakemake.input
    train = chosen_frames(StoredFrames(given.trajectory), numbers_of(Frames(**params.frames), given.thermo))
    combinations = {
        name: combined_blocks([Block(**block) for block in blocks], train, params.tolerance)
        for name, blocks in params.combinations.items()
    }
    found = choose_sets(train, Selection(**params.settings), combinations)
    write_table(snakemake.output.pool, found.pool)
    with atomic_path(Path(snakemake.output.sets)) as temporary:
        temporary.write_text(found.to_json())
