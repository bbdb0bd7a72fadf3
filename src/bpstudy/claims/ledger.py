"""The ledger of claims with their verdicts."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bpstudy.claims.evidence import UNDECIDABLE, Claims, Evidence, Interval
from bpstudy.claims.forces import FORCES
from bpstudy.claims.paper import PAPER
from bpstudy.claims.selection import SELECTION

CLAIMS: Claims = PAPER | FORCES | SELECTION


@dataclass(frozen=True)
class Claim:
    """One row of the ledger; `interval` is of `value`, 95 %."""

    id: str
    claim: str
    paper: str
    ours: str
    value: float | None
    interval: Interval | None
    rule: str
    verdict: str


def ledger(evidence: Evidence) -> list[dict[str, object]]:
    """All claims, in order. A claim whose evidence is missing is undecidable and says why."""
    rows = []
    for name, (claim, rule, decide) in CLAIMS.items():
        try:
            paper, ours, value, interval, verdict = decide(evidence)
        except ValueError as error:
            paper, ours, value, interval, verdict = "", str(error), None, None, UNDECIDABLE
        rows.append(asdict(Claim(name, claim, paper, ours, value, interval, rule, verdict)))
    return rows
