"""`report.html`: the answer on one page, complete in itself."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from matplotlib.figure import Figure

from bpstudy.figures.pair_picture import pair_picture
from bpstudy.figures.selection import errors_by_size, pareto, pool_map
from bpstudy.figures.style import theme
from bpstudy.files import atomic_path
from bpstudy.selection.judge import judge
from bpstudy.selection.output import pool_table
from bpstudy.selection.run import Answer
from bpstudy.selection.setting import Setting
from bpstudy.selection.writers import n2p2_lines

TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("bpstudy.figures", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
FRAMES = 60  # whose distances are drawn and by which functions are judged


def write_report(answer: Answer, setting: Setting, lines: Sequence[str], file: Path) -> None:
    """Write the page, with the answer in words (`lines`): the same answer gives the same bytes."""
    table = answer.ranking.table
    best = answer.candidates[answer.ranking.overall].functions
    places = np.unique(np.linspace(0, len(setting.train) - 1, min(FRAMES, len(setting.train))).astype(int))
    frames = [setting.train[k] for k in places]
    verdict = judge(best, frames)
    distances = np.concatenate([best.neighbors(frame).distance for frame in frames])
    try:
        n2p2 = n2p2_lines(best.functions, setting.problem.equations.elements)
    except ValueError:
        n2p2 = ""
    text = TEMPLATES.get_template("selection_report.html.j2").render(
        summary=[line for line in lines if line.strip() not in best.labels],
        confidence="95 %",
        pareto=_svg(pareto(table)),
        sizes=_svg(errors_by_size(table)) if table["budget"].nunique() > 1 else "",
        ranking=[(b, _rows(table[table["budget"] == b].sort_values("score"))) for b in sorted(set(table["budget"]))],
        functions=[
            {
                "label": row["label"],
                "cost": f"{row['cost_us']:.2f}",
                "range": f"{row['low']:.3g} to {row['high']:.3g}",
                "loss": f"{100 * row['loss_without']:+.1f} %" if row.get("loss_without", np.nan) >= 0 else "",
            }
            for row in verdict.table.to_dict("records")
        ],
        pairs=_svg(pair_picture(best, distances, sum(len(frame) for frame in frames))),
        pool=_svg(pool_map(pool_table(answer, setting))),
        n2p2=n2p2,
    )
    with atomic_path(file) as temporary:
        temporary.write_text(text)


def _rows(table: Any) -> list[dict[str, Any]]:
    found = []
    for row in table.to_dict("records"):
        force = row.get("force_rmse_ev_per_angstrom")
        found.append(
            {
                "method": row["method"],
                "model": row["model"],
                "energy": _interval(row, "energy_rmse_mev_per_atom", 2),
                "force": "" if force is None else _interval(row, "force_rmse_ev_per_angstrom", 4),
                "score": _interval(row, "score", 3),
                "behind": _interval(row, "behind_best", 3) if row["behind_best"] else "",
                "cost": f"{row['cost_us_per_atom']:.1f}",
                "significantly_worse": row["significantly_worse"],
                "recommended": row["recommended"],
            }
        )
    return found


def _interval(row: dict[Any, Any], key: str, digits: int) -> str:
    text = f"{row[key]:.{digits}f} ({row[f'{key}_low']:.{digits}f} to {row[f'{key}_high']:.{digits}f})"
    return text.replace("-", "−")


def _svg(drawn: Figure) -> str:
    buffer = io.StringIO()
    with theme():
        drawn.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()[buffer.getvalue().index("<svg") :]
