"""Compares conda environments with their specification.

If a pin file fails, Snakemake creates the environment from the yaml file, notes it in its log and continues. The
environment is under `.snakemake/conda/<hash>_`, beside copies of the files it was created from.
"""

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Package:
    """A package of an environment; `build` is empty for pip packages, and may be a pattern in a specification."""

    name: str
    version: str
    build: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.name, self.version, self.build)))


def asked(specification: Path) -> list[Package]:
    """The packages that a pin file (`*.pin.txt`) or an environment file (`*.yaml`) names.

    Raises:
        ValueError: an entry of the yaml file is not pinned exactly.
    """
    if specification.suffix == ".txt":
        lines = (line.split("#")[0].strip() for line in specification.read_text().splitlines())
        files = [re.sub(r"(\.conda|\.tar\.bz2)$", "", line.rsplit("/", 1)[1]) for line in lines if "/" in line]
        return [Package(*file.rsplit("-", 2)) for file in files]
    found = []
    for entry in yaml.safe_load(specification.read_text())["dependencies"]:
        for text in entry["pip"] if isinstance(entry, dict) else [entry]:
            exact = re.fullmatch(r"([\w.-]+)(==|=)(\d[\w.]*)(?:=([\w*]+))?", text)
            if exact is None or (exact[2] == "==") != isinstance(entry, dict):
                raise ValueError(f"{specification.name}: {text!r} is not pinned exactly")
            found.append(Package(exact[1], exact[3], exact[4] or ""))
    return found


def installed(prefix: Path) -> list[Package]:
    """The packages of a conda environment: conda's, then those installed by pip only."""
    records = [json.loads(path.read_text()) for path in sorted(prefix.glob("conda-meta/*.json"))]
    found = [Package(record["name"], record["version"], record["build"]) for record in records]
    places = [str(path) for path in prefix.glob("lib/python3*/site-packages")]
    names = {normal(package.name) for package in found}
    by_pip = {normal(d.name): d.version for d in metadata.distributions(path=places)}
    return found + [Package(name, version) for name, version in sorted(by_pip.items()) if name not in names]


def locked(lock: Path) -> list[Package]:
    """The packages of a pip lock."""
    return [Package(*found) for found in re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text(), flags=re.MULTILINE)]


def deviations(prefix: Path, specification: Path) -> list[str]:
    """Deviations of an environment from its specification; empty if there are none."""
    return compared(installed(prefix), asked(specification))


def compared(packages: Iterable[Package], wanted: Iterable[Package]) -> list[str]:
    """Packages that are missing, or whose version or build is not the one wanted."""
    have = {normal(package.name): package for package in packages}
    found = []
    for want in wanted:
        got = have.get(normal(want.name))
        if got is None:
            found.append(f"{want}: missing")
        elif got.version != want.version or not fnmatch.fnmatch(got.build, want.build or "*"):
            found.append(f"{want}: is {got}")
    return found


def check_workflow(folder: Path) -> dict[str, list[str]]:
    """Deviations of every conda environment that Snakemake created in `folder`, by path.

    An environment with a pin file is compared with that.
    """
    found = {}
    for prefix in _made(folder / ".snakemake" / "conda"):
        pins, plain = (prefix.with_name(f"{prefix.name}.{suffix}") for suffix in ("pin.txt", "yaml"))
        found[str(prefix.relative_to(folder))] = deviations(prefix, pins if pins.exists() else plain)
    return found


def _made(conda: Path) -> Iterator[Path]:
    yield from (path.parent for path in sorted(conda.glob("*/conda-meta")))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
