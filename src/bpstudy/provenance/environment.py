"""Is a conda environment what it was asked to be?

Where a pin file fails, Snakemake makes the environment from the yaml file, says so in its log and goes on. What it made
lies under `.snakemake/conda/<hash>_`, beside copies of the files that it made it from.
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
    """A package of an environment; `build` is empty for one of pip, and may be a pattern in what is asked for."""

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
    """The packages of a conda environment: conda's, then those of pip that conda does not have."""
    records = [json.loads(path.read_text()) for path in sorted(prefix.glob("conda-meta/*.json"))]
    found = [Package(record["name"], record["version"], record["build"]) for record in records]
    places = [str(path) for path in prefix.glob("lib/python3*/site-packages")]
    names = {_normal(package.name) for package in found}
    by_pip = {_normal(d.name): d.version for d in metadata.distributions(path=places)}
    return found + [Package(name, version) for name, version in sorted(by_pip.items()) if name not in names]


def locked(lock: Path) -> list[Package]:
    """The packages of a pip lock."""
    return [Package(*found) for found in re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text(), flags=re.MULTILINE)]


def deviations(prefix: Path, specification: Path) -> list[str]:
    """What an environment has otherwise than asked; empty if all is as asked."""
    return compared(installed(prefix), asked(specification))


def compared(packages: Iterable[Package], wanted: Iterable[Package]) -> list[str]:
    """Which packages are missing, or of another version or build than wanted."""
    have = {_normal(package.name): package for package in packages}
    found = []
    for want in wanted:
        got = have.get(_normal(want.name))
        if got is None:
            found.append(f"{want}: missing")
        elif got.version != want.version or not fnmatch.fnmatch(got.build, want.build or "*"):
            found.append(f"{want}: is {got}")
    return found


def check_workflow(folder: Path) -> dict[str, list[str]]:
    """Deviations of every conda environment that Snakemake made in `folder`, by its path; none if it is as asked.

    Where there is a pin file, the environment is compared with that.
    """
    found = {}
    for prefix in _made(folder / ".snakemake" / "conda"):
        pins, plain = (prefix.with_name(f"{prefix.name}.{suffix}") for suffix in ("pin.txt", "yaml"))
        found[str(prefix.relative_to(folder))] = deviations(prefix, pins if pins.exists() else plain)
    return found


def _made(conda: Path) -> Iterator[Path]:
    yield from (path.parent for path in sorted(conda.glob("*/conda-meta")))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
