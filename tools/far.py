"""Tables of docs/forces.md about `far-forces`: the trials on validation frames, the errors on the deciding ones."""

from pathlib import Path

import numpy as np
import pandas as pd

from bpstudy.files import write_table
from bpstudy.statistics.metrics import rms
from tools.tables import between

DOCS = Path(__file__).parents[1] / "docs"
ERRORS = ("energy_rmse_mev_per_atom", "force_rmse_mev_per_angstrom")
UNITS = ("meV/atom", "meV/Å")
SETTINGS = [
    "| functions | weight | weight decay | frames | components | neurons | iterations | meV/atom | meV/Å |",
    "|---|---|---|---|---|---|---|---|---|",
]


def setting_row(row: dict) -> str:
    cells = (row["blocks"].replace(" ", " + "), f"{row['weight']:g}", f"{row['weight_decay']:g}")
    cells += tuple(str(row[key]) for key in ("frames", "components", "neurons", "max_iterations"))
    cells += tuple(f"{row[f'validation_{key}']:.3g}" for key in ERRORS)
    mark = "**" if row["best"] else ""
    return f"| {' | '.join(f'{mark}{cell}{mark}' for cell in cells)} |"


def decided(results: Path, held_out: str = "independent") -> pd.DataFrame:
    """RMSE of the networks of `far-forces` on the frames that decide claim F3, a row for each seed."""
    rows = []
    for path in sorted(results.glob("training/far-forces/seed-*/predictions.csv")):
        of = pd.read_csv(path).query("set == @held_out")
        energy = rms((of["energy_nn_ev"] - of["energy_dft_ev"]) / of["n_atoms"])
        force = np.sqrt((of["force_error_nn_ev_per_angstrom"].dropna() ** 2).mean())
        rows.append(
            {"seed": int(path.parent.name.removeprefix("seed-")), ERRORS[0]: 1000 * energy, ERRORS[1]: 1000 * force}
        )
    return pd.DataFrame(rows)


def renew(results: Path) -> None:
    """Write the tables, and `docs/far_decided.csv` from the fits in `results`."""
    trials = pd.read_csv(DOCS / "far_settings.csv")
    trials["best"] = trials["product"] == trials["product"].min()
    between(DOCS / "forces.md", "far", [*SETTINGS, *map(setting_row, trials.to_dict("records"))])
    write_table(DOCS / "far_decided.csv", found := decided(results))
    median, least, greatest = (getattr(found[list(ERRORS)], name)() for name in ("median", "min", "max"))
    said = [
        f"{median[key]:.3g} {unit} ({least[key]:.3g}–{greatest[key]:.3g})"
        for key, unit in zip(ERRORS, UNITS, strict=True)
    ]
    between(DOCS / "forces.md", "far-decided", [f"**{' and '.join(said)}**, median and range over {len(found)} seeds."])
