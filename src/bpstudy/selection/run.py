"""The whole answer for some data, in the time there is: choose, fit, test, recommend.

Linear potentials on every set come first, then networks on every set in rounds, one seed a round; a round that the time
does not allow is left out, and the first may be cut short. Random sets are drawn anew in each round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from bpstudy.selection.cost import model_us
from bpstudy.selection.linear import linear_errors
from bpstudy.selection.methods import choose
from bpstudy.selection.recommendation import Candidate, Ranking, recommend
from bpstudy.selection.setting import Setting
from bpstudy.selection.targets import Tolerances
from bpstudy.symmetry import SymmetryFunctions

Array = NDArray[np.float64]
Errors = tuple[Array, Array | None]
"""Of the energy an atom, eV, and root mean square of each frame's forces, eV/Å, (n_frames,); None without forces."""
Folds = Sequence[int] | NDArray[np.integer]
Fit = Callable[[SymmetryFunctions, Sequence[Atoms], Folds, Sequence[Atoms], Tolerances, int], Errors]
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
    linear: dict[Key, list[Errors]] = field(default_factory=dict)
    network: dict[Key, list[Errors]] = field(default_factory=dict)


def run(
    setting: Setting,
    test: Sequence[Atoms],
    budgets: Sequence[int],
    methods: Sequence[str],
    fit: Fit | None,
    seeds: Sequence[int],
    minutes: float = np.inf,
    block_length: int = 1,
    say: Callable[[str], None] = lambda text: None,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Compare methods at the budgets on `test` and recommend.

    Args:
        fit: of a network; None for linear potentials alone.
        seeds: of the networks, one a round.
        minutes: no fit begins later than that after the start, but for the first methods' linear potentials.
        block_length: of consecutive test frames that are alike.
        say: is told of each step.

    Raises:
        ValueError: a method or budget that is not possible, or too few test frames.
    """
    if not budgets or not methods:
        raise ValueError("one budget and one method at least are needed")
    end, done, left_out = clock() + 60 * minutes, _Progress(), list[str]()
    ordered = sorted(dict.fromkeys(methods), key=lambda name: name not in FIRST_METHODS)
    keys = [(name, budget) for name in ordered for budget in sorted(set(budgets))]
    for name, budget in keys:
        chosen_set(setting, done, (name, budget), 0)  # fails for what is impossible before anything is fitted
        draws = RANDOM_DRAWS if name == RANDOM else 1
        for draw in range(draws):
            if clock() > end and name not in FIRST_METHODS:
                left_out.append(f"linear potential on {name}, {budget} functions")
                break
            say(f"{name}, {budget} functions: linear potential")
            chosen = chosen_set(setting, done, (name, budget), draw)
            errors = linear_errors(chosen, setting.train, setting.folds, test, setting.problem.tolerances)
            done.linear.setdefault((name, budget), []).append(errors)
    rounds = 0
    for turn, seed in enumerate(seeds if fit is not None else ()):
        found: dict[Key, Errors] = {}
        for key in keys:
            if clock() > end:
                break
            say(f"{key[0]}, {key[1]} functions: network, seed {seed}")
            chosen = chosen_set(setting, done, key, turn)
            assert fit is not None
            found[key] = fit(chosen, setting.train, setting.folds, test, setting.problem.tolerances, seed)
        if len(found) < len(keys):
            left_out.append(f"networks: seed {seed} on {len(keys) - len(found)} of {len(keys)} sets")
            if turn:
                break
        for key, errors in found.items():
            done.network.setdefault(key, []).append(errors)
        rounds += bool(found)
        if clock() > end:
            break
    if fit is not None and rounds < len(seeds):
        left_out.append(f"networks: {len(seeds) - rounds} of {len(seeds)} seeds")
    candidates = _candidates(setting, done, rounds or RANDOM_DRAWS)
    ranking = recommend(candidates, np.random.default_rng(0), block_length)
    return Answer(candidates, ranking, left_out)


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
            forces = [force for _, force in kept if force is not None]
            functions = done.sets[(name, budget), 0]
            found.append(
                Candidate(
                    name,
                    budget,
                    model,
                    functions,
                    model_us(functions.functions, setting.around),
                    np.array([energy for energy, _ in kept]),
                    np.array(forces) if len(forces) == len(kept) else None,
                )
            )
    return found
