"""Files of frames, opened by their exact path: nothing in a file name is interpreted.

ASE takes what follows an @ for an index and reads another file than the one that is hashed. Here extended XYZ is cut
into frames first, so that a damaged frame is named and none is dropped; all other formats are ASE's.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, cast

from ase import Atoms
from ase.db import connect
from ase.io import iread
from ase.io.extxyz import read_xyz
from ase.io.formats import UnknownFileTypeError, filetype, ioformats
from ase.io.trajectory import Trajectory

from bpstudy.data import n2p2
from bpstudy.data.errors import TrajectoryError, check_file, reading

N2P2 = "n2p2"
DUMP = "lammps-dump-text"
_PACKED = {b"\x1f\x8b": ".gz", b"\xfd7zXZ": ".xz", b"BZh": ".bz2", b"\x28\xb5\x2f\xfd": ".zst", b"PK\x03\x04": ".zip"}
COMPRESSED: dict[str, Callable] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def read_raw(path: str | Path, kind: str | None = None, elements: Sequence[str] | None = None) -> Iterator[Atoms]:
    """The frames of a file as it holds them, one after the other.

    Args:
        kind: `n2p2`, or ASE's name of the format; None looks at the file.
        elements: of the atom types 1, 2, … of a LAMMPS dump.

    Raises:
        TrajectoryError: a file that cannot be read to its end.
    """
    path = check_file(path)
    if kind is None:
        kind = kind_of(path)
    else:
        _check_packing(path)
    if kind != N2P2 and kind not in ioformats:
        raise TrajectoryError(
            f"{path}: format {kind!r} is not known; use ASE's name of it (`ase info --formats`) or n2p2"
        )
    yield from READERS.get(kind, _by_ase)(path, kind, elements)


def _check_packing(path: Path) -> None:
    """What a file begins with must fit its name: ASE and we unpack by the name."""
    with path.open("rb") as file:
        start = file.read(6)
    packed = next((suffix for magic, suffix in _PACKED.items() if start.startswith(magic)), None)
    if packed in COMPRESSED and path.suffix != packed:
        raise TrajectoryError(f"{path}: is compressed; rename it so that its name ends in {packed}, or unpack it")
    if packed is not None and packed not in COMPRESSED:
        raise TrajectoryError(f"{path}: is compressed ({packed}); unpack it, or pack it as .gz, .xz or .bz2")
    if packed is None and path.suffix in COMPRESSED:
        raise TrajectoryError(f"{path}: is not compressed, or damaged; its name must not end in {path.suffix}")


def kind_of(path: Path) -> str:
    """The format of a file: n2p2, or ASE's name of it.

    Raises:
        TrajectoryError: it is not known, or the file is packed otherwise than its name says.
    """
    _check_packing(path)
    with reading(path):
        start = _start(path)
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise TrajectoryError(f"{path}: is UTF-16; save it as UTF-8")
        if start.removeprefix(codecs.BOM_UTF8).split()[:1] == [b"begin"]:
            return N2P2
        try:
            kind = filetype(str(path))
            return cast(str, kind if kind in ioformats else filetype(str(path), guess=False))
        except UnknownFileTypeError:
            raise TrajectoryError(
                f"{path}: ASE cannot read this trajectory: its format is not known; name it with the key `format`"
            ) from None


def open_text(path: Path) -> TextIO:
    """A text file, compressed or not; a byte order mark at its start is skipped."""
    opener = COMPRESSED.get(path.suffix, open)
    return cast(TextIO, opener(path, "rt", encoding="utf-8-sig"))


def _start(path: Path) -> bytes:
    with COMPRESSED.get(path.suffix, open)(path, "rb") as file:
        return cast(bytes, file.read(1024))


def _extxyz(path: Path, kind: str, elements: object) -> Iterator[Atoms]:
    with reading(path), open_text(path) as file:
        for number, text in enumerate(_xyz_chunks(path, file)):
            where = f"{path}, frame {number}"
            _check_comment(text.split("\n", 2)[1], where)
            try:
                yield next(iter(read_xyz(StringIO(text), index=0)))
            except KeyError as error:
                raise TrajectoryError(
                    f"{where}: ASE cannot read this trajectory ({error} is no chemical symbol; isotopes are their "
                    "element)"
                ) from None
            except Exception as error:  # whatever the damage causes
                raise TrajectoryError(f"{path}, frame {number}: ASE cannot read this trajectory ({error})") from None


def _xyz_chunks(path: Path, file: TextIO) -> Iterator[str]:
    """Text of each frame. Blank lines may stand between frames."""
    number = 0
    try:
        while head := file.readline():
            if not head.strip():
                continue
            if not (head.strip().isascii() and head.strip().isdigit()):
                raise TrajectoryError(
                    f"{path}, frame {number}: ASE cannot read this trajectory: it must begin with the number of its "
                    f"atoms, not {head.strip()[:60]!r}"
                )
            lines = list(islice(file, int(head) + 1))
            if len(lines) <= int(head):
                raise TrajectoryError(f"{path}, frame {number}: ends early, {int(head)} atoms are announced")
            _check_end(lines, f"{path}, frame {number}")
            yield head + "".join(lines)
            number += 1
    except UnicodeDecodeError as error:
        raise TrajectoryError(
            f"{path}, frame {number}: is not UTF-8 (byte {error.object[error.start]:#04x}); save it as UTF-8"
        ) from None


def _check_comment(comment: str, where: str) -> None:
    """Refuse duplicate keys, of which ASE would silently take the last."""
    keys = re.findall(r"(?:^|\s)([^\s=\"']+)\s*=", re.sub(r"\"[^\"]*\"|'[^']*'|\{[^}]*\}", '""', comment))
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise TrajectoryError(f"{where}: duplicate {', '.join(twice)}; remove one")


def _check_end(lines: Sequence[str], where: str) -> None:
    """A last number that was cut off is a number too; it is shorter than the others of its column."""
    if len(lines) < 3 or lines[-1].endswith("\n"):
        return
    rows = [line.split() or [""] for line in lines[1:]]
    digits = [len(row[-1].partition(".")[2]) for row in rows]
    if len({len(row) for row in rows}) == len(set(digits[:-1])) == 1 and digits[-1] < digits[0]:
        raise TrajectoryError(f"{where}: ends in the middle of a number; if the file is whole, end it with a new line")


def _traj(path: Path, kind: str, elements: object) -> Iterator[Atoms]:
    opener = COMPRESSED.get(path.suffix)
    with reading(path):
        if opener is None:
            file = Trajectory(str(path))
        else:  # its frames are looked up by their place in the file, which takes long in a compressed one
            with opener(path, "rb") as packed:
                file = Trajectory(BytesIO(packed.read()))
    for number in range(len(file)):
        with reading(f"{path}, frame {number}"):
            yield file[number]


def _dump(path: Path, kind: str, elements: Sequence[str] | None) -> Iterator[Atoms]:
    with reading(path), open_text(path) as file:
        columns = next((line.split()[2:] for line in file if line.startswith("ITEM: ATOMS")), [])
    if "element" not in columns and not elements:
        raise TrajectoryError(f"{path}: names no elements; name those of its atom types with the key `elements`")
    named: dict[str, Any] = {} if "element" in columns else {"specorder": list(elements or ())}
    with reading(path):
        for atoms in iread(str(path), index=":", format=kind, do_not_split_by_at_sign=True, **named):
            if atoms.calc is not None:
                atoms.calc.results.pop("energy", None)  # ASE's own: dumps have none, and it says 0
            yield atoms


def _database(path: Path, kind: str, elements: object) -> Iterator[Atoms]:
    with reading(path):
        for row in connect(str(path), type="db").select():
            atoms = row.toatoms()
            atoms.info |= row.key_value_pairs
            yield atoms


def _n2p2(path: Path, kind: str, elements: object) -> Iterator[Atoms]:
    with reading(path), open_text(path) as file:
        yield from n2p2.read(file, str(path))


def _by_ase(path: Path, kind: str, elements: object) -> Iterator[Atoms]:
    with reading(path):
        yield from iread(str(path), index=":", format=kind, do_not_split_by_at_sign=True)


READERS: dict[str, Callable[[Path, str, Sequence[str] | None], Iterator[Atoms]]] = {
    "extxyz": _extxyz,
    "xyz": _extxyz,
    "traj": _traj,
    "db": _database,
    DUMP: _dump,
    N2P2: _n2p2,
}
