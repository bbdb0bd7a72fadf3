"""What cannot be used is named by file and frame."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class TrajectoryError(ValueError):
    """Data cannot be used; the message names the file, the frame and what is wrong."""


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turn whatever ASE's readers raise into an error that names the file."""
    try:
        yield
    except TrajectoryError:
        raise
    except FileNotFoundError:
        raise TrajectoryError(f"{path}: no such trajectory") from None
    except Exception as error:  # ASE's readers raise whatever the damage causes
        raise TrajectoryError(f"{path}: ASE cannot read this trajectory ({type(error).__name__}: {error})") from error


def check_file(path: str | Path) -> Path:
    """The path of a file that can be read.

    Raises:
        TrajectoryError: there is none, it is a folder or a pipe, it is empty, or nobody may read it.
    """
    path = Path(path)
    if path.is_symlink() and not path.exists():
        raise TrajectoryError(f"{path}: is a link to {path.readlink()}, which is not there")
    if path.is_dir():
        raise TrajectoryError(f"{path}: is a folder; name a file")
    if not path.exists():
        raise TrajectoryError(f"{path}: no such trajectory")
    if not path.is_file() and str(path) != os.devnull:
        raise TrajectoryError(f"{path}: is no file but a pipe or device; write the data to a file first")
    if not os.access(path, os.R_OK):
        raise TrajectoryError(f"{path}: may not be read; change its permissions")
    if path.stat().st_size == 0:
        raise TrajectoryError(f"{path}: is empty")
    return path
