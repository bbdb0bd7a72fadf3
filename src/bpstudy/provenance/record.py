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
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import bpstudy
from bpstudy.checksums import sha256
from bpstudy.files import atomic_path

PACKAGES = (
    "ase",
    "gpaw",
    "gpaw-data",
    "keras",
    "numba",
    "numpy",
    "scipy",
    "snakemake",
    "tensorflow-cpu",
    "vesin",
)


def now() -> str:
    """The time in UTC, ISO 8601 to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def statement(
    rule: str,
    parameters: Mapping[str, Any],
    inputs: Iterable[str | Path],
    outputs: Iterable[str | Path],
    started: str,
) -> dict[str, Any]:
    """What `rule` made from what, with what: to be called when the outputs are closed.

    Args:
        rule: name of the workflow's rule.
        parameters: the settings that the job used, seeds included.
        started: `now()` at the job's start.
    """
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [_resource(path) for path in outputs],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"bpstudy/{rule}",
                "externalParameters": dict(parameters),
                "internalParameters": {"threads": os.environ.get("OMP_NUM_THREADS"), "machine": machine()},
                "resolvedDependencies": [_resource(path) for path in inputs] + _code(),
            },
            "runDetails": {
                "builder": {"id": "bpstudy", "version": versions()},
                "metadata": {"startedOn": started, "finishedOn": now()},
            },
        },
    }


def write(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on, as far as they are installed."""
    found = {"python": platform.python_version(), "bpstudy": bpstudy.__version__}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # each conda environment holds its stage's packages only
            continue
    return found


def machine() -> dict[str, Any]:
    """Processor, cores and system of this machine."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = lines[0].split(":", 1)[1].strip() if lines else cpu
    return {"processor": cpu, "cores": os.cpu_count(), "system": platform.platform()}


def _resource(path: str | Path) -> dict[str, Any]:
    return {"name": str(path), "digest": {"sha256": sha256(path)}}


def _code() -> list[dict[str, Any]]:
    """The commit this package stands at, and the hash of what is not committed."""
    folder = Path(bpstudy.__file__).parent
    try:
        commit = _git(folder, "rev-parse", "HEAD").decode().strip()
        difference = _git(folder, "diff", "HEAD", "--", ".")
    except (OSError, subprocess.CalledProcessError):  # installed without its repository
        return []
    digest = {"gitCommit": commit}
    if difference:
        digest["uncommittedSha256"] = hashlib.sha256(difference).hexdigest()
    return [{"name": "bpstudy", "digest": digest}]


def _git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True).stdout
