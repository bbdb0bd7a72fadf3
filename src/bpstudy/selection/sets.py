"""The sets of a study of the choice: chosen by each method at each budget, on all training frames and on each half.

The main method also chooses on the first and on the second half of the training frames: how much of a choice is the
data's accident? The pool, the tolerances and the frames that networks are fitted to are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from ase import Atoms

from bpstudy.config.selection import ALL_FRAMES, COMBINATIONS, HALVES, RANDOM, CandidatePool, Selection
from bpstudy.selection.cost import model_us
from bpstudy.selection.pool import PoolSettings
from bpstudy.selection.targets import Tolerances
from bpstudy.symmetry import SymmetryFunctions


@dataclass(frozen=True, eq=False)
class FittedSet:
    """Functions to which networks are fitted.

    Attributes:
        method: that chose them; `COMBINATIONS` for those of an experiment.
        budget: number of functions.
        part: of the training frames that they are chosen on: all, first-half or second-half.
        draws: the functions; several for random sets.
        cost_us: modelled µs an atom for energy and forces, of the first draw.
    """

    method: str
    budget: int
    part: str
    draws: tuple[SymmetryFunctions, ...]
    cost_us: float


@dataclass(frozen=True, eq=False)
class Sets:
    """All sets by name, and what their fits and the report of them need.

    Attributes:
        pool: a row a candidate: label, type, cutoff_angstrom, cost_us.
    """

    elements: tuple[str, ...]
    tolerances: Tolerances
    sets: Mapping[str, FittedSet]
    pool: pd.DataFrame

    def to_json(self) -> str:
        """Text that `read_sets` reads."""
        sets = {
            name: {
                "method": of.method,
                "budget": of.budget,
                "part": of.part,
                "cost_us": of.cost_us,
                "draws": [json.loads(functions.to_json()) for functions in of.draws],
            }
            for name, of in self.sets.items()
        }
        units = {
            "energy_ev": self.tolerances.energy_ev,
            "force_ev_per_angstrom": self.tolerances.force_ev_per_angstrom,
        }
        return json.dumps({"elements": self.elements, "tolerances": units, "sets": sets}, indent=1) + "\n"


def read_sets(text: str, pool: pd.DataFrame) -> Sets:
    """What `Sets.to_json` wrote."""
    data = json.loads(text)

    def one(of: Mapping[str, Any]) -> FittedSet:
        draws = tuple(SymmetryFunctions.from_json(json.dumps(draw)) for draw in of["draws"])
        return FittedSet(of["method"], of["budget"], of["part"], draws, of["cost_us"])

    sets = {name: one(of) for name, of in data["sets"].items()}
    return Sets(tuple(data["elements"]), Tolerances(**data["tolerances"]), sets, pool)


def pool_settings(pool: CandidatePool) -> PoolSettings:
    """Of the configuration's section."""
    values = pool.model_dump()
    return PoolSettings(cutoff=values.pop("cutoff_angstrom"), **values)


def choose_sets(
    train: Sequence[Atoms],
    selection: Selection,
    combinations: Mapping[str, SymmetryFunctions],
    say: Callable[[str], None] = print,
) -> Sets:
    """Every set of the study, chosen on the training frames alone.

    Raises:
        ValueError: frames that cannot be used, or a budget above what is left of the pool.
    """
    from bpstudy.selection.methods import choose
    from bpstudy.selection.setting import prepare

    setting = prepare(train, pool=pool_settings(selection.pool), threads=selection.threads)
    pool, units, middle = setting.pool, setting.problem.tolerances, len(train) // 2
    say(f"{len(pool.functions)} candidates, {len(pool.dead)} dead and {len(pool.doubled)} doubled ones dropped")
    if not setting.problem.equations.has_forces:
        say("no forces in the data: functions are chosen, fitted and tested by energies alone")
    if max(selection.budgets) > len(pool.functions):
        raise ValueError(
            f"selection.budgets: {max(selection.budgets)} functions; {len(pool.functions)} candidates are left of the "
            "pool without dead and doubled ones. Take fewer, or enlarge selection.pool"
        )
    problems = {ALL_FRAMES: setting.problem}
    for part, frames in zip(HALVES, (train[:middle], train[middle:]), strict=True):
        half = prepare(frames, pool=pool, tolerances=units, threads=selection.threads)
        problems[part] = half.problem
    sets: dict[str, FittedSet] = {}
    for name, (method, budget, part) in selection.chosen.items():
        say(f"{name}: choosing")
        count = selection.random_sets if method == RANDOM else 1
        draws = tuple(choose(method, problems[part], budget, draw) for draw in range(count))
        sets[name] = FittedSet(method, budget, part, draws, model_us(draws[0].functions, setting.around))
    for name, functions in combinations.items():
        cost = model_us(functions.functions, setting.around)
        sets[name] = FittedSet(COMBINATIONS, len(functions), ALL_FRAMES, (functions,), cost)
    table = pd.DataFrame(
        {
            "label": pool.functions.labels,
            "type": [type(f).__name__ for f in pool.functions.functions],
            "cutoff_angstrom": [f.cutoff for f in pool.functions.functions],
            "cost_us": setting.problem.costs_us,
        }
    )
    return Sets(setting.problem.equations.elements, units, sets, table)
