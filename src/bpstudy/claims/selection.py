"""Claims S1 to S4: what choosing symmetry functions from data gains.

Intervals are of a bootstrap over seeds and blocks of held-out frames, with the same draws for both sets of a pair.
"""

from __future__ import annotations

from dataclasses import dataclass

from bpstudy.claims.evidence import NO, PARTLY, UNDECIDABLE, YES, Choice, Claims, Decision, Evidence, below, both
from bpstudy.config.selection import RANDOM

STABLE = 0.5  # Jaccard index of the sets chosen on two halves of the data
NO_WORSE = 0.05  # of the other's error: by less than this one set is no worse than another
UNITS = {"energy": "meV/atom", "forces": "meV/Å"}
ERRORS = {"energy": ("energy_rmse_mev_per_atom", 1.0), "forces": ("force_rmse_ev_per_angstrom", 1000.0)}


@dataclass(frozen=True)
class _Difference:
    """Error of one set less that of another, with its interval."""

    first: float
    second: float
    value: float
    low: float
    high: float


def _choice(evidence: Evidence) -> Choice:
    if evidence.choice is None:
        raise ValueError("no choice of symmetry functions (selection is null)")
    return evidence.choice


def _difference(choice: Choice, first: str, second: str, quantity: str) -> _Difference:
    table = choice.differences[choice.differences["quantity"] == quantity]
    for a, b, sign in ((first, second, 1), (second, first, -1)):
        rows = table[(table["first"] == a) & (table["second"] == b)]
        if not rows.empty:
            row = rows.iloc[0]
            errors = float(row["first_rmse"]), float(row["second_rmse"])
            ends = float(row["low"]), float(row["high"])
            if sign < 0:
                errors, ends = errors[::-1], (-ends[1], -ends[0])
            return _Difference(*errors, sign * float(row["difference"]), *ends)
    raise ValueError(f"{first} and {second} are not compared in {quantity}")


def _quantities(choice: Choice) -> list[str]:
    """Those that are tested: without forces, energies alone."""
    return [quantity for quantity in UNITS if quantity in set(choice.differences["quantity"])]


def _combinations(choice: Choice) -> list[str]:
    if not choice.settings.combinations:
        raise ValueError("no combinations to compare with (selection.combinations)")
    return list(choice.settings.combinations)


def _errors(choice: Choice, name: str) -> str:
    row = choice.table[(choice.table["name"] == name) & (choice.table["model"] == "network")].iloc[0]
    parts = [f"{ERRORS[q][1] * row[ERRORS[q][0]]:.3g} {UNITS[q]}" for q in _quantities(choice)]
    return ", ".join(parts)


def _largest(evidence: Evidence) -> Decision:
    """S1, of the largest budget."""
    choice = _choice(evidence)
    name = f"{choice.settings.main_method}-{max(choice.settings.budgets)}"
    names, surely, ratios = _combinations(choice), 0, []
    for other in names:
        found = [_difference(choice, name, other, quantity) for quantity in _quantities(choice)]
        surely += all(of.high < 0 for of in found)
        ratios += [of.first / of.second for of in found]
    better = f"significantly better than {surely} of {len(names)}"
    ours = f"{better}: {_errors(choice, name)}; error ratios up to {max(ratios):.2f}"
    verdict = YES if surely == len(names) else PARTLY if surely else NO
    return "", ours, max(ratios), None, verdict


def _smallest(evidence: Evidence) -> Decision:
    """S2, of the smallest budget; the best combination is taken for each error, by the deciding frames themselves."""
    choice = _choice(evidence)
    name = f"{choice.settings.main_method}-{min(choice.settings.budgets)}"
    verdicts, said, worst = [], [], 0.0
    for quantity in _quantities(choice):
        found = [(_difference(choice, name, other, quantity), other) for other in _combinations(choice)]
        least, other = min(found, key=lambda pair: pair[0].second)
        verdicts.append(below(least.value, (least.low, least.high), NO_WORSE * least.second))
        worst = max(worst, least.first / least.second)
        said.append(
            f"{least.first:.3g} against {least.second:.3g} {UNITS[quantity]} ({other.removeprefix('types-')}; "
            f"difference {least.low:.2g} to {least.high:.2g})"
        )
    return "", "; ".join(said), worst, None, both(verdicts[0], verdicts[-1])


def _best(evidence: Evidence) -> Decision:
    choice, said, leaders, sure = _choice(evidence), [], [], []
    methods = choice.settings.methods
    if len(methods) < 2:
        raise ValueError("one method only (selection.methods)")
    for budget in choice.settings.budgets:
        scores = {}
        for method in methods:
            others = [m for m in methods if m != method]
            found = [_difference(choice, f"{method}-{budget}", f"{other}-{budget}", "score") for other in others]
            scores[method] = found[0].first, all(of.high < 0 for of in found)
        leader = min(scores, key=lambda method: scores[method][0])
        leaders.append(leader)
        sure.append(scores[leader][1])
        text = f"{budget}: {leader}, {'' if sure[-1] else 'not '}significantly better than the others"
        if RANDOM in methods:
            like_random = [m for m in methods if m != RANDOM and not _beats_random(choice, m, budget)]
            text += f"; not significantly better than random: {', '.join(like_random) or 'none'}"
        said.append(text)
    verdict = YES if all(sure) and len(set(leaders)) == 1 else PARTLY if any(sure) or len(set(leaders)) == 1 else NO
    return "", ". ".join(said), None, None, verdict


def _beats_random(choice: Choice, method: str, budget: int) -> bool:
    return _difference(choice, f"{method}-{budget}", f"{RANDOM}-{budget}", "score").high < 0


def _halves(evidence: Evidence) -> Decision:
    choice, said, verdicts, jaccards = _choice(evidence), [], [], []
    for row in choice.halves.to_dict("records"):
        found = [
            _difference(choice, row[half], row["whole"], quantity)
            for half in ("first_half", "second_half")
            for quantity in _quantities(choice)
        ]
        ratio, jaccard = max(of.first / of.second for of in found), float(row["jaccard"])
        jaccards.append(jaccard)
        verdicts += [YES if jaccard >= STABLE else NO, NO if any(of.low > 0 for of in found) else YES]
        said.append(
            f"{row['budget']}: {row['common']} in common (Jaccard {jaccard:.2f}), errors up to {ratio:.2f} times"
        )
    if not verdicts:
        return "", "no halves", None, None, UNDECIDABLE
    verdict = YES if set(verdicts) == {YES} else NO if set(verdicts) == {NO} else PARTLY
    return "", "; ".join(said), min(jaccards), None, verdict


SELECTION: Claims = {
    "S1": (
        "functions chosen by the data, as many as the paper's, beat each of its combinations of types",
        "main method, largest budget, same networks and seeds: intervals of the differences below 0 in energies and "
        "forces for all; for some: in part",
        _largest,
    ),
    "S2": (
        "half as many chosen functions are no worse than the best combination",
        "main method, smallest budget, against the combination with the least error in each: interval of the "
        f"difference below {NO_WORSE:.0%} of that error in energies and forces; one of these: in part; above it: not",
        _smallest,
    ),
    "S3": (
        "one method is best at equal budget",
        "interval of the difference of the scores to every other method below 0, the same one at all budgets; at some, "
        "or the same one first: in part",
        _best,
    ),
    "S4": (
        "a choice on one half of the data holds on the other",
        f"Jaccard index of the two sets ≥ {STABLE} and neither significantly worse than the set chosen on all frames, "
        "at all budgets; some of these: in part",
        _halves,
    ),
}
