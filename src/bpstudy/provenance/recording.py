"""Recording of the workflow's jobs: hashes of all they read and wrote, with what, where and when."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bpstudy.checksums import sha256
from bpstudy.provenance import record
from bpstudy.provenance.digests import DigestCache, fingerprint
from bpstudy.provenance.embed import FORMATS, embed
from bpstudy.provenance.lineage import lineage_of
from bpstudy.provenance.store import FOLDER, Store


def share_configuration(files: Sequence[Path], values: dict[str, Any]) -> None:
    """Let the jobs started by this process record the overlays on config.yaml."""
    names = [os.path.relpath(file) for file in files]
    os.environ[record.CONFIGURATION] = json.dumps({"files": names, "values": plain(values)})


@contextmanager
def recorded(snakemake: Any, results: Path = Path("results")) -> Iterator[Any]:
    """Record a job that ends without an error, and embed the lineage in its pictures.

    Args:
        snakemake: the object that Snakemake passes to the job's script.

    Raises:
        ValueError: an input was changed while the job ran.
    """
    started, clock, start_up = record.now(), time.perf_counter(), _processor_seconds()
    store, digest = Store(results), DigestCache(results / FOLDER / "digests")
    sources = {*map(str, snakemake.input.get("code", [])), *_script()}
    given = dict.fromkeys([*map(str, snakemake.input), *_script()])
    before = {name: fingerprint(name) for name in given}
    digests = {name: digest(name) for name in given}
    seconds = time.perf_counter() - clock
    yield snakemake
    clock = time.perf_counter()
    changed = [name for name in given if fingerprint(name) != before[name] and sha256(name) != digests[name]]
    if changed:
        raise ValueError(
            f"{', '.join(changed)}: changed while the job ran, so that its input is not known; run it again"
        )
    made = {
        "rule": snakemake.rule,
        "parameters": plain(dict(snakemake.params.items())),
        "inputs": {name: found for name, found in digests.items() if name not in sources},
        "code": {name: found for name, found in digests.items() if name in sources},
    }
    wildcards = dict(snakemake.wildcards.items())
    outputs = [*map(str, snakemake.output)]
    for path in outputs:
        if Path(path).suffix in FORMATS:
            embed(Path(path), lineage_of(**made, wildcards=wildcards))
    statement = record.statement(
        **made,
        outputs=outputs,
        started=started,
        internal={"wildcards": wildcards, "threads": snakemake.threads},
        digest=digest,
        packages=record.versions(results / FOLDER / "environments"),
    )
    seconds += time.perf_counter() - clock
    statement["predicate"]["runDetails"]["metadata"] |= {
        "recordingSeconds": round(seconds, 4),
        "startUpProcessorSeconds": round(start_up, 2),
        "processorSeconds": round(_processor_seconds(), 2),
    }
    store.add(statement)


def _processor_seconds() -> float:
    """User and system time of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


def plain(value: Any) -> Any:
    """The value after a round trip through JSON."""
    return json.loads(json.dumps(value, default=str))


def _script() -> list[str]:
    """The script that runs, as Snakemake's preamble names it."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    return [os.path.relpath(file)] if file else []
