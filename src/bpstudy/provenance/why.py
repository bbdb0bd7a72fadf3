"""Why two results differ: the first job or source on the way from the settings that is not the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from bpstudy.checksums import sha256
from bpstudy.provenance.edges import Edge, Verdict
from bpstudy.provenance.store import Record, Store
from bpstudy.provenance.workflow import differences


@dataclass(frozen=True)
class Difference:
    """Where and how two lineages diverge; `way` holds the rules from there to the results."""

    place: str
    reasons: tuple[str, ...]
    way: tuple[str, ...] = ()


def why_different(store: Store, one: Edge, other: Edge) -> str:
    """The first difference of two audited files, in words.

    Raises:
        ValueError: one of them has no record.
    """
    jobs = []
    for file in (one, other):
        if file.job is None or file.verdict is not Verdict.OK:
            raise ValueError(f"{file.name}: {file.verdict}: {file.detail}; it is not known how it was made")
        jobs.append(file.job)
    if sha256(one.name) == sha256(other.name):
        return f"{one.name} and {other.name} have the same content"
    found = first_difference(store, jobs[0].record, jobs[1].record)
    if found is None:
        return f"{one.name} and {other.name} were made from the same inputs with the same settings and code"
    way = "".join(f" → {rule}" for rule in found.way)
    return "\n".join([f"the first difference: {found.place}{way}", *(f"  {reason}" for reason in found.reasons)])


def first_difference(store: Store, one: Record, other: Record) -> Difference | None:
    """The earliest difference behind the outputs of two jobs; None if inputs, settings and code are the same.

    Everything before it is equal.
    """
    if one.rule != other.rule:
        return Difference(_outputs(one), (f"made by {one.rule}, the other by {other.rule}",))
    pairs = zip_longest(one.inputs.items(), other.inputs.items(), fillvalue=("no file", ""))
    for (name, digest), (other_name, other_digest) in pairs:
        if digest == other_digest:
            continue
        makers = store.wrote(name, digest), store.wrote(other_name, other_digest)
        if makers[0] is None or makers[1] is None:
            text = f"is a source and not the same (sha256 {digest[:12]}…, {other_digest[:12]}…)"
            return Difference(name if name == other_name else f"{name}, {other_name}", (text,), (one.rule,))
        earlier = first_difference(store, makers[0], makers[1])
        if earlier is None:
            earlier = Difference(name, ("equal inputs, settings and code, but different content: not deterministic",))
        return Difference(earlier.place, earlier.reasons, (*earlier.way, one.rule))
    reasons = [f"parameter {text}" for text in differences(one.parameters, other.parameters)]
    for kind, then, now in (("code", one.code, other.code), ("version of", one.versions, other.versions)):
        changed = [name for name in {**then, **now} if then.get(name) != now.get(name)]
        reasons += [f"{kind} {name}: {_short(then.get(name))}, {_short(now.get(name))}" for name in changed]
    return Difference(_outputs(one), tuple(_then_and_now(text) for text in reasons)) if reasons else None


def _outputs(record: Record) -> str:
    names = list(record.outputs)
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _short(value: str | None) -> str:
    return "absent" if value is None else value[:12]


def _then_and_now(text: str) -> str:
    """`differences` speaks of a job then and now; here there are two results."""
    return text.replace(" then, ", ", ").removesuffix(" now")
