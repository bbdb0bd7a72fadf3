"""The whole answer for some data, in the time there is: choose, fit, test, recommend.

The first methods get a linear potential and a network at once, so that there is an answer early; then come linear
potentials on every other set, and networks on every set in rounds, one seed a round. A round that the time does not
allow is left out, and the first may be cut short. Random sets are drawn anew in each round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.selection.cost import model_us
from bpstudy.selection.linear import fit_linear, linear_errors
from bpstudy.selection.methods import choose
from bpstudy.selection.pool import Pool
from bpstudy.selection.recommendation import Candidate, Ranking, recommend
from bpstudy.selection.setting import Setting
from bpstudy.selection.targets import FrameErrors, Tolerances
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
Folds = Sequence[int] | NDArray[np.integer]
Fit = Callable[[SymmetryFunctions, Sequence[Atoms], Folds, Sequence[Atoms], Tolerances, int], FrameErrors]
"""(functions, training frames, their folds, test frames, tolerances, seed) to errors of the test frames."""
Key = tuple[str, int]  # method, budget
RANDOM = "random"
RANDOM_DRAWS = 10
FIRST_METHODS = ("second-order", "forward")
METHODS_OF_A_CHOICE = (*FIRST_METHODS, "second-order-per-cost", RANDOM, "grid-paper", "cur", "pcov-cur", "fps", "trees")


@dataclass(frozen=True, eq=False)
class Answer:
    """What `run` found: tested sets, their ranking, and what the time did not allow."""

    candidates: list[Candidate]
    ranking: Ranking
    left_out: list[str]


@dataclass
class _Progress:
    """Errors of each fit so far, by model and (method, budget)."""

    sets: dict[tuple[Key, int], SymmetryFunctions] = field(default_factory=dict)
    linear: dict[Key, list[FrameErrors]] = field(default_factory=dict)
    network: dict[Key, list[FrameErrors]] = field(default_factory=dict)


def run(
    setting: Setting,
    test: Sequence[Atoms],
    budgets: Sequence[int],
    methods: Sequence[str],
    fit: Fit | None,
    seeds: Sequence[int],
    minutes: float = np.inf,
    fits_after: int = 0,
    block_length: int = 1,
    say: Callable[[str], None] = lambda text: None,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Compare methods at the budgets on `test` and recommend.

    Args:
        fit: of a network; None for linear potentials alone.
        seeds: of the networks, one a round.
        minutes: no network is begun that would not be ready by then, if it takes as long as the longest so far, and
            no linear potential but those of the first methods.
        fits_after: so many networks more are to be ready by then: what the caller fits to the recommended set.
        block_length: of consecutive test frames that are alike.
        say: is told of each step.

    Raises:
        ValueError: a method or budget that is not possible, or too few test frames.
    """
    if not budgets or not methods:
        raise ValueError("one budget and one method at least are needed")
    check_budgets(setting.pool, budgets)
    end, done, left_out = clock() + 60 * minutes, _Progress(), list[str]()
    ordered = sorted(dict.fromkeys(methods), key=lambda name: name not in FIRST_METHODS)
    keys = [(name, budget) for name in ordered for budget in sorted(set(budgets))]
    seeds, longest = seeds if fit is not None else (), 0.0

    def network(key: Key, turn: int, found: dict[Key, FrameErrors]) -> bool:
        """Fit one, if the time allows it."""
        nonlocal longest
        began = clock()
        if began + (1 + fits_after) * longest > end:
            return False
        say(f"{key[0]}, {key[1]} functions: network, seed {seeds[turn]}")
        chosen = chosen_set(setting, done, key, turn)
        assert fit is not None
        found[key] = fit(chosen, setting.train, setting.folds, test, setting.problem.tolerances, seeds[turn])
        longest = max(longest, clock() - began)
        return True

    first: dict[Key, FrameErrors] = {}
    without_linear: list[Key] = []
    for name, budget in keys:
        for draw in range(RANDOM_DRAWS if name == RANDOM else 1):
            if clock() > end and name not in FIRST_METHODS:
                if draw == 0:
                    without_linear.append((name, budget))
                else:
                    left_out.append(f"{RANDOM_DRAWS - draw} of {RANDOM_DRAWS} random sets of {budget} functions")
                break
            say(f"{name}, {budget} functions: linear potential")
            chosen = chosen_set(setting, done, (name, budget), draw)
            done.linear.setdefault((name, budget), []).append(linear_of(setting, chosen, test))
        if seeds and name in FIRST_METHODS:
            network((name, budget), 0, first)
    for budget in sorted({budget for _, budget in without_linear}):
        names = ", ".join(name for name, of in without_linear if of == budget)
        left_out.append(f"all of {names} with {budget} functions")
    keys = [key for key in keys if key not in without_linear]
    rounds = 0
    for turn in range(len(seeds)):
        found = dict(first) if turn == 0 else {}
        complete = all(key in found or network(key, turn, found) for key in keys)
        if not complete and turn == 0:
            missing = ", ".join(f"{name} ({budget})" for name, budget in keys if (name, budget) not in found)
            left_out.append(f"networks on {missing}")
        if complete or turn == 0:
            for key, errors in found.items():
                done.network.setdefault(key, []).append(errors)
            rounds += bool(found)
        if not complete:
            break
    if rounds < len(seeds):
        left_out.append(f"networks: {len(seeds) - rounds} of {len(seeds)} seeds")
    candidates = _candidates(setting, done, rounds or RANDOM_DRAWS)
    ranking = recommend(candidates, np.random.default_rng(0), block_length)
    return Answer(candidates, ranking, left_out)


def check_budgets(pool: Pool, budgets: Sequence[int]) -> None:
    """Raise ValueError for a budget above the size of the pool."""
    size = len(pool.functions)
    if max(budgets) > size:
        raise ValueError(f"budget: {max(budgets)} functions, but the pool has {size}; ask for {size} or fewer")


def linear_of(setting: Setting, functions: SymmetryFunctions, test: Sequence[Atoms]) -> FrameErrors:
    """Errors of the linear potential; of functions of the pool its equations are there already."""
    places = {f: k for k, f in enumerate(setting.pool.functions.functions)}
    if all(f in places for f in functions.functions):
        equations = setting.problem.equations.take([places[f] for f in functions.functions])
        return fit_linear(functions, equations, setting.problem.tolerances).errors(test)
    return linear_errors(functions, setting.train, setting.folds, test, setting.problem.tolerances)


def chosen_set(setting: Setting, done: _Progress, key: Key, draw: int) -> SymmetryFunctions:
    """The set of a method at a budget, chosen once; random ones for each draw."""
    place = (key, draw % RANDOM_DRAWS if key[0] == RANDOM else 0)
    if place not in done.sets:
        done.sets[place] = choose(key[0], setting.problem, key[1], place[1])
    return done.sets[place]


def _candidates(setting: Setting, done: _Progress, draws: int) -> list[Candidate]:
    found = []
    for model, fits in (("network", done.network), ("linear", done.linear)):
        for (name, budget), errors in fits.items():
            kept = errors[:draws] if len(errors) >= draws else errors[:1]
            forces, maes = (
                [of[k] for of in kept if of[k] is not None] if all(of[k] is not None for of in kept) else None
                for k in (1, 2)
            )
            functions = done.sets[(name, budget), 0]
            found.append(
                Candidate(
                    name,
                    budget,
                    model,
                    functions,
                    model_us(functions.functions, setting.around),
                    np.array([of.energy for of in kept]),
                    None if forces is None else np.array(forces),
                    None if maes is None else np.array(maes),
                )
            )
    return found
