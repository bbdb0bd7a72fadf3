"""Records of chunks restored from the archive."""

from __future__ import annotations

from pathlib import Path

from bpstudy.dynamics.archive import SUFFIXES
from bpstudy.provenance import record
from bpstudy.provenance.store import Store, read_record


def record_restored(results: Path, archive: Path, chunks: Path, number: str) -> None:
    """Record that a chunk was restored from the archive, whose forces have fewer digits than the original's."""
    files = [path for suffix in SUFFIXES if (path := archive / f"{number}{suffix}").exists()]
    made = read_record(archive / f"{number}.record.json")
    outputs = [path for suffix in (".traj", ".state.json") if (path := chunks / f"{number}{suffix}").exists()]
    statement = record.statement(made.rule, made.parameters, record.hashes(files), outputs, record.now())
    Store(results).add(statement)
