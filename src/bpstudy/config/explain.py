"""From pydantic's errors to messages that name the key, its value, what is allowed and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from bpstudy.config.stated import STATED

WRONG = "the configuration is wrong; nothing was run"
MOST_PROBLEMS = 100  # of one error, in full
_NAMED = ("systems", "frames", "experiments", "optimizers", "protocols", "blocks")  # sections whose keys are free
_NUMBER_TYPES = ("float_type", "int_type", "int_from_float")


def explain(error: ValidationError, values: Mapping[str, Any]) -> str:
    """One line per problem, below a line that says that nothing was run."""
    lines = []
    for problem in error.errors():
        keys = _keys(problem["loc"], values)
        if problem["type"] == "missing":
            keys.append(str(problem["loc"][-1]))
        key = ".".join(keys)
        text = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            text = "unknown key; remove it or correct its spelling" + _similar(keys, values)
        if not key or problem["type"] == STATED:  # a check over several sections names its keys itself
            lines.extend(text.splitlines())
        elif problem["type"] == "missing":
            lines.append(f"{key}: is missing{_similar(keys[:2], values) if keys[0] in _NAMED else ''}")
        elif problem["type"] == "value_error" and isinstance(problem["input"], Mapping):  # it names keys of the section
            lines.append(f"{key}: {text}")
        else:
            advice = hint(problem)
            lines.append(f"{key} = {_shorten(problem['input'])}: {text}{'; ' + advice if advice else ''}")
    return under_heading([*lines[:MOST_PROBLEMS], *_cut_short(lines), *_left_out(values, lines)])


def _cut_short(lines: Sequence[str]) -> list[str]:
    return [f"… and {len(lines) - MOST_PROBLEMS} more of these"] if len(lines) > MOST_PROBLEMS else []


def _left_out(values: Mapping[str, Any], lines: Iterable[str]) -> Iterator[str]:
    """Why a name may be missing although the configuration has it."""
    if any(" not one of " in line for line in lines):
        for section in ("systems", "frames"):
            entries = values.get(section)
            for name in [name for name, entry in entries.items() if entry is None] if isinstance(entries, dict) else ():
                yield f"{section}.{name} = null: leaves out all that is trained on it; leave out what names that, too"


def under_heading(lines: Iterable[str]) -> str:
    """Problems, one a line, below a line that says that nothing was run."""
    return WRONG + "\n" + "\n".join(f"  {line}" for line in lines)


def _similar(keys: list[str], values: Any) -> str:
    """A key beside the last of `keys` that may have been meant."""
    for key in keys[:-1]:
        values = values.get(key) if isinstance(values, Mapping) else None
    others = [str(key) for key in values if key != keys[-1]] if isinstance(values, Mapping) else []
    close = difflib.get_close_matches(keys[-1], others, 1, 0.7) if keys else []
    return f" (did you mean {close[0]}?)" if close else ""


def hint(problem: Mapping[str, Any]) -> str:
    """What to write instead, where YAML read something else than was meant; empty where nothing is known."""
    given, kind = problem["input"], problem["type"]
    if kind in _NUMBER_TYPES and isinstance(given, str):
        return _number_hint(given, whole=kind != "float_type")
    if kind in ("int_type", "int_from_float") and isinstance(given, float):
        return f"write {given:.0f}, without a decimal point" if given.is_integer() else ""
    if isinstance(given, bool) and kind in ("string_type", "literal_error", "enum", *_NUMBER_TYPES):
        words = "Yes, On or True" if given else "No, Off or False"
        quoted = ': write it in quotes, "No" for nobelium' if kind == "string_type" and not given else ""
        quoted = quoted or (": write it in quotes" if kind == "string_type" else "")
        return f"YAML reads {words} without quotes as a truth value{quoted}"
    if kind == "string_type" and isinstance(given, int | float):
        return f'YAML reads it as a number: write it in quotes, "{given}"'
    if kind == "string_type" and given is None:
        return "YAML reads nothing, ~ and null as no value: write text in quotes"
    return ""


def _number_hint(text: str, whole: bool) -> str:
    """For text where a number is meant."""
    plain = text.strip().replace("\u2212", "-").replace("\u00a0", "").replace("_", "")
    number = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
    if re.fullmatch(number, plain):
        if "e" in plain.lower() and not whole:
            return f"YAML 1.1 reads this as text: write {_yaml_float(plain)}"
        value = Decimal(plain)
        written = str(int(value)) if value == value.to_integral_value() and abs(value) < 10**15 else plain
        return f"it is text: write {written}, without quotes"
    if re.fullmatch(r"[-+]?\d+,\d+", plain):
        return f"a decimal comma is not a number in YAML: write {plain.replace(',', '.')}"
    with_unit = re.fullmatch(rf"({number})\s*[^\d\s.,].*", plain)
    if with_unit:
        return f"write {with_unit[1]} alone: the unit is part of the key's name"
    return ""


def _yaml_float(text: str) -> str:
    """With a point and a signed exponent, as YAML 1.1 wants it: 1e-3 → 1.0e-3."""
    mantissa, exponent = text.lower().split("e")
    if "." not in mantissa:
        mantissa += ".0"
    elif mantissa.endswith("."):
        mantissa += "0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else '+' + exponent}"


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
