"""A small project with a Snakefile of two rules, whose jobs are recorded as those of the study are."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

from snakemake.iocontainers import InputFiles, OutputFiles, Params, Wildcards

SNAKEFILE = """
configfile: "config.yaml"

rule table:
    input: data="data.txt", code=["code/table.py"]
    output: "results/tables/{name}.csv"
    conda: "envs/table.yaml"
    params: seed=lambda w: config["seeds"][w.name], size=config["size"]
    script: "code/table.py"

rule figure:
    input: table="results/tables/{name}.csv", code=["code/figure.py"]
    output: "results/figures/{name}.png", "results/figures/{name}.svg", "results/figures/{name}.pdf"
    params: dpi=config["dpi"]
    script: "code/figure.py"
"""
CONFIG = "seeds: {one: 1, two: 2}\nsize: 5\ndpi: 50\n"
TABLE = """
from pathlib import Path
import numpy as np
import pandas as pd
from bpstudy.provenance.recording import recorded
with recorded(snakemake):
    values = np.random.default_rng(snakemake.params.seed).normal(size=snakemake.params.size)
    values += float(Path(snakemake.input.data).read_text())
    Path(snakemake.output[0]).parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"value": values}).to_csv(snakemake.output[0])
"""
FIGURE = """
import pandas as pd
from matplotlib.figure import Figure
from bpstudy.figures.style import save
from bpstudy.provenance.recording import recorded
with recorded(snakemake):
    figure = Figure(figsize=(2, 2))
    figure.subplots().plot(pd.read_csv(snakemake.input.table)["value"])
    save(figure, snakemake.output, snakemake.params.dpi)
"""
LOCK = Path(__file__).parents[2] / "requirements.lock"


def make(folder: Path) -> None:
    """Write the sources of the project; the working directory must be `folder` when jobs run."""
    for name, text in {
        "Snakefile": SNAKEFILE,
        "config.yaml": CONFIG,
        "data.txt": "3.5\n",
        "code/table.py": TABLE,
        "code/figure.py": FIGURE,
        "requirements.lock": LOCK.read_text(),
        "envs/table.yaml": "dependencies: [numpy=2.4.6=py311*]\n",
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def run_table(name: str, seed: int, size: int = 5) -> None:
    """The job of the rule `table`, as Snakemake runs it."""
    _run("code/table.py", _job("table", name, {"seed": seed, "size": size}))


def run_figure(name: str, dpi: int = 50) -> None:
    """The job of the rule `figure`."""
    _run("code/figure.py", _job("figure", name, {"dpi": dpi}))


def _run(script: str, job: SimpleNamespace) -> None:
    exec(compile(Path(script).read_text(), script, "exec"), {"snakemake": job})


def run_all() -> None:
    for name, seed in (("one", 1), ("two", 2)):
        run_table(name, seed)
        run_figure(name)


def commit(folder: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")


def git(folder: Path, *arguments: str | Path) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True)


def _job(rule: str, name: str, params: dict) -> SimpleNamespace:
    """What Snakemake gives a script."""
    if rule == "table":
        given, made = {"data": "data.txt", "code": ["code/table.py"]}, [f"results/tables/{name}.csv"]
    else:
        given = {"table": f"results/tables/{name}.csv", "code": ["code/figure.py"]}
        made = [f"results/figures/{name}.{kind}" for kind in ("png", "svg", "pdf")]
    inputs = InputFiles()
    for key, value in given.items():
        values = [value] if isinstance(value, str) else value
        start = len(inputs)
        inputs.extend(values)
        inputs._set_name(key, start, end=None if isinstance(value, str) else len(inputs))
    return SimpleNamespace(
        rule=rule,
        input=inputs,
        output=OutputFiles(toclone=made),
        params=Params(fromdict=params),
        wildcards=Wildcards(fromdict={"name": name}),
        threads=1,
    )
