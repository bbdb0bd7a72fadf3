"""The description of an archive of trajectories as a Data Package: https://datapackage.org/standard/data-package/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bpstudy.data.archived import MANIFEST, SUFFIXES
from bpstudy.files import atomic_path

DESCRIPTION = "datapackage.json"


def describe(archive: Path) -> None:
    """Write `datapackage.json` into an archive: a resource for each system, with its settings, files and checksums.

    The frames are ASE trajectories compressed by xz, which `ase.io.read` opens as they are: positions in Å, energies in
    eV, forces in eV/Å, momenta in ASE's unit.
    """
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "bpstudy-trajectories",
        "title": "Molecular dynamics by density functional theory, for the choice of symmetry functions",
        "licenses": [{"name": "MIT", "path": "https://opensource.org/license/mit"}],
        "resources": [_resource(manifest.parent) for manifest in sorted(archive.glob(f"*/{MANIFEST}"))],
    }
    with atomic_path(archive / DESCRIPTION) as temporary:
        temporary.write_text(json.dumps(package, indent=1, ensure_ascii=False) + "\n")


def _resource(system: Path) -> dict[str, Any]:
    names = [line.split()[-1] for line in (system / MANIFEST).read_text().splitlines()]
    frames = sorted(name for name in names if name.endswith(SUFFIXES[0]))
    record = json.loads((system / frames[-1].replace(SUFFIXES[0], SUFFIXES[2])).read_text())
    made = record["predicate"]["buildDefinition"]["externalParameters"]
    return {
        "name": system.name,
        "description": f"chunks {frames[0][:4]} to {frames[-1][:4]}, each with a record; checksums in {MANIFEST}",
        "path": [f"{system.name}/{name}" for name in frames],
        "format": "traj",
        "mediatype": "application/x-xz",
        "bytes": sum((system / name).stat().st_size for name in frames),
        "made": made,
    }
