"""The paper's claims, and ours on forces and on the choice of functions, each decided by a stated rule."""

from bpstudy.claims.evidence import (
    NO,
    NO_FORCES,
    NO_THERMAL,
    PARTLY,
    UNDECIDABLE,
    YES,
    Choice,
    Evidence,
    below,
    median_interval,
)
from bpstudy.claims.ledger import CLAIMS, ledger

__all__ = [
    "CLAIMS",
    "NO",
    "NO_FORCES",
    "NO_THERMAL",
    "PARTLY",
    "UNDECIDABLE",
    "YES",
    "Choice",
    "Evidence",
    "below",
    "ledger",
    "median_interval",
]
