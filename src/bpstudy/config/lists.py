"""Names in braces: `types-{types}` stands for one name for each member of `lists.types`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bpstudy.config.base import ConfigError, not_one_of, path_safe
from bpstudy.config.explain import under_heading

SECTIONS = ("experiments", "figures", "comparisons", "with_forces", "selection")  # where braces are understood
BRACES = re.compile(r"\{([^{}:]*)(:\+)?\}")


def expanded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with every name in braces written out.

    A key `types-{types}` becomes one key for each member of `lists.types`, and the same member replaces `{types}` in
    its value; in a list, `types-{types}` becomes several items. `{types:+}` is the member with + in place of each -. A
    key that is written out in full is laid over what the braces make.

    Raises:
        ConfigError: braces name what is not one of `lists`, or a member cannot be a part of names.
    """
    lists = values.get("lists")
    if not isinstance(lists, Mapping) or not all(isinstance(members, list) for members in lists.values()):
        return dict(values)  # the validation says what is wrong with it
    problems = [problem for name, members in lists.items() for problem in _not_part_of_names(name, members)]
    if problems:
        raise ConfigError(under_heading(problems))
    result = {key: _written_out(v, lists, key, problems) if key in SECTIONS else v for key, v in values.items()}
    if problems:
        raise ConfigError(under_heading(problems))
    return result


def _not_part_of_names(name: str, members: list[Any]) -> Iterator[str]:
    for number, member in enumerate(members):
        try:
            path_safe(str(member))
        except ValueError as error:
            yield f"lists.{name}[{number}] = {member!r}: {error}"


def _written_out(value: Any, lists: Mapping[str, list], place: str, problems: list[str]) -> Any:
    if isinstance(value, Mapping):
        made: dict[Any, Any] = {}
        plain: dict[Any, Any] = {}
        for key, content in value.items():
            for members in _choices(key, lists, place, problems):
                name = _filled(key, members)
                text = _written_out(_filled(content, members), lists, f"{place}.{name}", problems)
                if members:
                    made[name] = text
                else:
                    made.setdefault(name, {})
                    plain[name] = text
        return {name: _laid_over(made[name], plain[name]) if name in plain else made[name] for name in made}
    if isinstance(value, list):
        return [
            _written_out(_filled(item, members), lists, place, problems)
            for item in value
            for members in _choices(item, lists, place, problems)
        ]
    return value


def _choices(text: Any, lists: Mapping[str, list], place: str, problems: list[str]) -> Iterator[dict[str, str]]:
    """Every choice of a member for each pair of braces in a text, the last braces changing fastest."""
    names = list(dict.fromkeys(name for name, _ in BRACES.findall(text))) if isinstance(text, str) else []
    if unknown := [name for name in names if name not in lists]:
        problems.append(f"{place}: {text!r} names {unknown[0]!r}, {not_one_of(unknown[0], 'lists', lists)}")
        return iter([])
    return (dict(zip(names, members, strict=True)) for members in itertools.product(*(lists[n] for n in names)))


def _filled(value: Any, members: Mapping[str, str]) -> Any:
    """A value with the chosen members in place of their braces, at whatever depth."""
    if isinstance(value, str):
        return BRACES.sub(lambda found: _member(found, members), value)
    if isinstance(value, Mapping):
        return {_filled(key, members): _filled(content, members) for key, content in value.items()}
    if isinstance(value, list):
        return [_filled(item, members) for item in value]
    return value


def _member(found: re.Match[str], members: Mapping[str, str]) -> str:
    name, plus = found.groups()
    if name not in members:
        return found[0]
    return str(members[name]).replace("-", "+") if plus else str(members[name])


def _laid_over(below: Any, above: Any) -> Any:
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {**below, **{key: _laid_over(below.get(key), content) for key, content in above.items()}}
