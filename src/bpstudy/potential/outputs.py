"""Output files of molecular dynamics, checked before the first step so that no finished run is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ase import Atoms
from ase.io.extxyz import write_extxyz
from ase.io.trajectory import Trajectory

from bpstudy.files import atomic_path, check_folder

SUFFIXES = (".traj", ".xyz", ".extxyz")
"""Of the frames: ASE's own format, and extended XYZ."""


def table_of(frames: Path) -> Path:
    """The table of energies beside the frames."""
    return frames.with_suffix(".csv")


def partial_of(frames: Path) -> Path:
    """What was written before a run broke off."""
    return frames.with_name(f"{frames.stem}.partial{frames.suffix}")


def check_output(frames: Path, inputs: Iterable[Path], beside: Iterable[Path] = ()) -> None:
    """Check that the frames, their table and files `beside` them can be written without replacing any of `inputs`.

    Raises:
        ValueError: a name that does not tell the format, a folder, an input, or a folder that cannot be written to.
    """
    if frames.suffix not in SUFFIXES:
        raise ValueError(
            f"--output {frames}: the name tells the format and must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
            " (the table of energies goes beside it, .csv)"
        )
    kept = [path for path in inputs if path.exists()]
    for path in (frames, table_of(frames), partial_of(frames), *beside):
        if path.is_dir():
            raise ValueError(f"--output {frames}: {path} is a folder")
        if any(path.resolve() == other.resolve() for other in kept) or any(
            path.exists() and path.samefile(other) for other in kept
        ):
            raise ValueError(f"--output {frames}: {path} is read by this run and would be overwritten")
    check_folder(frames.parent, f"--output {frames}")


@contextmanager
def frame_writer(frames: Path) -> Iterator[Callable[[Atoms], None]]:
    """A function that appends a frame; the file appears when the run is complete.

    Where the run breaks off, what was written so far is kept as `partial_of`.
    """
    with atomic_path(frames) as temporary:
        try:
            if frames.suffix == ".traj":
                with Trajectory(str(temporary), "w") as trajectory:
                    yield trajectory.write
            else:
                with temporary.open("w") as file:
                    yield lambda frame: write_extxyz(file, [frame])
        except BaseException:
            if temporary.stat().st_size:
                temporary.replace(partial_of(frames))
            raise
