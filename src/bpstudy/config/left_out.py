"""What a configuration leaves out by null, and all that would need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def without_what_is_null(values: Any) -> Any:
    """A configuration before validation, without its systems and frames that are null and without what needs them.

    A system takes its frames along; frames the experiments that are trained or validated on them, and the tests on
    them; `with_forces: null` the experiments that look at forces or stress. `properties` go with their system or
    experiment.
    """
    if not isinstance(values, dict):
        return values
    systems, frames, experiments = (_section(values, key) for key in ("systems", "frames", "experiments"))
    protocols, unforced = _section(values, "protocols"), values.get("with_forces", ...) is None
    gone = [name for name, system in systems.items() if system is None]
    dropped = [name for name, of in frames.items() if of is None or _names(of, ("system",), gone)]
    lost = []
    for name, entry in experiments.items():
        whole = _whole(entry, protocols)
        looks_at_forces = bool(whole.get("forces") or whole.get("stress"))
        if (unforced and looks_at_forces) or _names(whole, ("frames", "validation"), dropped):
            lost.append(name)
    kept = dict(values)
    for key, left_out in (("systems", gone), ("frames", dropped), ("experiments", lost)):
        if left_out:
            kept[key] = {name: of for name, of in values[key].items() if name not in left_out}
    for key in ("experiments", "protocols") if dropped else ():
        if isinstance(values.get(key), dict):
            kept[key] = {name: _not_tested_on(of, dropped) for name, of in kept[key].items()}
    properties = values.get("properties")
    if _names(properties, ("system",), gone) or _names(properties, ("experiment",), lost):
        kept["properties"] = None
    return kept


def _section(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    section = values.get(key)
    return section if isinstance(section, dict) else {}


def _names(section: Any, keys: Iterable[str], names: Sequence[str]) -> bool:
    """Whether a section names one of these."""
    return isinstance(section, dict) and any(section.get(key) in names for key in keys)


def _whole(entry: Any, protocols: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment, completed by its protocol."""
    if not isinstance(entry, dict):
        return {}
    name = entry.get("protocol")
    protocol = protocols.get(name) if isinstance(name, str) else None
    return {**(protocol if isinstance(protocol, dict) else {}), **entry}


def _not_tested_on(section: Any, dropped: Sequence[str]) -> Any:
    """An experiment or protocol without these held-out frames."""
    if not (isinstance(section, dict) and isinstance(section.get("held_out"), list | tuple)):
        return section
    return {**section, "held_out": [name for name in section["held_out"] if name not in dropped]}
