"""Types shared by all sections of the configuration."""

import difflib
import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MOST = 10**9  # of anything that is counted; larger numbers are typing errors
LONGEST_NAME = 100
MOST_LISTED = 20  # names in a message


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for n, value in enumerate(values):
        if value in values[:n]:
            raise ValueError(f"duplicate {value!r}; remove one")
    return values


Distinct = AfterValidator(_distinct)
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(lambda value: value + 0.0)]  # no -0.0
Count = Annotated[int, Field(ge=1, le=MOST)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def path_safe(name: str) -> str:
    """Names are used as folder names and in commands."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError("a name may hold ASCII letters, digits, '-' and '_' only, and starts with a letter or digit")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"a name may have at most {LONGEST_NAME} characters")
    return name


Name = Annotated[str, AfterValidator(path_safe)]


def not_one_of(name: str, section: str, known: Iterable[str]) -> str:
    """What to say of a name that a section does not have: all that it has, or of a long section the closest."""
    known = [str(other) for other in known]
    if len(known) <= MOST_LISTED:
        allowed = f"allowed: {', '.join(known)}"
    else:
        allowed = f"the closest of {len(known)}: {', '.join(difflib.get_close_matches(name, known, 5, 0))}"
    return f"not one of {section}; {allowed}"


class ConfigError(ValueError):
    """The configuration is wrong; the message names each key, its value and what is allowed."""


class Section(BaseModel):
    """A section of the configuration: no unknown keys, no silent type conversions, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
