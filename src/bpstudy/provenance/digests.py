"""A cache of file hashes for the duration of a run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bpstudy.checksums import sha256
from bpstudy.files import atomic_path

LARGE_BYTES = 2**20  # a smaller file is hashed faster than it is looked up


class DigestCache:
    """SHA-256 of files; those of large files are cached in `folder` until the file is touched.

    A file counts as untouched while its path, inode, size, modification time and change time stay the same; the last
    cannot be forged. Only the recording of jobs uses this; an audit hashes everything again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, path: str | Path) -> str:
        before = fingerprint(path)
        if before[0] < LARGE_BYTES:
            return sha256(path)
        place = str(Path(path).absolute())
        kept = self.folder / f"{hashlib.sha256(place.encode()).hexdigest()[:32]}.json"
        if kept.exists():
            entry = json.loads(kept.read_text())
            if entry["fingerprint"] == before:
                return entry["sha256"]
        found = sha256(path)
        with atomic_path(kept) as temporary:
            temporary.write_text(json.dumps({"path": place, "fingerprint": before, "sha256": found}))
        return found


def fingerprint(path: str | Path) -> list[int]:
    """Size, inode and times of a file: they change when it is written or replaced."""
    state = Path(path).stat()
    return [state.st_size, state.st_ino, state.st_mtime_ns, state.st_ctime_ns]
