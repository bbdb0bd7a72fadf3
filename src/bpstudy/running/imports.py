"""The import graph of the package: the source files that a stage's results depend on."""

import ast
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[1]


def modules_behind(*modules: str) -> list[Path]:
    """Source files of `modules` (dotted names within bpstudy) and of every bpstudy module they import, sorted.

    Raises:
        ValueError: no such module.
    """
    found: set[Path] = set()
    waiting = [_source(package) for name in modules for package in _with_packages(name)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imported(path))
    return sorted(found)


def _source(name: str) -> Path:
    path = _find(name)
    if path is None:
        raise ValueError(f"no module {name}")
    return path


def _find(name: str) -> Path | None:
    place = SOURCE.parent.joinpath(*name.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:  # relative imports are not used here
            names.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    ours = {name for name in names if name.split(".")[0] == "bpstudy"}
    loaded = {package for name in ours for package in _with_packages(name)}
    return tuple(source for name in sorted(loaded) if (source := _find(name)) is not None)


def _with_packages(name: str) -> list[str]:
    """Importing a.b.c runs a and a.b as well."""
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
