"""A stand-in for `conda`: the commands that Snakemake and `make pins` give, carried out by py-rattler.

The channel `conda-forge` is the folder that CONDA_CHANNEL names. What it takes from pip is left out.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

import rattler
import yaml

BASE = Path(os.environ["CONDA_BASE"])
CHANNEL = Path(os.environ["CONDA_CHANNEL"])
PLATFORM = "linux-64"


async def solve(environment: Path) -> list:
    wanted = [entry for entry in yaml.safe_load(environment.read_text())["dependencies"] if isinstance(entry, str)]
    specs = []
    for entry in wanted:  # name=version=build, where the version may go on, as conda reads it
        name, version, *build = entry.split("=")
        specs.append(rattler.MatchSpec(" ".join([name, f"{version}.*", *build])))
    return await rattler.solve(
        sources=[str(CHANNEL)],
        specs=specs,
        platforms=[PLATFORM, "noarch"],
        virtual_packages=rattler.VirtualPackage.detect(),
    )


async def exactly(pins: Path) -> list:
    """The records of the addresses in a pin file; one that is not there, or of another checksum, ends the program."""
    known = await rattler.Gateway().query(
        sources=[str(CHANNEL)], platforms=["noarch"], specs=all_names(), recursive=False
    )
    by_url = {record.url: record for records in known for record in records}
    found = []
    for line in pins.read_text().splitlines():
        url, _, md5 = line.strip().partition("#")
        if not url or url.startswith("@"):
            continue
        if url not in by_url:
            sys.exit(f"PackagesNotFoundError: {url}")
        if md5 and by_url[url].md5.hex() != md5:
            sys.exit(f"ChecksumMismatchError: {url}")
        found.append(by_url[url])
    return found


def all_names() -> list:
    repodata = json.loads((CHANNEL / "noarch/repodata.json").read_text())
    records = [*repodata.get("packages", {}).values(), *repodata.get("packages.conda", {}).values()]
    return sorted({record["name"] for record in records})


async def create(file: Path, prefix: Path, explicit: bool) -> None:
    records = await (exactly(file) if explicit else solve(file))
    await rattler.install(records, prefix, show_progress=False, cache_dir=BASE / "pkgs")


def explicit_list(prefix: Path) -> str:
    lines = ["@EXPLICIT"]
    for path in sorted(prefix.glob("conda-meta/*.json")):
        record = json.loads(path.read_text())
        lines.append(f"{record['url']}#{record['md5']}")
    return "\n".join(lines)


command, rest = sys.argv[1:2], sys.argv[2:]
if command == ["env"]:
    command, rest = ["env", *rest[:1]], rest[1:]
options = argparse.ArgumentParser()
options.add_argument("--file", type=Path)
options.add_argument("--prefix", type=Path)
for flag in ("--quiet", "--yes", "--no-default-packages", "--explicit", "--md5"):
    options.add_argument(flag, action="store_true")
match command:
    case ["--version"]:
        print("conda 26.9.4")
    case ["info"]:
        print(json.dumps({"conda_prefix": str(BASE), "platform": PLATFORM}))
    case ["config"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    case ["clean"]:
        pass
    case ["create"] | ["env", "create"]:
        chosen = options.parse_args(rest)
        asyncio.run(create(chosen.file, chosen.prefix, explicit=command == ["create"]))
    case ["list"]:
        print(explicit_list(options.parse_args(rest).prefix))
    case _:
        sys.exit(f"the stand-in for conda does not know: {' '.join(sys.argv[1:])}")
sys.stdout.flush()
os._exit(0)  # not by the interpreter's own end, in which threads of py-rattler crash now and then
