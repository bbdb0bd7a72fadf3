"""`bpstudy.provenance.environment`: what a conda environment has, compared with what it was asked to have."""

import json

import pytest

from bpstudy.provenance.environment import Package, asked, check_workflow, deviations, installed

YAML = """
channels: [conda-forge]
dependencies:
  - python=3.11.15
  - gpaw=25.7.0=py311_mpi_openmpi*
  - pip:
      - gpaw-data==1.2.1
"""
PINS = "@EXPLICIT\n/mirror/linux-64/python-3.11.15-h1_0.conda#0123\n# note\n/mirror/noarch/a-b-1.0-py_1.tar.bz2\n"


@pytest.fixture
def prefix(tmp_path):
    """An environment as Snakemake lays it out: add(package) installs one, remove(name) takes it away."""
    folder = tmp_path / ".snakemake/conda/abc_"
    (folder / "conda-meta").mkdir(parents=True)
    for package in (Package("python", "3.11.15", "h1_0"), Package("gpaw", "25.7.0", "py311_mpi_openmpi_0")):
        put(folder, package)
    by_pip = folder / "lib/python3.11/site-packages/gpaw_data-1.2.1.dist-info"
    by_pip.mkdir(parents=True)
    (by_pip / "METADATA").write_text("Name: gpaw_data\nVersion: 1.2.1\n")
    return folder


def put(prefix, package):
    record = {"name": package.name, "version": package.version, "build": package.build}
    (prefix / f"conda-meta/{package.name}.json").write_text(json.dumps(record))


@pytest.fixture
def environment(tmp_path):
    path = tmp_path / "dft.yaml"
    path.write_text(YAML)
    return path


def test_what_is_asked_for(environment, tmp_path):
    assert asked(environment) == [
        Package("python", "3.11.15"),
        Package("gpaw", "25.7.0", "py311_mpi_openmpi*"),
        Package("gpaw-data", "1.2.1"),
    ]
    pins = tmp_path / "dft.linux-64.pin.txt"
    pins.write_text(PINS)
    assert asked(pins) == [Package("python", "3.11.15", "h1_0"), Package("a-b", "1.0", "py_1")]


def test_what_is_installed(prefix):
    assert {package.name for package in installed(prefix)} == {"python", "gpaw", "gpaw-data"}


def test_an_environment_as_asked(prefix, environment):
    assert deviations(prefix, environment) == []


@pytest.mark.parametrize(
    ("package", "said"),
    [
        (Package("python", "3.11.14", "h1_0"), "python 3.11.15: is python 3.11.14 h1_0"),
        (Package("gpaw", "25.7.0", "py311_nompi_0"), "gpaw 25.7.0 py311_mpi_openmpi*: is gpaw 25.7.0 py311_nompi_0"),
    ],
)
def test_another_version_or_build(prefix, environment, package, said):
    put(prefix, package)
    assert deviations(prefix, environment) == [said]


def test_a_missing_package(prefix, environment):
    (prefix / "conda-meta/gpaw.json").unlink()
    assert deviations(prefix, environment) == ["gpaw 25.7.0 py311_mpi_openmpi*: missing"]


def test_the_pin_file_rules_where_there_is_one(prefix, tmp_path):
    prefix.with_name("abc_.yaml").write_text(YAML)
    assert check_workflow(tmp_path) == {".snakemake/conda/abc_": []}
    prefix.with_name("abc_.pin.txt").write_text(PINS)
    assert check_workflow(tmp_path) == {".snakemake/conda/abc_": ["a-b 1.0 py_1: missing"]}
