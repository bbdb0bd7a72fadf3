"""What pydantic found wrong, as lines that name the key, its value and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from bpstudy.config.hints import hint
from bpstudy.config.stated import STATED

WRONG = "the configuration is wrong; nothing was run"


def explained(error: ValidationError, values: Mapping[str, Any]) -> str:
    """A line for each mistake in the configuration `values`."""
    lines = []
    for problem in error.errors():
        keys = _keys(problem["loc"], values)
        if problem["type"] == "missing":
            keys.append(str(problem["loc"][-1]))
        key = ".".join(keys)
        text = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            text = "unknown key; remove it or correct its spelling"
        if not key or problem["type"] == STATED:  # a check over several sections names its keys itself
            lines.extend(text.splitlines())
        elif problem["type"] == "missing":
            lines.append(f"{key}: is missing")
        else:
            advice = hint(problem)
            lines.append(f"{key} = {_shorten(problem['input'])}: {text}{'; ' + advice if advice else ''}")
    return under_heading(lines)


def under_heading(lines: Iterable[str]) -> str:
    return WRONG + "\n" + "\n".join(f"  {line}" for line in lines)


def _keys(location: Iterable[int | str], values: Any) -> list[str]:
    """The keys of `location` that `values` has; pydantic puts the names of models between them."""
    keys = []
    for part in location:
        try:
            values = values[part]
        except (KeyError, TypeError, IndexError):
            continue
        keys.append(str(part))
    return keys


def _shorten(value: Any, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
