"""Tables and lines of measured numbers in the pages of the documentation."""

import re
from collections.abc import Iterable
from pathlib import Path

from bpstudy.files import atomic_path


def renew(path: Path, row: str, rows: Iterable[str]) -> None:
    """Put `rows` in the place of the lines of a table that match `row`."""
    lines = path.read_text().splitlines()
    old = [number for number, line in enumerate(lines) if re.match(row, line)]
    lines[old[0] : old[-1] + 1] = rows
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def between(path: Path, name: str, lines: Iterable[str]) -> None:
    """Put `lines` between the comments <!-- name --> and <!-- /name -->."""
    before, rest = path.read_text().split(f"<!-- {name} -->\n")
    after = rest[rest.index(f"<!-- /{name} -->") :]
    with atomic_path(path) as temporary:
        temporary.write_text(f"{before}<!-- {name} -->\n" + "\n".join(lines) + "\n" + after)
