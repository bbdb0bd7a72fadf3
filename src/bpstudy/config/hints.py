"""What to write instead, where YAML read something else than was meant."""

from __future__ import annotations

import re
from decimal import Decimal

from pydantic_core import ErrorDetails

_NUMBER_TYPES = ("float_type", "int_type", "int_from_float")


def hint(problem: ErrorDetails) -> str:
    """Advice on one of pydantic's errors; empty where there is none."""
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
