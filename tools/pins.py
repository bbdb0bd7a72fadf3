"""`make pins`: write envs/<stage>.<platform>.pin.txt, every package of an environment by its address and checksum.

Needs `conda` and channels that it reaches. A pin file holds conda's packages only, so that what one takes from
pip is installed by envs/<stage>.post-deploy.sh; both are made here. Snakemake finds them by their names.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from bpstudy.files import atomic_path

ENVIRONMENTS = Path(__file__).parents[1] / "envs"


def conda(*arguments: str) -> str:
    try:
        return subprocess.run(["conda", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    except FileNotFoundError:
        sys.exit("conda is not on the PATH")
    except subprocess.CalledProcessError as error:
        sys.exit(f"conda {' '.join(arguments)}: exit code {error.returncode}")


def write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text)
    print(path)


platform = json.loads(conda("info", "--json"))["platform"]
for environment in sorted(ENVIRONMENTS.glob("*.yaml")):
    with tempfile.TemporaryDirectory() as folder:
        prefix = f"{folder}/{environment.stem}"
        conda("env", "create", "--quiet", "--no-default-packages", "--file", str(environment), "--prefix", prefix)
        pins = conda("list", "--explicit", "--md5", "--prefix", prefix)
    write(environment.with_suffix(f".{platform}.pin.txt"), pins)
    by_pip = [d["pip"] for d in yaml.safe_load(environment.read_text())["dependencies"] if isinstance(d, dict)]
    if by_pip:
        write(environment.with_suffix(".post-deploy.sh"), f"python -m pip install --no-deps {' '.join(*by_pip)}\n")
