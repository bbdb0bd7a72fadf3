"""The lineage of a result: what it was made from. Without times and machines, so that equal results share theirs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def lineage_of(
    rule: str,
    wildcards: Mapping[str, str],
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
    code: Mapping[str, str],
) -> str:
    """The compact JSON of a job's rule, parameters, and the hashes of its inputs and source files."""
    described = {
        "rule": rule,
        "wildcards": dict(wildcards),
        "parameters": dict(parameters),
        "inputs": dict(inputs),
        "code": dict(code),
    }
    return json.dumps(described, sort_keys=True, separators=(",", ":"))


def lineage_id(lineage: str) -> str:
    """The name of a lineage: its SHA-256."""
    return hashlib.sha256(lineage.encode()).hexdigest()
