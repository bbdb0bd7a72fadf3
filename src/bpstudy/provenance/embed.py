"""Embeds a lineage in a picture: PNG text, SVG metadata, PDF document information. Deterministic to the byte."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape, unescape

from bpstudy.files import atomic_path

KEY = "bpstudy-lineage"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SVG_ELEMENT = re.compile(rf'<metadata id="{KEY}">(.*?)</metadata>\n?', re.DOTALL)


def embed(path: Path, lineage: str) -> None:
    """Embed a lineage in a picture, replacing any earlier one.

    Raises:
        ValueError: the file is not a PNG, SVG or PDF, or is damaged.
    """
    write = _format(path)[0]
    content = write(path.read_bytes(), lineage)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def embedded(path: Path) -> str | None:
    """The lineage embedded in a picture; None if there is none, or if the file is not a picture.

    Raises:
        ValueError: the file is damaged.
    """
    return _format(path)[1](path.read_bytes()) if path.suffix in FORMATS else None


def _format(path: Path) -> tuple[Callable[[bytes, str], bytes], Callable[[bytes], str | None]]:
    if path.suffix not in FORMATS:
        raise ValueError(f"{path}: a lineage can be embedded in {', '.join(FORMATS)} only")
    return FORMATS[path.suffix]


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Types and data of the chunks of a PNG (https://www.w3.org/TR/png-3/#5Chunk-layout)."""
    if not content.startswith(PNG_SIGNATURE):
        raise ValueError("is not a PNG")
    place = len(PNG_SIGNATURE)
    while place < len(content):
        if len(content) < place + 12:
            raise ValueError("the PNG is truncated")
        size, kind = struct.unpack(">I4s", content[place : place + 8])
        yield kind, content[place + 8 : place + 8 + size]
        place += size + 12


def _is_ours(kind: bytes, data: bytes) -> bool:
    return kind == b"iTXt" and data.startswith(KEY.encode() + b"\0")


def _into_png(content: bytes, lineage: str) -> bytes:
    # keyword, no compression, no language, no translated keyword, text
    ours = (b"iTXt", KEY.encode() + b"\0\0\0\0\0" + lineage.encode())
    others = [chunk for chunk in _png_chunks(content) if not _is_ours(*chunk)]
    written = [PNG_SIGNATURE]
    for kind, data in [*others[:-1], ours, others[-1]]:
        written += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(written)


def _from_png(content: bytes) -> str | None:
    for kind, data in _png_chunks(content):
        if _is_ours(kind, data):
            return data.split(b"\0", 5)[5].decode()
    return None


def _into_svg(content: bytes, lineage: str) -> bytes:
    text = _SVG_ELEMENT.sub("", content.decode())
    head, end, tail = text.rpartition("</svg>")
    if not end:
        raise ValueError("is not an SVG")
    return f'{head}<metadata id="{KEY}">{escape(lineage)}</metadata>\n{end}{tail}'.encode()


def _from_svg(content: bytes) -> str | None:
    found = _SVG_ELEMENT.search(content.decode())
    return unescape(found[1]) if found else None


def _into_pdf(content: bytes, lineage: str) -> bytes:
    from pypdf import PdfWriter  # a tenth of a second, for the jobs that need it only

    writer = PdfWriter(io.BytesIO(content), incremental=True)
    writer.add_metadata({f"/{KEY}": lineage})
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def _from_pdf(content: bytes) -> str | None:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        information = PdfReader(io.BytesIO(content)).metadata
    except PyPdfError as error:
        raise ValueError(f"the PDF cannot be read: {error}") from None
    found = information.get(f"/{KEY}") if information else None
    return None if found is None else str(found)


FORMATS: dict[str, tuple[Callable[[bytes, str], bytes], Callable[[bytes], str | None]]] = {
    ".png": (_into_png, _from_png),
    ".svg": (_into_svg, _from_svg),
    ".pdf": (_into_pdf, _from_pdf),
}
