"""Reading of configuration files; where YAML 1.1 reads something other than was probably meant, this is an error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from bpstudy.config.base import ConfigError

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Octal, binary, hexadecimal and sexagesimal integers of YAML 1.1.
_ODD_INTEGERS = re.compile(r"[-+]?(0[0-7_]+|0b[01_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+)")
_KINDS = {"bool": "a truth value", "null": "no value", "int": "a number", "float": "a number", "timestamp": "a date"}


def read_file(path: str | Path) -> dict[Any, Any]:
    """The keys and values of one configuration file.

    Raises:
        ConfigError: no such file, not UTF-8, not YAML, not a mapping, a duplicate key, a key that YAML does not read as
            text, or an octal, hexadecimal or sexagesimal number; the message names the file and the line.
    """
    text = _text(Path(path))
    try:
        root = yaml.compose(text, Loader=_Loader)
        if root is not None and (problems := [f"{path}, {problem}" for problem in _problems(root)]):
            raise ConfigError("\n".join(problems))
        values = yaml.load(text, Loader=_Loader)
    except ConfigError:
        raise
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        hint = "; indent with spaces, not tabs" if "\t" in str(error.problem) or "\\t" in str(error.problem) else ""
        raise ConfigError(f"{path}{line}: not valid YAML: {error.problem}{hint}") from None
    except (yaml.YAMLError, ValueError) as error:  # a date such as 2026-02-30 is a ValueError
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: must hold `key: value` lines, not a {type(values).__name__}")
    return values


def merged(paths: Iterable[str | Path]) -> dict[Any, Any]:
    """Configuration files laid over each other, in order, as Snakemake does it: mappings merge, all else is replaced.

    Raises:
        ConfigError: see `read_file`.
    """
    values: dict[Any, Any] = {}
    for path in paths:
        values = overlay(values, read_file(path))
    return values


def overlay(base: Mapping[Any, Any], above: Mapping[Any, Any]) -> dict[Any, Any]:
    """`above` laid over `base`."""
    result = dict(base)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = overlay(result[key], value) if both else value
    return result


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}, line {line}: not UTF-8 (byte 0x{content[error.start]:02x}); save the file as UTF-8"
        ) from None


def _problems(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            number, empty = key.tag.endswith((":int", ":float")), value.tag.endswith(":null") and not value.value
            if node.flow_style and number and empty:
                yield f"line {key.start_mark.line + 1}: {key.value} is a key without a value; a decimal comma?"
            else:
                yield from _key_problems(key, first)
            yield from _problems(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _problems(item)
    elif isinstance(node, yaml.ScalarNode) and node.tag.endswith(":int") and _is_odd(node):
        meant = yaml.safe_load(node.value)
        yield f"line {node.start_mark.line + 1}: YAML reads {node.value} as {meant}; write {meant}, or quote text"


def _is_odd(node: yaml.ScalarNode) -> bool:
    return not node.style and _ODD_INTEGERS.fullmatch(node.value) is not None


def _key_problems(key: yaml.Node, first: dict[str, int]) -> Iterator[str]:
    line, kind = key.start_mark.line + 1, key.tag.rpartition(":")[2]
    if not isinstance(key, yaml.ScalarNode):
        yield f"line {line}: a key must be text"
    elif kind == "merge":
        return
    elif kind in _KINDS:
        yield f'line {line}: YAML reads the key {key.value} as {_KINDS[kind]}; quote it: "{key.value}"'
    elif key.value in first:
        yield f"line {line}: duplicate key {key.value} (also in line {first[key.value]}); YAML would keep only the last"
    else:
        first[key.value] = line
