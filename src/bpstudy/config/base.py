"""What all sections of the configuration share."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _path_safe(name: str) -> str:
    """Names become folder names and parts of commands."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError("a name may hold letters, digits, '-' and '_' only, and starts with a letter or digit")
    return name


Name = Annotated[str, AfterValidator(_path_safe)]


class ConfigError(ValueError):
    """The configuration is wrong; the message names each key, its value and what is allowed."""


class Section(BaseModel):
    """A part of the configuration: no unknown keys, no silent conversion of types, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
