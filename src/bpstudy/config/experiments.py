"""Experiments: frames, functions, network and optimizer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from bpstudy.config.base import Count, Distinct, Name, NonNegative, Positive, Section
from bpstudy.config.functions import Block

ALL = "all"  # every frame of a system, whatever its parts


class Frames(Section):
    """Frames `start`, `start + stride`, … of a system's trajectory, `count` in all; or of a part of a data set."""

    system: Name
    count: Count | None = Field(default=None, description="number of frames; of a part, the largest number (null: all)")
    start: Annotated[int, Field(ge=0)] = 0
    stride: Count | Literal["even"] = Field(
        default=1, description="'even': the largest stride that the trajectory allows"
    )
    part: Literal["train", "validation", "test", "all"] | None = Field(
        default=None,
        description="part of systems.<system>.split, evenly spaced (start and stride do not apply); all: every frame",
    )
    share: float = Field(default=1.0, gt=0, le=1, description="fraction of the frames of a part")

    @model_validator(mode="before")
    @classmethod
    def _parts_know_no_start(cls, values: Any) -> Any:
        """An overlay that names a part replaces start and stride of the entry below it."""
        if isinstance(values, dict) and values.get("part") is not None:
            return {key: value for key, value in values.items() if key not in ("start", "stride")}
        return values

    @model_validator(mode="after")
    def _numbers_or_a_part(self) -> Self:
        if self.part is None and self.count is None:
            raise ValueError("count is missing (or name a part: train, validation, test, all)")
        if self.part is None and self.share != 1:
            raise ValueError("share belongs to a part: train, validation, test or all")
        return self

    @property
    def needed(self) -> int:
        """Minimum number of frames of the trajectory."""
        if self.part is not None or self.count is None:
            return 1
        return self.start + (self.count - 1) * (1 if self.stride == "even" else self.stride) + 1

    def indices(self, available: int) -> range:
        """Indices into a trajectory of `available` frames, where no part is named.

        Raises:
            ValueError: it is too short.
        """
        if self.count is None or self.part is not None:
            raise ValueError("the frames of a part are chosen by bpstudy.data.choose")
        if self.needed > available:
            raise ValueError(f"{self.needed} frames of {self.system} are needed, its trajectory has {available}")
        if self.stride == "even":
            stride = max(1, (available - 1 - self.start) // max(1, self.count - 1))
        else:
            stride = self.stride
        return range(self.start, self.start + (self.count - 1) * stride + 1, stride)


class Optimizer(Section):
    """How a network is fitted, and when it stops."""

    name: Literal["levenberg-marquardt", "lbfgs", "adam"]
    max_iterations: Count = Field(
        description="an iteration is one full-batch gradient (adam), one accepted L-BFGS or LM step"
    )
    target_mse_ev2: NonNegative = Field(description="stop at this training error, (eV per cell)²")
    patience: Count = Field(description="iterations without progress after which the fit stops")
    min_progress: NonNegative = Field(lt=1, description="relative decrease of the error that counts as progress")
    weight_decay: NonNegative | Annotated[tuple[NonNegative, ...], Field(strict=False, min_length=1), Distinct] = Field(
        default=0.0,
        description="in the loss, in units of var(E), see bpstudy.training; of several, the best on validation frames",
    )
    learning_rate: Positive | None = Field(default=None, description="adam only")

    @model_validator(mode="after")
    def _learning_rate(self) -> Self:
        if (self.learning_rate is not None) != (self.name == "adam"):
            raise ValueError("learning_rate must be given for adam and for no other optimizer")
        return self

    @property
    def weight_decays(self) -> tuple[float, ...]:
        """The weight decay, or all among which the validation frames choose."""
        return self.weight_decay if isinstance(self.weight_decay, tuple) else (self.weight_decay,)


class Forces(Section):
    """Forces fitted beside the energies, and tested."""

    weight: NonNegative = Field(
        description="weight of (error / RMS force)² relative to (error / sd(E))² in the loss; 0: forces are only tested"
    )
    frames: Count = Field(
        description="number of training frames with fitted forces, evenly spaced; all if there are fewer"
    )
    components: Count | None = Field(
        description="number of the 3N components of each frame, drawn at random; null: all"
    )
    tested: Count = Field(description="number of frames of each other set with tested forces, evenly spaced")


class Stress(Section):
    """Stress fitted beside the energies, and tested, where frames have one: as virials per atom, W = −V σ / n_atoms."""

    weight: NonNegative = Field(
        description="weight of (error / RMS of W)² relative to (error / sd(E))² in the loss; 0: stress is only tested"
    )
    frames: Count | None = Field(
        default=None, description="number of training frames with fitted stress, evenly spaced; null: all"
    )
    tested: Count | None = Field(
        default=None, description="number of frames of each other set with tested stress, evenly spaced; null: all"
    )


Neurons = Annotated[int, Field(ge=1, le=10_000)]


class Protocol(Section):
    """How networks are fitted and tested: everything of an experiment but its functions."""

    frames: Name = Field(description="training frames, a key of frames")
    validation: Name | None = Field(
        default=None,
        description="validation frames, a key of frames: the best weights on them are kept; null: on training frames",
    )
    held_out: tuple[Name, ...] = Field(strict=False, default=(), description="test frames, keys of frames")
    hidden: tuple[Neurons, ...] = Field(strict=False, min_length=1, description="neurons of the hidden layers")
    activation: Literal["tanh", "sigmoid", "softplus"] = "tanh"
    direct: bool = Field(
        default=False,
        description="a linear layer parallel to the hidden ones, from inputs to output, started at the ridge solution",
    )
    energy: Literal["potential", "free", "total"] = Field(
        default="potential",
        description="potential: at zero smearing; free: consistent with the forces; total: potential + kinetic",
    )
    forces: Forces | None = Field(default=None, description="null: energies alone are fitted")
    stress: Stress | None = Field(default=None, description="null: the stress is not used")
    optimizer: Name = Field(description="a key of optimizers")
    threads: Count = Field(
        description="seeds that are fitted at a time, each by one thread; results do not depend on it"
    )

    @model_validator(mode="after")
    def _sets_have_names_of_their_own(self) -> Self:
        if len(self.sets) != len(self.named_frames()):
            raise ValueError("held_out: duplicate frames, or frames called 'train' or 'validation'")
        return self

    @model_validator(mode="after")
    def _forces_belong_to_the_free_energy(self) -> Self:
        if self.forces is not None and self.energy != "free":
            raise ValueError(f"energy must be 'free' where there are forces, which belong to it; it is {self.energy!r}")
        if self.stress is not None and self.energy != "free":
            raise ValueError(f"energy must be 'free' where there is stress, which belongs to it; it is {self.energy!r}")
        return self

    def named_frames(self) -> dict[str, str]:
        """Each key of this section that names frames, and the frames, in the order of `sets`."""
        checked = {} if self.validation is None else {"validation": self.validation}
        return {"frames": self.frames, **checked, **{f"held_out[{n}]": name for n, name in enumerate(self.held_out)}}

    @property
    def sets(self) -> dict[str, str]:
        """Its frames by what they are for: {'train': …, 'validation': …, then each held-out by its own name}."""
        checked = {} if self.validation is None else {"validation": self.validation}
        return {"train": self.frames, **checked, **{name: name for name in self.held_out}}


class Experiment(Protocol):
    """A network, its functions and its frames."""

    functions: tuple[Block, ...] = Field(strict=False, min_length=1)

    @field_validator("functions")
    @classmethod
    def _distinct(cls, value: tuple[Block, ...]) -> tuple[Block, ...]:
        if len({(b.folder, b.slug) for b in value}) != len(value):
            raise ValueError("duplicate block of functions; remove one")
        return value
