"""A data set becomes one trajectory in eV and Å and the table of its energies, as simulated systems have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from ase import Atoms

from bpstudy.config.datasets import Imported
from bpstudy.data.dataset import DataSet
from bpstudy.data.inspection import inspect
from bpstudy.data.trajectory import thermodynamics, write_frames
from bpstudy.files import write_table


def import_frames(declared: Imported, trajectory: str | Path, thermo: str | Path) -> None:
    """Write the frames (an ASE trajectory) and their table; one frame is in memory at a time.

    The table has, beside the columns of `bpstudy.data.trajectory.thermodynamics`, what each frame is: file, number
    there, group, formula and number of atoms (source_…), and its part of the split.

    Raises:
        TrajectoryError: a frame that cannot be used.
    """
    inspected = inspect(declared)
    rows: list[pd.DataFrame] = []

    def passing() -> Iterator[Atoms]:
        for atoms in DataSet(declared):
            rows.append(thermodynamics([atoms]))
            yield atoms

    write_frames(trajectory, passing())
    table = pd.concat(rows, ignore_index=True)
    table["step"] = range(len(table))
    if declared.timestep_fs is not None:
        table["time_fs"] = table["step"] * declared.timestep_fs
    sources = {name: inspected.table[name] for name in ("file", "frame", "group", "formula", "n_atoms")}
    parts = inspected.parts or [""] * len(table)
    write_table(thermo, table.assign(**{f"source_{name}": column for name, column in sources.items()}, part=parts))
