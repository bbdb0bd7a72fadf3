"""Which figures are drawn, and how."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bpstudy.config.base import Distinct, Name, Positive, Section

FigureName = Annotated[str, Field(pattern=r"^fig[0-9]{2}$")]


class SumFigure(Section):
    """E against the sum of all symmetry functions."""

    experiment: Name
    atom: Annotated[int, Field(ge=0)] | None = Field(description="atom whose functions are summed; null: all atoms")


class Figures(Section):
    """Which figures are drawn, and how; fig01 (E against time) and fig02 (E against G) are of unit_functions.system."""

    formats: Annotated[tuple[Literal["png", "svg", "pdf"], ...], Distinct] = Field(strict=False, min_length=1)
    dpi: Annotated[int, Field(ge=72, le=1200)] = Field(description="resolution of the PNG files")
    width_cm: Positive = Field(ge=5, le=50, description="width of a full-width figure in print, cm")
    predictions: dict[FigureName, Name] = Field(description="figure: experiment, E(DFT) against E(NN)")
    sums: dict[FigureName, SumFigure] = Field(description="figure: E against the sum of the functions")
    overview: Annotated[tuple[Name, ...], Distinct] = Field(
        strict=False, description="experiments compared in fig11, all seeds"
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        taken = ["fig01", "fig02", "fig11", *self.predictions, *self.sums]
        if len(set(taken)) != len(taken):
            raise ValueError("duplicate figure (fig01, fig02 and fig11 are taken)")
        return self

    def experiments(self) -> dict[str, str]:
        """Each key of the configuration that names an experiment, and the experiment."""
        return {
            **{f"figures.predictions.{figure}": name for figure, name in self.predictions.items()},
            **{f"figures.sums.{figure}.experiment": of.experiment for figure, of in self.sums.items()},
            **{f"figures.overview[{place}]": name for place, name in enumerate(self.overview)},
        }
