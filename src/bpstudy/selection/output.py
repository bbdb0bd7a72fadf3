"""The folder that a choice leaves: the recommendation, the inputs of others, the tables behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bpstudy.files import atomic_path, write_table
from bpstudy.selection.recommendation import to_json
from bpstudy.selection.run import RANDOM, Answer
from bpstudy.selection.setting import Setting
from bpstudy.selection.targets import FrameErrors
from bpstudy.selection.writers import n2p2_lines


def write(answer: Answer, setting: Setting, folder: Path) -> list[Path]:
    """Write `recommended.json`, `functions.json`, `recommended.nn` (Å) and `recommended-bohr.nn` where n2p2 has the
    functions, `comparison.csv` (a row a set) and `pool.csv` (a row a candidate). Returns the files."""
    elements = setting.problem.equations.elements
    best = answer.candidates[answer.ranking.overall]
    texts = {
        "recommended.json": to_json(answer.candidates, answer.ranking, elements),
        "functions.json": best.functions.to_json() + "\n",
    }
    try:
        texts["recommended.nn"] = n2p2_lines(best.functions.functions, elements)
        texts["recommended-bohr.nn"] = n2p2_lines(best.functions.functions, elements, "bohr")
    except ValueError:
        pass  # recommended.json says what n2p2 lacks
    files = []
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text)
        files.append(folder / name)
    for name, table in (("comparison.csv", answer.ranking.table), ("pool.csv", pool_table(answer, setting))):
        write_table(folder / name, table)
        files.append(folder / name)
    return files


def pool_table(answer: Answer, setting: Setting) -> pd.DataFrame:
    """A row a candidate: label, type, cutoff, modelled cost alone, and how many sets of the comparison hold it."""
    chosen: dict[object, int] = {}
    for candidate in answer.candidates:
        if candidate.model == "linear" and candidate.method != RANDOM:
            for f in candidate.functions.functions:
                chosen[f] = chosen.get(f, 0) + 1
    best = set(answer.candidates[answer.ranking.overall].functions.functions)
    functions = setting.pool.functions
    return pd.DataFrame(
        {
            "label": functions.labels,
            "type": [type(f).__name__ for f in functions.functions],
            "cutoff_angstrom": [f.cutoff for f in functions.functions],
            "cost_us": setting.problem.costs_us,
            "sd": np.std(setting.problem.equations.values, axis=0),
            "chosen_by": [chosen.get(f, 0) for f in functions.functions],
            "recommended": [f in best for f in functions.functions],
        }
    )


def summary(answer: Answer, setting: Setting, n_test: int) -> list[str]:
    """The answer in words."""
    table, pool = answer.ranking.table, setting.pool
    lines = [
        f"{len(setting.train)} training frames, {n_test} that decide; nearest neighbours {pool.nearest_angstrom:.3g} Å",
        f"pool: {len(pool.functions)} functions ({len(pool.dead)} dead and {len(pool.doubled)} doubled ones dropped)",
    ]
    if not setting.problem.equations.has_forces:
        lines.append("no forces in the data: chosen and tested by energies alone")
    elif "force_rmse_ev_per_angstrom" not in table:
        lines.append("no forces in the test frames: chosen by energies and forces, tested by energies alone")
    for budget, row in answer.ranking.by_budget.items():
        lines.append(f"{budget} functions: {_line(table.iloc[row])}")
        lines += [f"  {text}" for text in _against_random(table, row)]
    lines.append(f"recommended: {_line(table.iloc[answer.ranking.overall])}")
    lines += [f"  {label}" for label in answer.candidates[answer.ranking.overall].functions.labels]
    return lines + [f"left out for want of time: {text}" for text in answer.left_out]


def potential_line(errors: FrameErrors, members: int) -> str:
    """What the fitted potential is worth."""
    model = "network" if members == 1 else f"committee of {members} networks"
    text = f"potential: {model}, RMSE {1e3 * np.sqrt((errors.energy**2).mean()):.2f} meV/atom"
    if errors.force_rms is None:
        return f"{text} on the test frames"
    return f"{text}, {1e3 * np.sqrt((errors.force_rms**2).mean()):.0f} meV/Å on the test frames"


def _line(row: pd.Series) -> str:
    forces = ""
    if "force_rmse_ev_per_angstrom" in row:
        forces = f", {1e3 * row['force_rmse_ev_per_angstrom']:.0f} meV/Å"
    errors = f"RMSE {row['energy_rmse_mev_per_atom']:.2f} meV/atom{forces}"
    return f"{row['method']}, {row['model']}: {errors}, {row['cost_us_per_atom']:.0f} µs per atom"


def _against_random(table: pd.DataFrame, row: int) -> list[str]:
    """Whether the set is significantly better than random ones of its size with the same model."""
    own = table.iloc[row]
    if own["method"] == RANDOM or np.isnan(own["behind_random"]):
        return []
    score = own["score"] - own["behind_random"]
    verdict = "significantly" if own["behind_random_high"] < 0 else "not significantly"
    return [f"{verdict} better than random sets of that size, whose score is {score / own['score']:.2f} times its own"]
