"""Symmetry functions: blocks made by a scheme, and the unit functions of the normalization analysis."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bpstudy.config.base import Count, Name, NonNegative, Positive, Section

# The schemes of bpstudy.symmetry.grids; a test holds them equal.
GRIDS: dict[str, tuple[str, ...]] = {
    "G1": ("graded", "degenerate"),
    "G2": ("fortnet", "behler2011", "gastegger2018-shifted", "gastegger2018-centered"),
    "G3": ("harmonic",),
    "G4": ("fortnet", "behler2011"),
    "G5": ("fortnet", "behler2011"),
}


class Block(Section):
    """A group of symmetry functions of one type, made by one scheme; computed once and shared by the experiments."""

    type: Literal["G1", "G2", "G3", "G4", "G5"]
    count: Count = Field(le=10_000, description="number of functions")
    cutoff_angstrom: Positive = Field(ge=1, le=50, description="Rc, Å")
    grid: str = Field(description="scheme of the parameters")
    pairs: Literal["unordered", "ordered", "fortnet"] | None = Field(
        default=None, description="convention of the sum over pairs of neighbours; required for G4 and G5"
    )

    @model_validator(mode="after")
    def _combination(self) -> Self:
        if self.grid not in GRIDS[self.type]:
            raise ValueError(
                f"grid {self.grid!r} does not exist for {self.type}; allowed: {', '.join(GRIDS[self.type])}"
            )
        if (self.pairs is not None) != (self.type in ("G4", "G5")):
            raise ValueError("pairs must be given for G4 and G5 and for no other type")
        return self

    @property
    def slug(self) -> str:
        return "-".join(filter(None, (self.type, str(self.count), self.grid, self.pairs)))

    @property
    def folder(self) -> str:
        return f"rc{self.cutoff_angstrom:g}"


class UnitFunctions(Section):
    """One function of each type, for E(G), the hierarchy of magnitudes and the need to normalise."""

    system: Name
    cutoff_angstrom: Positive
    eta_per_angstrom2: NonNegative
    rs_angstrom: NonNegative
    kappa_per_angstrom: NonNegative
    zeta: Positive
    lam: Literal[-1, 1] = Field(description="λ")
    pairs: Literal["unordered", "ordered", "fortnet"]
    other_cutoffs_angstrom: tuple[Positive, ...] = Field(
        strict=False, description="further cutoffs for the hierarchy, also taken in Bohr"
    )
    bins: Count = Field(description="bins of G over which the spread of E is taken")
