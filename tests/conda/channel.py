"""Build a conda channel on this disk: channel.py FOLDER PYTHON ENVIRONMENT.yaml ...

It holds a package of every name and version that the environments ask conda for. They are empty but for `python`, whose
interpreter notes which environment it was started in, and then is PYTHON: so a rule has the libraries that it computes
with.
"""

import asyncio
import datetime
import re
import sys
import tempfile
from pathlib import Path

import rattler_build
import yaml
from rattler.index import index_fs

INTERPRETER = """#!/bin/sh
[ -z "$CONDA_WITNESS" ] || echo "$CONDA_PREFIX ${PYTHONPATH%%:*} $*" >> "$CONDA_WITNESS"
exec PYTHON "$@"
"""


def build(channel: Path, name: str, version: str, build_string: str, files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as stage:
        for path, text in {f"share/{name}.txt": version, **files}.items():
            target = Path(stage, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(0o755)
        rattler_build.assemble_package(
            name,
            version,
            "noarch",
            build_string,
            channel / "noarch",
            files_dir=Path(stage),
            noarch="generic",
            timestamp=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        )


channel, python, *environments = map(Path, sys.argv[1:])
(channel / "noarch").mkdir(parents=True)
wanted = set()
for environment in environments:
    entries = yaml.safe_load(environment.read_text())["dependencies"]
    wanted |= {entry for entry in entries if isinstance(entry, str)}
for entry in sorted(wanted):
    name, version, build_string = re.fullmatch(r"([\w.-]+)=([\w.]+)(?:=([\w*]+))?", entry).groups()
    files = {"bin/python": INTERPRETER.replace("PYTHON ", f"{python} ")} if name == "python" else {}
    build(channel, name, version, (build_string or "0").rstrip("*") or "0", files)
build(channel, "seaborn", "0.0.1", "0", {})  # another version of something
asyncio.run(index_fs(channel))
