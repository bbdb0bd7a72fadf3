"""The record of one job: an in-toto Statement (v1) with an SLSA provenance predicate (v1).

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import bpstudy
from bpstudy.checksums import sha256
from bpstudy.files import atomic_path
from bpstudy.provenance.commit import refusal, repository
from bpstudy.provenance.environment import installed

CONFIGURATION = "BPSTUDY_CONFIGURATION"  # passed to the jobs by the process that starts them


def now() -> str:
    """The time in UTC, ISO 8601 to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def statement(
    rule: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
    outputs: Iterable[str | Path],
    started: str,
    *,
    code: Mapping[str, str] | None = None,
    internal: Mapping[str, Any] | None = None,
    digest: Callable[[str | Path], str] = sha256,
    packages: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What `rule` made, from which inputs and with which software; to be called once the outputs are closed.

    Args:
        rule: name of the workflow's rule.
        parameters: the settings that the job used, seeds included.
        inputs: {file: sha256} of what it read.
        started: `now()` at the job's start.
        code: {file: sha256} of the source files that the results depend on.
        internal: further details of the job.
        digest: returns the hash of an output.
        packages: `versions()`, if already known.
    """
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [resource(str(path), digest(path)) for path in outputs],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"bpstudy/{rule}",
                "externalParameters": dict(parameters),
                "internalParameters": {
                    "threads": os.environ.get("OMP_NUM_THREADS"),
                    "machine": machine(),
                    **surroundings(),
                    **(internal or {}),
                },
                "resolvedDependencies": [
                    *(resource(name, found) for name, found in inputs.items()),
                    *(resource(name, found, "code") for name, found in (code or {}).items()),
                    *repository(_root()),
                ],
            },
            "runDetails": {
                "builder": {"id": "bpstudy", "version": dict(packages or versions())},
                "metadata": {"startedOn": started, "finishedOn": now()},
            },
        },
    }


def hashes(paths: Iterable[str | Path]) -> dict[str, str]:
    """{file: sha256}"""
    return {str(path): sha256(path) for path in paths}


def resource(name: str, digest: str, kind: str | None = None) -> dict[str, Any]:
    """in-toto's ResourceDescriptor of a file."""
    described: dict[str, Any] = {"name": name, "digest": {"sha256": digest}}
    return described | ({"annotations": {"kind": kind}} if kind else {})


def as_json(record: Mapping[str, Any]) -> bytes:
    """The content of a record's file, whose hash is its name."""
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()


def write(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(as_json(record))


def versions(kept: Path | None = None) -> dict[str, str]:
    """Versions of Python and of every package installed beside it (each conda environment holds its stage's only).

    Args:
        kept: folder in which they are cached until a package is installed or removed.
    """
    places = [(place, Path(place).stat().st_mtime_ns) for place in sys.path if any(Path(place).glob("*.*-info"))]
    state = json.dumps([sys.version, sys.prefix, bpstudy.__version__, places])
    file = kept / f"{hashlib.sha256(state.encode()).hexdigest()[:32]}.json" if kept else None
    if file and file.exists():
        return json.loads(file.read_text())
    found = {"python": platform.python_version()}
    for package in sorted(importlib.metadata.distributions(), key=lambda package: package.name.lower()):
        found.setdefault(package.name, package.version)  # the first on the path is the one imported
    found["bpstudy"] = bpstudy.__version__
    if file:
        with atomic_path(file) as temporary:
            temporary.write_text(json.dumps(found))
    return found


def machine() -> dict[str, Any]:
    """Processor, cores and system of this machine."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = lines[0].split(":", 1)[1].strip() if lines else cpu
    return {"processor": cpu, "cores": os.cpu_count(), "system": platform.platform()}


def surroundings() -> dict[str, Any]:
    """What was laid over config.yaml, the job of the queue, the conda packages, and why the commit is not known."""
    told = os.environ.get(CONFIGURATION)
    configuration = {"configuration": json.loads(told)} if told else {}
    queue = {key: os.environ[key] for key in ("SLURM_JOB_ID", "SLURMD_NODENAME") if key in os.environ}
    prefix = Path(sys.prefix)
    conda = [str(package) for package in installed(prefix)] if (prefix / "conda-meta").is_dir() else []
    reason = refusal(_root())
    unknown = {"commitUnknown": reason} if reason else {}
    return configuration | unknown | ({"slurm": queue} if queue else {}) | ({"conda": conda} if conda else {})


def _root() -> Path:
    """The folder of the repository, if this package was not installed without it."""
    return Path(bpstudy.__file__).parents[2]
