"""Experiments as they are written: a set of functions × a protocol, and what differs from the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, GetPydanticSchema, Tag, ValidationInfo, create_model
from pydantic_core import PydanticCustomError, core_schema

from bpstudy.config.base import Name, Section, not_one_of
from bpstudy.config.experiments import Experiment, Protocol
from bpstudy.config.functions import Block

STATED = "stated"  # type of the errors that name their keys themselves


def _by_name(value: Any) -> str:
    return "name" if isinstance(value, str) else "content"


# The names of models that a section of its own holds, or their content.
NamedBlock = Annotated[
    Annotated[Name, Tag("name")] | Annotated[Block, Tag("content")],
    Discriminator(_by_name),
]
Blocks = Annotated[tuple[NamedBlock, ...], Field(strict=False, min_length=1)]
NamedBlocks = Annotated[Annotated[Name, Tag("name")] | Annotated[Blocks, Tag("content")], Discriminator(_by_name)]


def _optional(protocol: type[Protocol]) -> dict[str, Any]:
    """The fields of a protocol, each of which an entry may leave out."""
    return {
        name: (Annotated[(field.annotation, *field.metadata, Field(description=field.description))], None)
        for name, field in protocol.model_fields.items()
    }


Stated = create_model(
    "Stated",
    __base__=Section,
    __doc__="An experiment as it is written: it is the protocol's where it says nothing itself.",
    functions=(NamedBlocks, Field(description="a key of functions, or blocks of symmetry functions")),
    protocol=(Name | None, Field(default=None, description="a key of protocols; null: every key is written here")),
    **_optional(Protocol),
)


def combined(stated: Mapping[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """Each experiment with its functions and protocol in place of their names.

    Raises:
        PydanticCustomError: a set, a block or a protocol does not exist; all are named.
    """
    if not {"blocks", "functions", "protocols"} <= set(info.data):
        return {}  # they are wrong themselves, and said to be
    problems: list[str] = []
    for name, blocks in info.data["functions"].items():
        _blocks(blocks, info.data["blocks"], f"functions.{name}", problems)
    found = {name: _combined(name, entry, info.data, problems) for name, entry in stated.items()}
    if problems:
        raise PydanticCustomError(STATED, "{problems}", {"problems": "\n".join(problems)})
    return found


def _combined(name: str, entry: Any, known: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    place = f"experiments.{name}"
    functions = entry.functions
    if isinstance(functions, str):
        functions = _looked_up(functions, "functions", known["functions"], f"{place}.functions", problems) or ()
    protocol = {}
    if entry.protocol is not None:
        found = _looked_up(entry.protocol, "protocols", known["protocols"], f"{place}.protocol", problems)
        protocol = {} if found is None else {key: getattr(found, key) for key in Protocol.model_fields}
    own = {key: getattr(entry, key) for key in entry.model_fields_set - {"protocol", "functions"}}
    return {**protocol, **own, "functions": _blocks(functions, known["blocks"], f"{place}.functions", problems)}


def _blocks(
    functions: Iterable[str | Block], known: Mapping[str, Block], place: str, problems: list[str]
) -> tuple[Block, ...]:
    """Blocks in place of their names."""
    found = [_looked_up(f, "blocks", known, place, problems) if isinstance(f, str) else f for f in functions]
    return tuple(block for block in found if block is not None)


def _looked_up(name: str, section: str, known: Mapping[str, Any], place: str, problems: list[str]) -> Any:
    """What is called so; None if nothing is, which is added to `problems`."""
    if name not in known:
        problems.append(f"{place} = {name!r}: {not_one_of(name, section, known)}")
    return known.get(name)


def _schema(_: Any, handler: Any) -> core_schema.CoreSchema:
    """Validate what is written, put sets and protocols in place of their names, validate what this gives."""
    experiments = handler.generate_schema(dict[Name, Experiment])
    return core_schema.chain_schema(
        [
            handler.generate_schema(dict[Name, Stated]),  # type: ignore[valid-type]
            core_schema.with_info_before_validator_function(combined, experiments),
        ]
    )


Experiments = Annotated[dict[str, Experiment], GetPydanticSchema(_schema)]
