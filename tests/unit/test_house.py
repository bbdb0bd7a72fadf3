"""The package's folders stand in the order in which data flow, as CONTRIBUTING.md draws them; no import runs back."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/bpstudy"
TREE = re.search(r"^src/bpstudy/\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S)
assert TREE
STAGES = [line.split()[0].removesuffix("/").removesuffix(".py") for line in TREE.group(1).splitlines()]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def stage_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_stages(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update([f"{node.module}.{alias.name}" for alias in node.names])
    return {name.split(".")[1] for name in names if name.startswith("bpstudy.")} - {"__version__"}


def test_the_tree_in_contributing_names_every_folder():
    assert {stage_of(path) for path in MODULES} <= set(STAGES)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_import_runs_against_the_flow(path):
    own = STAGES.index(stage_of(path))
    assert {name for name in imported_stages(path) if STAGES.index(name) > own} == set()


def test_no_script_has_the_name_of_a_library():
    """`python workflow/scripts/name.py` puts that folder first on the path: coverage.py hid a library from Numba."""
    libraries = set(packages_distributions()) | sys.stdlib_module_names
    assert {path.stem for path in ROOT.glob("workflow/scripts/**/*.py")} & libraries == set()
