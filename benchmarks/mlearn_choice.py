"""Chosen symmetry functions on the data of Zuo et al. beside the published networks and GAP.

Y. Zuo et al., J. Phys. Chem. A 124, 731 (2020), doi:10.1021/acs.jpca.9b08723: Mo, Si and Ge, or any other element of
that set.

    python -m benchmarks.mlearn_choice --data FOLDER

FOLDER is that of `benchmarks.mlearn`. For each element, sets of a third of the published number of functions, of as
many, and of 64, by each method; on each set a linear potential and networks of several seeds (a random set of its own
for each), as `bpstudy choose` fits them and with the same settings for every element. Functions are chosen and networks
fitted, and stopped, on training frames alone; the test frames are those published, snapshots of trajectories that are
trained on as well. Errors are over all force components of the test frames, means over the seeds, with the lowest and
the highest.

Writes `docs/mlearn_choice.csv`, rows of other elements in it stay, and prints it and the goals as Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from bpstudy.files import write_table
from bpstudy.selection.reading import blocks, groups, read_data
from bpstudy.selection.recommendation import Candidate
from bpstudy.selection.run import run
from bpstudy.selection.setting import prepare
from bpstudy.selection.trial import trial_fit
from bpstudy.symmetry import from_n2p2

ROOT = Path(__file__).parents[1]
ELEMENTS = ("Mo", "Si", "Ge")
METHODS = ("second-order", "forward", "cur", "random")
OURS = METHODS[:2]
SIZES = ("third", "equal", "most")
LARGEST = 64
ERRORS = (
    "energy_mae_mev_per_atom",
    "energy_rmse_mev_per_atom",
    "force_mae_ev_per_angstrom",
    "force_rmse_ev_per_angstrom",
)


def pooled(candidate: Candidate, sizes: np.ndarray) -> dict[str, np.ndarray]:
    """The errors of each seed, (n_seeds,); those of forces over all components."""
    assert candidate.force_errors is not None
    assert candidate.force_maes is not None
    energy, weights = 1000 * candidate.energy_errors, sizes / sizes.sum()
    values = (
        np.abs(energy).mean(axis=1),
        np.sqrt((energy**2).mean(axis=1)),
        candidate.force_maes @ weights,
        np.sqrt(candidate.force_errors**2 @ weights),
    )
    return dict(zip(ERRORS, values, strict=True))


def of_element(
    data: Path, element: str, sizes_asked: Sequence[str], seeds: int, methods: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows of one element."""
    train: list[Atoms] = read_data([data / f"{element}_training.xyz.xz"])
    test: list[Atoms] = read_data([data / f"{element}_test.xyz.xz"])
    published = len(from_n2p2((data / f"{element}_published.nn").read_text())[element])
    began = time.process_time()
    setting = prepare(train, blocks(groups(train), 5))
    prepared = time.process_time() - began
    sizes = np.array([len(frame) for frame in test])
    numbers = dict(zip(SIZES, (round(published / 3), published, LARGEST), strict=True))
    budgets = {numbers[size]: size for size in sizes_asked}
    began = time.process_time()
    answer = run(
        setting, test, list(budgets), methods, trial_fit(), range(seeds), say=lambda text: print(text, flush=True)
    )
    seconds = time.process_time() - began
    rows = []
    for candidate, row in zip(answer.candidates, answer.ranking.table.to_dict("records"), strict=True):
        found: dict[str, Any] = {
            "element": element,
            "budget": budgets[candidate.budget],
            "functions": candidate.budget,
            "method": candidate.method,
            "model": candidate.model,
            "fits": len(candidate.energy_errors),
            "cost_us_per_atom": row["cost_us_per_atom"],
            "recommended": row["recommended"],
        }
        for name, values in pooled(candidate, sizes).items():
            found |= {name: values.mean(), f"{name}_low": values.min(), f"{name}_high": values.max()}
        rows.append(found | {"prepare_cpu_s": round(prepared, 1), "fits_cpu_s": round(seconds, 1)})
    return rows


def published_rows(data: Path, element: str) -> list[dict[str, Any]]:
    """Of the published network and of GAP."""
    table = pd.read_csv(data / "published.csv").set_index("element").loc[element]
    functions = len(from_n2p2((data / f"{element}_published.nn").read_text())[element])
    rows = []
    for name, method in (("nnp", "published network"), ("gap", "GAP")):
        errors = {key: table[f"{name}_{key}"] for key in ERRORS if f"{name}_{key}" in table}
        rows.append({"element": element, "method": method, **errors})
    rows[0]["functions"] = functions
    return rows


def shown(table: pd.DataFrame) -> list[str]:
    """The table in Markdown, with the lowest and the highest of several fits."""
    names = ("energy MAE, meV/atom", "energy RMSE", "force MAE, eV/Å", "force RMSE")
    header = ("element", "functions", "method", "model", "fits", *names)
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    for row in table.to_dict("records"):
        cells = [row["element"], *("" if pd.isna(row[k]) else row[k] for k in ("functions", "method", "model", "fits"))]
        for name, digits in zip(ERRORS, (2, 2, 4, 4), strict=True):
            if pd.isna(row[name]):
                cells.append("")
                continue
            text = f"{row[name]:.{digits}f}"
            if pd.notna(row["fits"]) and row["fits"] > 1:
                text += f" ({row[f'{name}_low']:.{digits}f}–{row[f'{name}_high']:.{digits}f})"
            cells.append(text)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def goals(table: pd.DataFrame) -> list[str]:
    """Reached or not: the main method's networks (`OURS[0]`, fixed beforehand) against the published errors."""
    lines = ["| element | goal | energy | force | reached |", "| --- | --- | --- | --- | --- |"]
    for element, rows in table.groupby("element", sort=False):
        theirs, gap = (rows[rows["method"] == name].iloc[0] for name in ("published network", "GAP"))
        ours = rows[(rows["method"] == OURS[0]) & (rows["model"] == "network")].set_index("budget")
        for budget, most in (("third", 1.0), ("equal", 0.85)):
            if budget not in ours.index:
                continue
            ratios = [ours.loc[budget, key] / theirs[key] for key in (ERRORS[0], ERRORS[2])]
            goal = f"{int(ours.loc[budget, 'functions'])} functions: MAE at most {most:g} of the published network's"
            reached = "yes" if max(ratios) <= most else "no"
            lines.append(f"| {element} | {goal} | {ratios[0]:.2f} | {ratios[1]:.2f} | {reached} |")
        best = float(ours[ERRORS[2]].min())
        reached = "yes" if best <= gap[ERRORS[2]] else "no"
        goal = f"{int(ours['functions'].max())} functions or fewer: force MAE at most GAP's {gap[ERRORS[2]]:g} eV/Å"
        lines.append(f"| {element} | {goal} | | {best:.3f} eV/Å | {reached} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/mlearn_choice.csv")
    parser.add_argument("--element", action="append", help="one of the set; several times (Mo, Si and Ge)")
    parser.add_argument("--method", action="append", help="of choosing; several times")
    parser.add_argument("--size", action="append", choices=SIZES, help="of the sets; several times")
    parser.add_argument("--seeds", type=int, default=3, help="networks on each set, and random sets")
    options = parser.parse_args()
    for element in options.element or ELEMENTS:
        rows = published_rows(options.data, element)
        rows += of_element(options.data, element, options.size or SIZES, options.seeds, options.method or METHODS)
        table = pd.DataFrame(rows).astype({"functions": "Int64", "fits": "Int64"})
        if options.output.exists():
            known = pd.read_csv(options.output, dtype={"functions": "Int64", "fits": "Int64"})
            table = pd.concat([known[known["element"] != element], table], ignore_index=True)
        write_table(options.output, table)
    print("\n".join([*shown(table), "", *goals(table)]))


if __name__ == "__main__":
    main()
