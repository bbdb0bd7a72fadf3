"""Chosen symmetry functions on the data of Zuo et al. beside the published networks and GAP.

Y. Zuo et al., J. Phys. Chem. A 124, 731 (2020), doi:10.1021/acs.jpca.9b08723: Mo, Si and Ge, or any other element of
that set.

    python -m benchmarks.mlearn_choice --data FOLDER

FOLDER is that of `benchmarks.mlearn`. For each element, sets of a third of the published number of functions, of as
many, of 64, or of any number (`--size`), by each method; on each set a linear potential and networks of several seeds
(a random set of its own for each), as `bpstudy choose` fits them and with the same settings for every element.
Functions are chosen and networks fitted, and stopped, on training frames alone. Errors are over all force components of
the test frames, means over the seeds, with the lowest and the highest; `behind_random` is how far the score is from
that of random sets, with the 95 % interval of a bootstrap over seeds and frames.

--split published: the test frames of the data, snapshots of trajectories that are trained on as well;
--split trajectory: another part of all frames, so that a trajectory (a mode of strain, a surface) stays on one side.

--members fits committees: networks that each leave out another fifth of the training frames, and whose mean predicts.

--short fits networks of a few steps to fewer components of the forces, so that more seeds and random sets are
affordable: for comparing methods, not for the least error.

Writes `docs/mlearn_choice.csv`; rows of other elements, splits, numbers, methods and models in it stay.
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

from benchmarks.mlearn import BY_DESCRIPTION
from bpstudy.data.dataset import table_of
from bpstudy.data.parts import TEST, parts_of
from bpstudy.files import write_table
from bpstudy.selection.reading import blocks, first_copies, groups, read_data
from bpstudy.selection.recommendation import Candidate
from bpstudy.selection.run import run
from bpstudy.selection.setting import prepare
from bpstudy.selection.trial import TrialSettings, trial_fit
from bpstudy.symmetry import from_n2p2
from tools.mlearn import ENERGY, ENERGY_RMSE, FORCE, FORCE_RMSE, choice_table, goals_table

ROOT = Path(__file__).parents[1]
ELEMENTS = ("Mo", "Si", "Ge")
METHODS = ("second-order", "forward", "random")
LARGEST = 64
SHORT = TrialSettings(iterations=12, patience=12, components=48)
SPLITS = ("published", "trajectory")
ERRORS = (ENERGY, ENERGY_RMSE, FORCE, FORCE_RMSE)
KEY = ["element", "split", "functions", "method", "model"]
BEHIND = ("behind_random", "behind_random_low", "behind_random_high")


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


def frames_of(data: Path, element: str, split: str) -> tuple[list[Atoms], list[Atoms]]:
    """Training and test frames."""
    train, test = (read_data([data / f"{element}_{part}.xyz.xz"]) for part in ("training", "test"))
    if split == "published":
        return train, test
    frames = [*train, *test]
    table, _ = table_of(iter(frames))
    held = np.array(parts_of(table, first_copies(frames).tolist(), BY_DESCRIPTION)) == TEST
    return [frames[k] for k in np.flatnonzero(~held)], [frames[k] for k in np.flatnonzero(held)]


def of_element(
    data: Path,
    element: str,
    split: str,
    sizes: Sequence[str],
    seeds: int,
    methods: Sequence[str],
    short: bool,
    members: int,
) -> list[dict[str, Any]]:
    """The rows of one element."""
    train, test = frames_of(data, element, split)
    published = len(from_n2p2((data / f"{element}_published.nn").read_text())[element])
    began = time.process_time()
    setting = prepare(train, blocks(groups(train), 5))
    prepared = time.process_time() - began
    atoms = np.array([len(frame) for frame in test])
    numbers = {"third": round(published / 3), "equal": published, "most": LARGEST}
    budgets = [numbers.get(size) or int(size) for size in sizes]
    began = time.process_time()
    answer = run(
        setting,
        test,
        budgets,
        methods,
        trial_fit(SHORT if short else None, members),
        range(seeds),
        say=lambda text: print(f"{time.process_time():6.0f} s  {text}", flush=True),
    )
    seconds = time.process_time() - began
    network = "network" if members == 1 else f"committee of {members}"
    network = f"short {network}" if short else network
    rows = []
    for candidate, row in zip(answer.candidates, answer.ranking.table.to_dict("records"), strict=True):
        found: dict[str, Any] = {
            "element": element,
            "split": split,
            "functions": candidate.budget,
            "method": candidate.method,
            "model": network if candidate.model == "network" else candidate.model,
            "fits": len(candidate.energy_errors),
            "cost_us_per_atom": row["cost_us_per_atom"],
        }
        for name, values in pooled(candidate, atoms).items():
            found |= {name: values.mean(), f"{name}_low": values.min(), f"{name}_high": values.max()}
        found |= {name: row[name] for name in BEHIND}
        rows.append(found | {"prepare_cpu_s": round(prepared, 1), "fits_cpu_s": round(seconds, 1)})
    return rows


def published_rows(data: Path, element: str) -> list[dict[str, Any]]:
    """Of the published network and of GAP."""
    table = pd.read_csv(data / "published.csv").set_index("element").loc[element]
    functions = len(from_n2p2((data / f"{element}_published.nn").read_text())[element])
    rows = []
    for name, method in (("nnp", "published network"), ("gap", "GAP")):
        errors = {key: table[f"{name}_{key}"] for key in ERRORS if f"{name}_{key}" in table}
        rows.append({"element": element, "split": "published", "method": method, **errors})
    rows[0]["functions"] = functions
    return rows


def merged(known: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Both tables, what was found anew in the place of what was known."""
    table = pd.concat([known, found], ignore_index=True).drop_duplicates(KEY, keep="last")
    return table.astype({"functions": "Int64", "fits": "Int64"}).sort_values(KEY, na_position="first")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/mlearn_choice.csv")
    parser.add_argument("--element", action="append", help="one of the set; several times (Mo, Si and Ge)")
    parser.add_argument("--method", action="append", help="of choosing; several times")
    parser.add_argument("--size", action="append", help="third, equal, most or a number; several times")
    parser.add_argument("--split", choices=SPLITS, default=SPLITS[0])
    parser.add_argument("--seeds", type=int, default=3, help="networks on each set, and random sets")
    parser.add_argument("--members", type=int, default=1, help="networks of a committee")
    parser.add_argument("--short", action="store_true", help="networks of a few steps")
    options = parser.parse_args()
    table = pd.read_csv(options.output) if options.output.exists() else pd.DataFrame(columns=KEY)
    for element in options.element or ELEMENTS:
        rows = published_rows(options.data, element)
        rows += of_element(
            options.data,
            element,
            options.split,
            options.size or ("third", "equal", "most"),
            options.seeds,
            options.method or METHODS,
            options.short,
            options.members,
        )
        if options.output.exists():  # another run may have written meanwhile
            table = pd.read_csv(options.output)
        table = merged(table, pd.DataFrame(rows))
        write_table(options.output, table)
    print("\n".join([*choice_table(table, options.split), "", *goals_table(table)]))


if __name__ == "__main__":
    main()
