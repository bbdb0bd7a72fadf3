"""Files appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd


def check_output(path: str | Path, option: str, inputs: Iterable[str | Path] = ()) -> None:
    """Check, before any work, that a file can be written and that it is none of the inputs.

    Raises:
        ValueError: a folder, within a file, in a folder that is not writable, or an input; `option` names it.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{option} {path}: is a folder; name a file")
    if path.exists() and any(Path(other).exists() and path.samefile(other) for other in inputs):
        raise ValueError(f"{option} {path}: is read by this command and would be overwritten; name another file")
    check_folder(path.absolute().parent, f"{option} {path}")


def check_folder(folder: Path, named: str) -> None:
    """Check that a folder can be written to, or made.

    Raises:
        ValueError: it lies within a file, or is not writable; `named` begins the message.
    """
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise ValueError(f"{named}: {folder} is not a folder")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{named}: the folder {folder.resolve()} is not writable")


def read_text(path: str | Path) -> str:
    """The text of a file; a byte order mark is skipped.

    Raises:
        ValueError: it cannot be read, or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ValueError(f"{path}: is not UTF-8 (byte {byte:#04x} at {error.start}); save it as UTF-8") from None


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes the final name, on failure it is removed.

    The data are flushed to the disk before the rename, so a final name never stands for a partial file.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=final.parent, prefix=f".{final.stem}-", suffix=final.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a CSV file whose numbers read back exactly."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)
