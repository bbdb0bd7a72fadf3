"""A recorded job against today's workflow: its settings and its software."""

from __future__ import annotations

from pathlib import Path

from bpstudy.provenance.edges import Edge, Verdict
from bpstudy.provenance.environment import Package, asked, compared, locked, normal
from bpstudy.provenance.store import Record
from bpstudy.provenance.workflow import Planned, comparable, differences

LOCK = Path("requirements.lock")


def settings_edge(record: Record, planned: Planned | None, *, archived: bool = False) -> Edge:
    """The parameters and the names of inputs; of an archived job not the source files, which move on without it."""
    if planned is None:
        name = next(iter(record.outputs), record.rule)
        return Edge("settings", record.rule, Verdict.MISSING, f"this rule no longer makes {name}")
    found = list(differences(comparable(record), planned.parameters))
    known = {*record.inputs, *record.code}
    if record.code:  # a record from before source files were recorded tells less of its inputs
        now = [name for name in planned.inputs if not (archived and name.endswith(".py"))]
        found += [f"{name} was not an input then" for name in now if name not in known]
        found += [f"{name} is no longer an input" for name in record.inputs if name not in planned.inputs]
    return Edge("settings", record.rule, Verdict.CHANGED if found else Verdict.OK, "; ".join(found))


def environment_edge(record: Record, planned: Planned | None, *, archived: bool = False) -> Edge:
    """The packages the job found, compared with the pins of its conda environment or else with the lock.

    Of an archived job only those that its rule's environment file names: it outlives new versions of the others.
    """
    conda = [Package(*text.split()) for text in record.internal.get("conda", [])]
    if conda and (planned is None or planned.environment is None):
        return Edge("environment", "conda", Verdict.UNVERIFIABLE, "the environment of the rule is not known")
    pins = _conda_pins(planned.environment) if conda and planned and planned.environment else LOCK
    if not record.versions:
        return Edge("environment", str(pins), Verdict.UNVERIFIABLE, "the versions are not known")
    if not pins.is_file():
        return Edge("environment", str(pins), Verdict.UNVERIFIABLE, "is not here")
    if conda:
        found = compared(conda, asked(pins))
    else:  # packages that the lock has for other platforms or for tests may be missing
        have = [Package(*item) for item in record.versions.items()]
        wanted = locked(LOCK)
        if archived and planned and planned.environment:
            named = {normal(package.name) for package in asked(Path("envs", planned.environment))}
            wanted = [package for package in wanted if normal(package.name) in named]
        found = [text for text in compared(have, wanted) if not text.endswith(": missing")]
    return Edge("environment", str(pins), Verdict.CHANGED if found else Verdict.OK, "; ".join(found))


def _conda_pins(name: str) -> Path:
    """The pin file of a conda environment, if any: Snakemake was meant to use it."""
    yaml = Path("envs", name)
    exact = yaml.with_name(f"{yaml.stem}.linux-64.pin.txt")
    return exact if exact.is_file() else yaml
