"""Checksums of files."""

import hashlib
from pathlib import Path


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
