"""Tables of docs/own_data.md and docs/choosing.md about the data of Zuo et al., from what `benchmarks` measured."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tools.tables import between

DOCS = Path(__file__).parents[1] / "docs"
ENERGY, FORCE = "energy_mae_mev_per_atom", "force_mae_ev_per_angstrom"
ENERGY_RMSE, FORCE_RMSE = "energy_rmse_mev_per_atom", "force_rmse_ev_per_angstrom"
PUBLISHED, GAP, OURS, RANDOM = "published network", "GAP", "second-order", "random"
METHODS = (OURS, "forward", RANDOM)
NETWORKS, COMMITTEE = ("network", "short network"), "committee of 5"
MODELS = (*NETWORKS, COMMITTEE, "linear")
THIRD, EQUAL, ON_AVERAGE, MOST = 1.0, 0.85, 0.7, 64  # goals: ratios to the published errors, functions
LI_2024 = {"Ge": (18, 10.2, 0.0848)}  # functions, RMSE of the energy (meV/atom) and of the forces (eV/Å)


def markdown(header: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]


def functions_table(table: pd.DataFrame) -> list[str]:
    """Of `benchmarks.mlearn`: means over the seeds, with the lowest and the highest of several."""
    rows = []
    for (element, split, model), of in table.groupby(["element", "split", "model"], sort=False):
        count = of["functions"].max()
        cells = [_spread(of[name].tolist(), digits) for name, digits in ((ENERGY, 3), (FORCE, 3))]
        rows.append([str(element), str(split), str(model), "" if pd.isna(count) else f"{count:.0f}", *cells])
    return markdown(["element", "split", "model", "functions", "energy MAE, meV/atom", "force MAE, eV/Å"], rows)


def _spread(values: list[float], digits: int) -> str:
    mean = sum(values) / len(values)
    ends = f" ({min(values):.{digits}g}–{max(values):.{digits}g})" if len(values) > 1 else ""
    return f"{mean:.{digits}g}{ends}"


def mixed_table(table: pd.DataFrame) -> list[str]:
    """Of `benchmarks.mixed`."""
    rows = [
        [row["case"], f"{row['value']} {row['grows']}", f"{row['cpu_s']:.3g}", f"{row['peak_mb']:.0f}"]
        for row in table.to_dict("records")
    ]
    return markdown(["case", "size", "seconds", "peak of memory, MB"], rows)


def choice_table(table: pd.DataFrame, split: str) -> list[str]:
    """Of `benchmarks.mlearn_choice`: a row for each element, number of functions and model."""
    rows = []
    of_split = table[table["split"] == split]
    if of_split.empty:
        return ["Not measured yet."]
    for element, of in of_split.groupby("element", sort=False):
        for name in (PUBLISHED, GAP):
            for row in of[of["method"] == name].to_dict("records"):
                count = "" if pd.isna(row["functions"]) else f"{row['functions']:.0f}"
                rows.append([str(element), count, name, f"{row[ENERGY]:.2f}", f"{row[FORCE]:.4f}", *[""] * 5])
        ours = of[of["model"].notna()]
        for count in sorted(ours["functions"].unique()):
            for model in MODELS:
                found = ours[(ours["functions"] == count) & (ours["model"] == model)].set_index("method")
                if len(found):
                    rows.append([str(element), f"{count:.0f}", model, *_cells(found)])
    pairs = [f"{method}: {what}" for method in METHODS for what in ("energy", "forces")]
    return markdown(["element", "functions", "model", *pairs, f"{OURS} against random"], rows)


def _cells(found: pd.DataFrame) -> Iterator[str]:
    """MAE of energy and forces by each method, and whether ours is significantly better than random sets."""
    for method in METHODS:
        for name, digits in ((ENERGY, 2), (FORCE, 4)):
            if method not in found.index:
                yield ""
                continue
            row = found.loc[method]
            several = row["fits"] > 1
            ends = f" ({row[f'{name}_low']:.{digits}f}–{row[f'{name}_high']:.{digits}f})" if several else ""
            yield f"{row[name]:.{digits}f}{ends}"
    away = found.loc[OURS] if OURS in found.index else None
    if away is None or pd.isna(away["behind_random"]):
        yield ""
        return
    verdict = (
        "significantly better"
        if away["behind_random_high"] < 0
        else "significantly worse"
        if away["behind_random_low"] > 0
        else "not significant"
    )
    yield f"{away['fits']:.0f} and {found.loc[RANDOM, 'fits']:.0f} fits: {verdict}"


def goals_table(table: pd.DataFrame) -> list[str]:
    """Reached or not: networks and committees of the main method, fixed beforehand, on the published split."""
    ours = table[(table["split"] == "published") & (table["method"] == OURS)]
    published = table[table["method"].isin((PUBLISHED, GAP))]
    alone, together = (_goals(published, ours[ours["model"].isin(models)]) for models in (NETWORKS, (COMMITTEE,)))
    rows = [[*goal, *cells, *together.get(goal, [""] * 3)] for goal, cells in alone.items()]
    header = [f"{model}: {what}" for model in ("network", COMMITTEE) for what in ("energy", "force", "reached")]
    return markdown(["element", "goal", *header], rows)


def _goals(published: pd.DataFrame, ours: pd.DataFrame) -> dict[tuple[str, str], list[str]]:
    """Energy, force and verdict of each goal, by element and goal; without those that were not measured."""
    found, average = dict[tuple[str, str], list[str]](), []
    for name, of in published.groupby("element", sort=False):
        theirs, gap = (of[of["method"] == method].iloc[0] for method in (PUBLISHED, GAP))
        element = str(name)
        own = ours[ours["element"] == element]
        for count, most in ((round(theirs["functions"] / 3), THIRD), (theirs["functions"], EQUAL)):
            if (best := _best(own, count)) is None:
                continue
            ratios = [best[quantity] / theirs[quantity] for quantity in (ENERGY, FORCE)]
            if most == EQUAL:
                average.append(ratios)
            goal = f"{count:.0f} functions: MAE at most {most:g} of the published network's"
            found[element, goal] = [*(f"{ratio:.2f}" for ratio in ratios), _said(max(ratios) <= most)]
        if len(few := own[own["functions"] <= MOST]):
            best = few.sort_values(FORCE).iloc[0]
            goal = f"{MOST} functions or fewer: force MAE at most GAP's {gap[FORCE]:g} eV/Å"
            cell = f"{best[FORCE]:.4f} eV/Å ({best['functions']:.0f} functions)"
            found[element, goal] = ["", cell, _said(best[FORCE] <= gap[FORCE])]
        if element in LI_2024:
            count, energy, force = LI_2024[element]
            if (best := _best(own, count)) is not None:
                goal = f"{count} functions: RMSE at most {energy:g} meV/atom and {1e3 * force:g} meV/Å (Li et al. 2024)"
                cells = [f"{best[ENERGY_RMSE]:.2f} meV/atom", f"{1e3 * best[FORCE_RMSE]:.1f} meV/Å"]
                found[element, goal] = [*cells, _said(best[ENERGY_RMSE] <= energy and best[FORCE_RMSE] <= force)]
    if average:
        means = [sum(pair[k] for pair in average) / len(average) for k in (0, 1)]
        goal = f"as many functions: MAE at most {ON_AVERAGE:g} of the published network's, on average"
        found["all", goal] = [*(f"{mean:.2f}" for mean in means), _said(max(means) <= ON_AVERAGE)]
    return found


def _best(ours: pd.DataFrame, count: float) -> pd.Series | None:
    """The model with the longer fits, where there are two."""
    of = ours[ours["functions"] == count]
    return of.sort_values("model", key=lambda names: names.map(MODELS.index)).iloc[0] if len(of) else None


def _said(reached: bool) -> str:
    return "yes" if reached else "no"


def renew() -> None:
    """Write the tables into the pages."""
    between(DOCS / "own_data.md", "mlearn", functions_table(pd.read_csv(DOCS / "mlearn.csv")))
    between(DOCS / "own_data.md", "mixed", mixed_table(pd.read_csv(DOCS / "mixed.csv")))
    chosen = pd.read_csv(DOCS / "mlearn_choice.csv")
    between(DOCS / "choosing.md", "choice", choice_table(chosen, "published"))
    between(DOCS / "choosing.md", "choice-trajectory", choice_table(chosen, "trajectory"))
    between(DOCS / "choosing.md", "goals", goals_table(chosen))


if __name__ == "__main__":
    renew()
