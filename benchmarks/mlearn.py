"""Errors on the data of Zuo et al. beside those of the published networks, with the same symmetry functions.

Y. Zuo et al., J. Phys. Chem. A 124, 731 (2020), doi:10.1021/acs.jpca.9b08723: Mo, Si and Ge.

    python -m benchmarks.mlearn --data FOLDER

FOLDER holds `<element>_training.xyz.xz`, `<element>_test.xyz.xz`, `<element>_published.nn` and `published.csv` of the
repository mlearn. Writes `docs/mlearn.csv`: a row for each element, split, model and seed, with the errors on the test
frames, the processor seconds of the fit, and those of the functions and dG/dR of all frames. Prints the means over the
seeds, with their range, as a table in Markdown.

published: the test frames of the data. They are snapshots of trajectories that are trained on as well. Every tenth
    training frame validates.
trajectory: training and test frames together, split so that a trajectory (a mode of strain, a surface) stays on one
    side, with another split for each seed: a tenth tests, a tenth validates.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from bpstudy.config.datasets import Imported, Split
from bpstudy.data.copies import copies
from bpstudy.data.dataset import DataSet, table_of
from bpstudy.data.parts import TEST, TRAIN, VALIDATION, parts_of
from bpstudy.files import write_table
from bpstudy.selection.reading import GROUP_KEYS, NUMBERS
from bpstudy.symmetry import from_n2p2
from bpstudy.training import FitSettings, TrainingSettings, fit_sets, frame_set

ROOT = Path(__file__).parents[1]
ELEMENTS = ("Mo", "Si", "Ge")
BY_DESCRIPTION = Split(by=GROUP_KEYS[0], ignore=NUMBERS, validation=0.1, test=0.1)
COMPONENTS = 48  # of the forces of a training frame
SETTINGS = FitSettings(
    (20, 20), (TrainingSettings(max_iterations=25, weight_decay=1e-5, patience=25),), 1.0, direct=True
)
ERRORS = {
    "energy_mae_mev_per_atom": "energy MAE, meV/atom",
    "energy_rmse_mev_per_atom": "energy RMSE, meV/atom",
    "force_mae_ev_per_angstrom": "force MAE, eV/Å",
    "force_rmse_ev_per_angstrom": "force RMSE, eV/Å",
}


def errors(test: Sequence[Atoms], energies_ev: np.ndarray, forces: Sequence[np.ndarray]) -> dict[str, float]:
    """Mean absolute and root-mean-square errors of the energies per atom and of all force components."""
    reference = np.array([atoms.get_potential_energy() for atoms in test])
    energy = 1000 * (energies_ev - reference) / np.array([len(atoms) for atoms in test])
    force = np.concatenate(forces) - np.concatenate([atoms.get_forces() for atoms in test])
    values = (f(x) for x in (energy, force) for f in (lambda x: np.abs(x).mean(), lambda x: np.sqrt((x**2).mean())))
    return dict(zip(ERRORS, map(float, values), strict=True))


def splits(
    table: pd.DataFrame, first_copy: Sequence[int], test_file: str, seeds: int
) -> Iterator[tuple[str, int, Any]]:
    """(name, seed, part of each frame)"""
    tested = (table["file"] == test_file).to_numpy()
    published = np.where(tested, TEST, TRAIN).astype(object)
    published[np.flatnonzero(~tested)[9::10]] = VALIDATION
    for seed in range(seeds):
        yield "published", seed, published
    for seed in range(seeds):
        yield (
            "trajectory",
            seed,
            np.array(parts_of(table, first_copy, BY_DESCRIPTION.model_copy(update={"seed": seed}))),
        )


def of_element(data: Path, element: str, seeds: int) -> Iterator[dict[str, Any]]:
    """The rows of one element."""
    files = tuple(str(data / f"{element}_{part}.xyz.xz") for part in ("training", "test"))
    frames = list(DataSet(Imported(files=files, split=BY_DESCRIPTION)))
    table, fingerprints = table_of(iter(frames))
    first_copy = copies((table["formula"] + table["pbc"]).tolist(), fingerprints, table["n_atoms"]).tolist()
    functions = from_n2p2((data / f"{element}_published.nn").read_text())[element]
    frame_set(functions, frames[:2])  # compiles
    began = time.process_time()
    known = frame_set(functions, frames, COMPONENTS)
    functions_s = time.process_time() - began
    for split, seed, parts in splits(table, first_copy, files[1], seeds):
        train, validation = (known.take(np.flatnonzero(parts == part)) for part in (TRAIN, VALIDATION))
        test = [atoms for atoms, part in zip(frames, parts, strict=True) if part == TEST]
        began = time.process_time()
        fits = fit_sets(functions, train, validation, SETTINGS, (seed,))
        seconds = time.process_time() - began
        counts = {"functions": len(functions), **{f"{of}_frames": int((parts == of).sum()) for of in (TRAIN, TEST)}}
        for name, found in fits.predict(test).items():
            model = (
                {"model": "network", "functions_cpu_s": round(functions_s, 1), "fit_cpu_s": round(seconds, 1)}
                if name == seed
                else {"model": "ridge"}
            )
            of = errors(test, found.energies_ev, found.forces_ev_per_angstrom)
            yield {"element": element, "split": split, "seed": seed, **model, **counts, **of}


def published(data: Path) -> pd.DataFrame:
    """The errors of the published networks in the columns of ours."""
    table = pd.read_csv(data / "published.csv")
    found = table[["element"]].assign(split="published", model="published network")
    for column in ERRORS:
        found[column] = table[f"nnp_{column}"]
    return found


def shown(table: pd.DataFrame) -> list[str]:
    """A table in Markdown: means over the seeds, and the range where there are several."""
    header = ("element", "split", "model", *ERRORS.values())
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    for (element, split, model), rows in table.groupby(["element", "split", "model"], sort=False):
        cells = []
        for column in ERRORS:
            values = rows[column]
            spread = f" ({values.min():.3g}–{values.max():.3g})" if len(values) > 1 else ""
            cells.append(f"{values.mean():.3g}{spread}")
        lines.append(f"| {' | '.join((str(element), str(split), str(model), *cells))} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/mlearn.csv")
    parser.add_argument("--element", action="append", choices=ELEMENTS, help="one of them; several times")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for element in options.element or ELEMENTS:
        for row in of_element(options.data, element, options.seeds):
            rows.append(row)
            print(row, flush=True)
    theirs = published(options.data)
    ours = pd.DataFrame(rows)
    order = {name: number for number, name in enumerate(("published network", "network", "ridge"))}
    table = pd.concat([theirs[theirs["element"].isin(ours["element"])], ours], ignore_index=True)
    table["element"] = pd.Categorical(table["element"], ELEMENTS)
    table = table.sort_values(
        ["element", "split", "model", "seed"], key=lambda of: of.map(order) if of.name == "model" else of
    )
    columns = [
        "element",
        "split",
        "model",
        "seed",
        "functions",
        "train_frames",
        "test_frames",
        *ERRORS,
        "functions_cpu_s",
        "fit_cpu_s",
    ]
    table = table[columns].astype(dict.fromkeys(("seed", "functions", "train_frames", "test_frames"), "Int64"))
    write_table(options.output, table)
    print("\n".join(shown(table.astype({"element": str}))))


if __name__ == "__main__":
    main()
