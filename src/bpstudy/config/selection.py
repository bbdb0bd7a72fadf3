"""The choice of symmetry functions: pool, methods, budgets, and how the chosen sets are fitted and compared."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bpstudy.config.analysis import FEWEST_COMPARED, FunctionType
from bpstudy.config.base import Count, Distinct, Name, NonNegative, Positive, Section, Seed

RANDOM = "random"
# The methods of bpstudy.selection.methods; a test holds them equal.
METHODS = (
    "second-order",
    "second-order-per-cost",
    "forward",
    "forward-per-cost",
    "pcov-cur",
    "pcov-fps",
    "group-lasso",
    "sensitivity",
    "trees",
    "cur",
    "fps",
    "range",
    "grid-paper",
    "grid-fortnet",
    "grid-behler",
    RANDOM,
)
CONTROLS = ("grid-paper", "grid-fortnet", "grid-behler", RANDOM)  # these look at no data beyond the distances
COMBINATIONS = "combinations"
ALL_FRAMES, HALVES = "all", ("first-half", "second-half")
REACH = 2.3  # nearest-neighbour distances: the largest cutoff, where none is given
OF_SCHEMES = {"G2": 27, "G3": 6, "G4": 22, "G5": 22}  # functions of the schemes at each cutoff; a test holds them equal
FEWEST_CHOSEN_ON = 10  # frames; each half of them has five, one a fold
LARGEST_BUDGET = 1000  # functions; pools have some hundred

Positives = Annotated[tuple[Positive, ...], Field(strict=False, min_length=1), Distinct]


class CandidatePool(Section):
    """The candidates: see bpstudy.selection.pool."""

    cutoff_angstrom: Annotated[float, Field(ge=1, le=50)] | None = Field(
        description="largest cutoff, Å; null: 2.3 nearest-neighbour distances"
    )
    fractions: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(strict=False, min_length=1)] = Field(
        description="cutoffs of the candidates, relative to the largest"
    )
    types: Annotated[tuple[FunctionType, ...], Distinct] = Field(
        strict=False, min_length=1, description="types of functions; n2p2, for example, has no G3"
    )
    widths: Positives = Field(description="widths of the shifted G2, in nearest-neighbour distances d")
    angular_etas: Annotated[tuple[NonNegative, ...], Distinct] = Field(
        strict=False, description="η d² of G4 and G5, in addition to those of the schemes"
    )
    zetas: Positives = Field(description="ζ of G4 and G5, each with λ = 1 and -1")
    largest_correlation: float = Field(
        gt=0, le=1, description="largest |r| of two functions over the atoms; above it, one of them is dropped"
    )

    def most(self, n_elements: int, nearest_angstrom: float) -> int:
        """An upper bound on the number of candidates, before dead and duplicate ones are dropped.

        Args:
            nearest_angstrom: the nearest-neighbour distance.
        """
        largest = self.cutoff_angstrom or REACH * nearest_angstrom
        total = 0
        for cutoff in (fraction * largest for fraction in self.fractions):
            counts = {"G1": 1, "G2": OF_SCHEMES["G2"], "G3": OF_SCHEMES["G3"]}
            for width in self.widths:
                step = width * nearest_angstrom
                places = (cutoff - step / 2 - 0.8 * nearest_angstrom) / max(step, cutoff / 40)
                counts["G2"] += max(0, math.ceil(places))
            of_angles = 2 * len(self.angular_etas) * len(self.zetas)
            total += n_elements * sum(count for kind, count in counts.items() if kind in self.types)
            pairs = n_elements * (n_elements + 1) // 2
            total += pairs * sum(of_angles + OF_SCHEMES[kind] for kind in ("G4", "G5") if kind in self.types)
        return total


class TrialNetworks(Section):
    """The networks fitted to each set: two tanh layers parallel to a linear one that starts at the ridge solution."""

    hidden: tuple[Annotated[int, Field(ge=1, le=1000)], Annotated[int, Field(ge=1, le=1000)]] = Field(
        strict=False, description="neurons of the two hidden layers"
    )
    max_iterations: Count = Field(description="Levenberg-Marquardt steps")
    patience: Count = Field(description="steps without a lower error on the validation fold after which a fit stops")
    weight_decay: NonNegative = Field(
        description="weight decay in the loss, in which an error of one tolerance counts 1"
    )
    components: Count = Field(description="number of fitted force components of each frame, drawn at random")


class Selection(Section):
    """Which symmetry functions? Methods compared at equal budget, on the same networks and frames."""

    frames: Name = Field(description="training frames, on which functions are chosen and networks fitted")
    held_out: Name = Field(description="test frames that decide, from another run; no choice looks at them")
    tested: Annotated[int, Field(ge=FEWEST_COMPARED)] = Field(
        description="number of frames of held_out for the test of each set, evenly spaced; all if there are fewer"
    )
    budgets: Annotated[tuple[Annotated[int, Field(ge=1, le=LARGEST_BUDGET)], ...], Distinct] = Field(
        strict=False, min_length=1, description="numbers of functions"
    )
    methods: Annotated[tuple[Literal[METHODS], ...], Distinct] = Field(  # type: ignore[valid-type]
        strict=False, min_length=1, description="how functions are chosen; random is the control"
    )
    main_method: Literal[METHODS] = Field(  # type: ignore[valid-type]
        description="the method on which claims S1, S2 and S4 are decided, named beforehand; one of methods"
    )
    random_sets: Count = Field(description="random sets at each budget, a multiple of the number of seeds")
    seeds: Annotated[tuple[Seed, ...], Distinct] = Field(
        strict=False, min_length=1, description="random seeds of the networks; five or more for useful intervals"
    )
    combinations: Annotated[tuple[Name, ...], Distinct] = Field(
        strict=False,
        description="experiments whose functions are fitted in the same way for comparison: those of the paper",
    )
    pool: CandidatePool
    network: TrialNetworks
    threads: Count = Field(description="threads of the job that makes the pool; results do not depend on it")

    @model_validator(mode="after")
    def _main_method_is_compared(self) -> Self:
        if self.main_method not in self.methods or self.main_method in CONTROLS:
            allowed = [name for name in self.methods if name not in CONTROLS]
            raise ValueError(
                f"main_method = {self.main_method!r}: it must be one of methods that looks at the data; allowed: "
                f"{', '.join(allowed) or 'none, add second-order to methods'}"
            )
        if taken := sorted(set(self.chosen) & set(self.combinations)):
            raise ValueError(f"combinations: {taken[0]!r} is the name of a chosen set; rename the experiment")
        if RANDOM in self.methods and self.random_sets % len(self.seeds):
            raise ValueError(
                f"random_sets = {self.random_sets}: it must be a multiple of the {len(self.seeds)} seeds, "
                f"which share them; write {len(self.seeds) * max(1, round(self.random_sets / len(self.seeds)))}"
            )
        return self

    @property
    def chosen(self) -> dict[str, tuple[str, int, str]]:
        """(method, budget, part of the training frames that it is chosen on) of each chosen set, by name."""
        found = {
            f"{method}-{budget}": (method, budget, ALL_FRAMES) for method in self.methods for budget in self.budgets
        }
        for part in HALVES:
            for budget in self.budgets:
                found[f"{self.main_method}-{budget}-{part}"] = (self.main_method, budget, part)
        return found

    @property
    def groups(self) -> dict[str, list[str]]:
        """Names of the sets that one job fits: those of a method, or all combinations."""
        found: dict[str, list[str]] = {method: [] for method in self.methods}
        for name, (method, _, _) in self.chosen.items():
            found[method].append(name)
        return found | ({COMBINATIONS: list(self.combinations)} if self.combinations else {})
