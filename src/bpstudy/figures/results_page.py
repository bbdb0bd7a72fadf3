"""The results page: claims, figures and errors of a study in one self-contained HTML file."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from bpstudy.files import atomic_path

ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("bpstudy.figures", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
SHOWN = {
    "experiment": "experiment",
    "functions": "functions",
    "set": "frames",
    "rmse_mev_per_atom": "energy RMSE, meV/atom",
    "ridge_rmse_mev_per_atom": "ridge, meV/atom",
    "force_rmse_mev_per_angstrom": "force RMSE, meV/Å",
}


@dataclass(frozen=True)
class Shown:
    """A figure of the page: its name, its picture (PNG or SVG), its caption in plain text, and its audit page."""

    name: str
    picture: Path
    caption: str
    audit: str

    @property
    def data(self) -> str:
        """The picture as a data URI."""
        kind = "image/svg+xml" if self.picture.suffix == ".svg" else "image/png"
        return f"data:{kind};base64,{base64.b64encode(self.picture.read_bytes()).decode()}"


def caption_of(rst: str) -> str:
    """The prose of a caption of Snakemake's report: links and templates left out, white space folded."""
    paragraphs = [part for part in rst.split("\n\n") if "`__" not in part]
    return re.sub(r"\s+", " ", re.sub(r"\{[{%].*?[%}]\}|``", "", " ".join(paragraphs))).strip()


def summary(metrics: pd.DataFrame) -> list[dict[str, Any]]:
    """One row an experiment and set of frames: medians over the random seeds, and the error of each seed."""
    rows = []
    for (experiment, chosen), of in metrics.groupby(["experiment", "set"], sort=False):
        row: dict[str, Any] = {"experiment": experiment, "functions": of["functions"].iloc[0], "set": chosen}
        for column in ("rmse_mev_per_atom", "ridge_rmse_mev_per_atom", "force_rmse_mev_per_angstrom"):
            known = of[column].dropna() if column in of else pd.Series(dtype=float)
            row[column] = float(known.median()) if len(known) else None
        seeds = of[["seed", "rmse_mev_per_atom"]].sort_values("rmse_mev_per_atom")
        row["seeds"] = list(seeds.itertuples(index=False, name=None))
        rows.append(row)
    largest = max((error for row in rows for _, error in row["seeds"]), default=1.0)
    least = min((error for row in rows for _, error in row["seeds"]), default=0.1)
    width = np.log(largest / least) or 1.0
    for row in rows:
        row["dots"] = [(seed, error, 4 + 112 * float(np.log(error / least) / width)) for seed, error in row["seeds"]]
    return rows


def write_page(
    path: str | Path,
    claims: Sequence[Mapping[str, Any]],
    figures: Sequence[Shown],
    metrics: pd.DataFrame,
    tables: Mapping[str, str],
    title: str,
) -> None:
    """Write the page.

    Args:
        claims: rows of `results/claims.json`.
        metrics: `results/evaluation/metrics.csv`.
        tables: links to tables and the paper beside the page, by what they are.
    """
    verdicts = pd.Series([claim["verdict"] for claim in claims], dtype=str).value_counts().to_dict()
    text = ENVIRONMENT.get_template("results_page.html.j2").render(
        claims=claims,
        verdicts=verdicts,
        figures=figures,
        rows=summary(metrics),
        columns=SHOWN,
        tables=tables,
        title=title,
        css={verdict: str(verdict).replace(" ", "-") for verdict in verdicts},
    )
    with atomic_path(path) as temporary:
        temporary.write_text(text)
