"""The paper: a Typst manuscript that reads all of its numbers and figures from files."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path

import typst

from bpstudy.files import atomic_path


class PaperError(ValueError):
    """The paper cannot be built; the message names the file or the line of the manuscript."""


def build(source: Path, output: Path, root: Path, inputs: Mapping[str, Path], date: date) -> None:
    """Typeset `source` to the PDF `output`; the same files give the same bytes.

    Only the fonts shipped with Typst are used. The PDF appears whole or not at all.

    Args:
        source: the manuscript (.typ), in `root`.
        root: the folder that the manuscript may read from.
        inputs: files by the names under which the manuscript finds them in `sys.inputs`; all in `root`.
        date: printed on the paper. It belongs to the data; today's date would change the file with each run.

    Raises:
        PaperError: a file is missing or not in `root`, or Typst refuses the manuscript.
    """
    root = Path(root).resolve()
    paths = {"source": Path(source), **{key: Path(path) for key, path in inputs.items()}}
    absent = [f"{key}: {path}" for key, path in paths.items() if not path.is_file()]
    if absent:
        raise PaperError("these files are missing: " + ", ".join(absent))
    outside = [f"{key}: {path}" for key, path in paths.items() if not path.resolve().is_relative_to(root)]
    if outside:
        raise PaperError(f"these files are not in {root}: " + ", ".join(outside))
    given = {key: f"/{path.resolve().relative_to(root).as_posix()}" for key, path in paths.items()}
    stamp = datetime.combine(date, time(), UTC)
    with atomic_path(output) as temporary:
        try:
            compiler = typst.Compiler(
                str(paths["source"].resolve()),
                root=str(root),
                ignore_system_fonts=True,
                sys_inputs={**given, "date": date.isoformat()},
            )
            # Untagged: Typst 0.15.1 fails to tag pictures that float into a table broken across pages.
            compiler.compile(output=str(temporary), format="pdf", timestamp=int(stamp.timestamp()), pdf_tags=False)
        except typst.TypstError as error:
            raise PaperError(f"Typst: {error.diagnostic or error}".strip()) from error
