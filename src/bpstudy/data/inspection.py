"""Contents of the files of a data set, known before the first job: read once and cached beside Snakemake's metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from bpstudy.config.datasets import Imported
from bpstudy.data.copies import copies, kind
from bpstudy.data.dataset import DataSet, table_of
from bpstudy.data.errors import check_file
from bpstudy.data.parts import parts_of
from bpstudy.files import atomic_path

NOTES = Path(".snakemake")
VERSION = 3  # of the notes


@dataclass(frozen=True, eq=False)
class Inspection:
    """A data set without its atoms.

    Attributes:
        table: one row per frame, of `bpstudy.data.dataset.table_of`.
        fingerprints: (n_frames, n), alike for copies.
    """

    declared: Imported
    table: pd.DataFrame
    fingerprints: np.ndarray

    def __len__(self) -> int:
        return len(self.table)

    @property
    def kinds(self) -> list[str]:
        """What copies agree in beside their fingerprints."""
        return [kind(*of) for of in zip(self.table["formula"], self.table["pbc"], strict=True)]

    @cached_property
    def first_copy(self) -> np.ndarray:
        """For each frame the first that it is a copy of."""
        return copies(self.kinds, self.fingerprints, self.table["n_atoms"].to_numpy())

    @cached_property
    def parts(self) -> list[str] | None:
        """The part of each frame; None without a split."""
        split = self.declared.split
        return None if split is None else parts_of(self.table, self.first_copy.tolist(), split)

    @property
    def has_forces(self) -> bool:
        return bool(self.table["force_rms_ev_per_angstrom"].notna().all())

    @property
    def has_stress(self) -> bool:
        """Some frames have a stress."""
        return bool(self.table["stress"].any())

    @property
    def moves(self) -> bool:
        """Every frame has momenta."""
        return bool(self.table["moving"].all())

    @property
    def one_size(self) -> bool:
        """All frames are of the same atoms."""
        return self.table["formula"].nunique() == 1

    def named(self, number: int) -> str:
        """A frame as messages name it."""
        row = self.table.iloc[number]
        return f"{row['file']}, frame {row['frame']}"


def inspect(declared: Imported, folder: Path | None = None) -> Inspection:
    """Read a data set, or what is noted of it if its files are as they were.

    Raises:
        TrajectoryError: frames that cannot be used.
    """
    folder = folder or Path()
    stamps = [
        (str(path), (info := check_file(folder / path).stat()).st_size, info.st_mtime_ns) for path in declared.inputs
    ]
    key = sha256(json.dumps([VERSION, declared.model_dump(mode="json"), stamps]).encode()).hexdigest()[:24]
    note = folder / NOTES / "bpstudy" / f"data-{key}.json"
    try:
        known = json.loads(note.read_text())
        table = pd.read_json(StringIO(known["table"]), orient="table").reset_index(drop=True)
        return Inspection(declared, table, np.array(known["fingerprints"]))
    except (OSError, ValueError, KeyError):
        pass  # not noted yet, or not to be read
    table, fingerprints = table_of(iter(DataSet(declared, folder)))
    if (folder / NOTES).is_dir():
        with atomic_path(note) as temporary:
            kept = table.to_json(orient="table", double_precision=15)
            temporary.write_text(json.dumps({"table": kept, "fingerprints": fingerprints.tolist()}))
    return Inspection(declared, table, fingerprints)
