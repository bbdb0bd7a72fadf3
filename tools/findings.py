"""The findings of the study in a sentence each, from its tables."""

import json
from pathlib import Path

import pandas as pd
from scipy.stats import spearmanr

HOLDS = "reproduced"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, …"""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if 10 < number % 100 < 14 else endings.get(number % 10, 'th')}"


def findings(results: Path) -> list[str]:
    """Lines of a Markdown list, each with the claims that it rests on."""
    claims = {row["id"]: row for row in json.loads((results / "claims.json").read_text())}
    study = json.loads((results / "paper/config.json").read_text())
    compared = study["comparisons"]
    ranking = pd.read_csv(results / "evaluation/ranking.csv")
    ranking = ranking[ranking["set"] == compared["decided_on"]]
    metrics = pd.read_csv(results / "evaluation/metrics.csv")
    types = ranking[ranking["group"] == compared["combinations"]].set_index("experiment")
    best, worst = (ordinal(int(types["rank"][study["reported"][which]])) for which in ("best", "worst"))
    holds = all(claims[name]["verdict"] == HOLDS for name in ("C7", "C8"))
    training = metrics[metrics["set"] == "train"].groupby("experiment")["rmse_mev_per_atom"].median()
    correlation = spearmanr(training[types.index], types["rmse_mev_per_atom"]).statistic
    with_sign = f"{correlation:.2f}".replace("-", "−")
    spread = ranking[ranking["group"] == "consecutive-or-strided"].set_index("experiment")["rmse_mev_per_atom"]
    verb = "holds" if holds else "does not hold"
    lines = [
        f"**The published ranking of function types {verb} on held-out frames.** The combination reported as best is "
        f"{best} of {len(types)} on an independent trajectory, the one reported as worst is {worst} (C7, C8).",
        "**A training error says little about the error on held-out frames.** Over these combinations their rank "
        f"correlation is {with_sign}.",
        "**Consecutive frames teach little.** Frames spread over the whole run give "
        f"{spread['strided-372']:.2f} meV/atom on the independent trajectory, as many consecutive ones "
        f"{spread['consecutive-372']:.2f}.",
        "**Forces in the fit lower held-out errors.** They fall to "
        f"{claims['F1']['value']:.0%} (energies) and {claims['F2']['value']:.0%} (forces) of those without (F1, F2).",
    ]
    if "S1" in claims:
        verdict, ours = claims["S1"]["verdict"], claims["S1"]["ours"]
        beat = {HOLDS: "beat", "not reproduced": "do not beat"}.get(verdict, "do not significantly beat")
        lines.append(
            f"**Functions chosen from data {beat} hand-made sets of the same size.** {ours[0].upper()}{ours[1:]} (S1)."
        )
    if claims.get("F6", {}).get("value") is not None:
        lines.append(
            "**Fitted to strained cells with their stress, the potential gets the crystal right.** Properties "
            f"{claims['F6']['paper']}: {claims['F6']['ours']} (F6)."
        )
    return [f"{number}. {line}" for number, line in enumerate(lines, 1)]
