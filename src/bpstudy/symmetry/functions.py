"""The symmetry functions G1 to G5 as frozen, validated parameter records.

Lengths are in Å, eta in 1/Å², kappa in 1/Å; angles enter as cosines. The cutoff function is
fc(r) = ½ [cos(πr/Rc) + 1] for r ≤ Rc and 0 beyond. All periodic images inside the cutoff count.

References: J. Behler and M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007), doi:10.1103/PhysRevLett.98.146401;
J. Behler, J. Chem. Phys. 134, 074106 (2011), doi:10.1063/1.3553717.
"""

import math
from dataclasses import dataclass, fields

from ase.data import atomic_numbers

from bpstudy.symmetry.conventions import CONVENTIONS


def _fail(function: object, key: str, value: object, allowed: str) -> None:
    raise ValueError(f"{type(function).__name__}: {key} = {value!r} is not allowed; it must be {allowed}")


def _check_numbers(function: object) -> None:
    for field in fields(function):  # type: ignore[arg-type]
        value = getattr(function, field.name)
        if field.name in ("species", "pairs"):
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            _fail(function, field.name, value, "a finite number")
    if function.cutoff <= 0:  # type: ignore[attr-defined]
        _fail(function, "cutoff", function.cutoff, "a length in Å above 0")  # type: ignore[attr-defined]


def _check_element(function: object, symbol: object) -> None:
    if not isinstance(symbol, str) or atomic_numbers.get(symbol, 0) < 1:
        _fail(function, "species", symbol, "the symbol of an element such as 'Li', or None for all neighbours")


@dataclass(frozen=True)
class G1:
    """G1ᵢ = Σⱼ fc(rᵢⱼ), the smooth coordination number.

    Parameters: `cutoff` Rc in Å; `species`, the symbol of the neighbours that count (None: all).
    Source: doi:10.1063/1.3553717, eq. 5. Raises ValueError for a parameter out of range.
    """

    cutoff: float
    species: str | None = None

    def __post_init__(self) -> None:
        _check_radial(self)


@dataclass(frozen=True)
class G2:
    """G2ᵢ = Σⱼ exp(−η (rᵢⱼ − Rs)²) fc(rᵢⱼ), a smooth shell.

    Parameters: `eta` η ≥ 0 in 1/Å²; `rs` the centre 0 ≤ Rs ≤ Rc in Å; `cutoff` Rc in Å; `species` of the neighbours
    (None: all). Source: doi:10.1063/1.3553717, eq. 6. Raises ValueError for a parameter out of range.
    """

    eta: float
    rs: float
    cutoff: float
    species: str | None = None

    def __post_init__(self) -> None:
        _check_radial(self)
        if self.eta < 0:
            _fail(self, "eta", self.eta, "0 or more, in 1/Å²")
        if not 0 <= self.rs <= self.cutoff:
            _fail(self, "rs", self.rs, f"between 0 and the cutoff ({self.cutoff} Å)")


@dataclass(frozen=True)
class G3:
    """G3ᵢ = Σⱼ cos(κ rᵢⱼ) fc(rᵢⱼ), a damped cosine.

    Parameters: `kappa` κ ≥ 0 in 1/Å; `cutoff` Rc in Å; `species` of the neighbours (None: all).
    Source: doi:10.1063/1.3553717, eq. 7. Raises ValueError for a parameter out of range.
    """

    kappa: float
    cutoff: float
    species: str | None = None

    def __post_init__(self) -> None:
        _check_radial(self)
        if self.kappa < 0:
            _fail(self, "kappa", self.kappa, "0 or more, in 1/Å (the cosine is even)")


@dataclass(frozen=True)
class G4:
    """G4ᵢ = 2^(1−ζ) Σ (1 + λ cos θ)^ζ exp(−η (rᵢⱼ² + rᵢₖ² + rⱼₖ²)) fc(rᵢⱼ) fc(rᵢₖ) fc(rⱼₖ), closed triangles.

    Parameters: `eta` η ≥ 0 in 1/Å²; `zeta` ζ > 0; `lam` λ = −1 or 1; `cutoff` Rc in Å; `pairs` the convention of the
    sum over pairs (see `conventions`); `species`, the two elements of the neighbours in any order (None: all pairs).
    Source: doi:10.1063/1.3553717, eq. 8. Raises ValueError for a parameter out of range.
    """

    eta: float
    zeta: float
    lam: int
    cutoff: float
    pairs: str = "unordered"
    species: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        _check_angular(self)


@dataclass(frozen=True)
class G5:
    """G5ᵢ = 2^(1−ζ) Σ (1 + λ cos θ)^ζ exp(−η (rᵢⱼ² + rᵢₖ²)) fc(rᵢⱼ) fc(rᵢₖ), angles with no condition on the far side.

    Parameters: `eta` η ≥ 0 in 1/Å²; `zeta` ζ > 0; `lam` λ = −1 or 1; `cutoff` Rc in Å; `pairs` the convention of the
    sum over pairs (see `conventions`); `species`, the two elements of the neighbours in any order (None: all pairs).
    Source: doi:10.1063/1.3553717, eq. 9. Raises ValueError for a parameter out of range.
    """

    eta: float
    zeta: float
    lam: int
    cutoff: float
    pairs: str = "unordered"
    species: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        _check_angular(self)


RadialFunction = G1 | G2 | G3
AngularFunction = G4 | G5
SymmetryFunction = RadialFunction | AngularFunction
TYPES: dict[str, type] = {cls.__name__: cls for cls in (G1, G2, G3, G4, G5)}


def _check_radial(function: RadialFunction) -> None:
    _check_numbers(function)
    if function.species is not None:
        _check_element(function, function.species)


def _check_angular(function: AngularFunction) -> None:
    _check_numbers(function)
    if function.eta < 0:
        _fail(function, "eta", function.eta, "0 or more, in 1/Å²")
    if function.zeta <= 0:
        _fail(function, "zeta", function.zeta, "above 0")
    if function.lam not in (-1, 1):
        _fail(function, "lam", function.lam, "-1 or 1")
    if function.pairs not in CONVENTIONS:
        _fail(function, "pairs", function.pairs, f"one of {', '.join(CONVENTIONS)}")
    if function.species is not None:
        species = function.species
        if isinstance(species, str) or len(species) != 2:
            _fail(function, "species", species, "two element symbols such as ('Cu', 'Al'), or None for all pairs")
        for symbol in species:
            _check_element(function, symbol)
        # The order of the two neighbours has no meaning: equal functions compare equal.
        object.__setattr__(function, "species", tuple(sorted(species)))


def label(function: SymmetryFunction) -> str:
    """A short name with all parameters that differ from the defaults, e.g. `G2(eta=0.5,rs=1,cutoff=8)`."""
    parts = []
    for field in fields(function):
        value = getattr(function, field.name)
        if field.name in ("species", "pairs") and value == field.default:
            continue
        if isinstance(value, int | float):
            parts.append(f"{field.name}={value:.10g}")
        else:
            parts.append(f"{field.name}={value if isinstance(value, str) else '-'.join(value)}")
    return f"{type(function).__name__}({','.join(parts)})"
