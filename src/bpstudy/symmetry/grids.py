"""Automatic parameter grids: n functions of one type within one cutoff, by a named scheme."""

import math
from collections.abc import Callable
from functools import partial

from bpstudy.symmetry.functions import G1, G2, G3, G4, G5, SymmetryFunction

Scheme = Callable[[int, float, str], tuple[SymmetryFunction, ...]]
SCHEMES: dict[tuple[str, str], Scheme] = {}


def scheme(type_name: str, name: str) -> Callable[[Scheme], Scheme]:
    """Register a scheme for one type: a function of (count, cutoff in Å, pair convention)."""

    def register(make: Scheme) -> Scheme:
        SCHEMES[type_name, name] = make
        return make

    return register


def grid(type: str, count: int, cutoff: float, scheme: str, pairs: str = "unordered") -> tuple[SymmetryFunction, ...]:
    """`count` functions of `type` ("G1" … "G5") with cutoff Rc = `cutoff` (Å), by `scheme`.

    Schemes: G1 `graded`, `degenerate`; G2 `fortnet`, `behler2011`, `gastegger2018-shifted`, `gastegger2018-centered`;
    G3 `harmonic`; G4, G5 `fortnet`, `behler2011`. `pairs` is the pair convention of G4 and G5; the radial types do not
    use it. Raises ValueError for an unknown type or scheme, or a count below what the scheme needs.
    """
    known = sorted(name for kind, name in SCHEMES if kind == type)
    if not known:
        raise ValueError(f"type = {type!r} is not allowed; it must be one of G1, G2, G3, G4, G5")
    if (type, scheme) not in SCHEMES:
        raise ValueError(f"grid = {scheme!r} is not allowed for {type}; it must be one of {', '.join(known)}")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"count = {count!r} is not allowed; it must be a whole number above 0")
    if not cutoff > 0 or not math.isfinite(cutoff):
        raise ValueError(f"cutoff = {cutoff!r} is not allowed; it must be a length in Å above 0")
    return SCHEMES[type, scheme](count, cutoff, pairs)


def _at_least_two(count: int, name: str) -> None:
    if count < 2:
        raise ValueError(f"count = {count} is not allowed for {name}; it needs at least 2 functions")


@scheme("G1", "graded")
def _g1_graded(count: int, cutoff: float, pairs: str) -> tuple[G1, ...]:
    """Cutoffs Rc·i/n, i = 1 … n."""
    return tuple(G1(cutoff * i / count) for i in range(1, count + 1))


@scheme("G1", "degenerate")
def _g1_degenerate(count: int, cutoff: float, pairs: str) -> tuple[G1, ...]:
    """n identical functions."""
    return (G1(cutoff),) * count


@scheme("G2", "fortnet")
def _g2_fortnet(count: int, cutoff: float, pairs: str) -> tuple[G2, ...]:
    """Centres iΔ with Δ = Rc/(n−1), one η = 5 ln10/(4Δ²) (Fortnet)."""
    _at_least_two(count, "the G2 fortnet grid")
    step = cutoff / (count - 1)
    eta = 5 * math.log(10) / (4 * step**2)
    return tuple(G2(eta, min(i * step, cutoff), cutoff) for i in range(count))


@scheme("G2", "behler2011")
def _g2_behler(count: int, cutoff: float, pairs: str) -> tuple[G2, ...]:
    """Centred functions, η from 0.04/Rc² to 50/Rc² (width 0.1 Rc) in equal ratios (after doi:10.1063/1.3553717)."""
    return _g2_centered_etas(count, cutoff, 0.04 / cutoff**2, 50.0 / cutoff**2)


def _g2_centered_etas(count: int, cutoff: float, low: float, high: float) -> tuple[G2, ...]:
    ratio = (high / low) ** (1 / max(count - 1, 1))
    return tuple(G2(low * ratio**i, 0.0, cutoff) for i in range(count))


@scheme("G2", "gastegger2018-shifted")
def _g2_shifted(count: int, cutoff: float, pairs: str) -> tuple[G2, ...]:
    """Centres from 0.5 Å to Rc − 0.5 Å, Δ apart, one η = 1/(2Δ²) (wACSF, doi:10.1063/1.5019667, "shifted")."""
    _at_least_two(count, "the shifted G2 grid")
    if cutoff <= 1:
        raise ValueError(f"cutoff = {cutoff} Å is not allowed for the shifted G2 grid; it must be above 1 Å")
    step = (cutoff - 1.0) / (count - 1)
    return tuple(G2(1 / (2 * step**2), 0.5 + i * step, cutoff) for i in range(count))


@scheme("G2", "gastegger2018-centered")
def _g2_centered(count: int, cutoff: float, pairs: str) -> tuple[G2, ...]:
    """Rs = 0, widths from 1 Å to Rc − 0.5 Å, Δ apart: η = 1/(2 width²) (wACSF, doi:10.1063/1.5019667, "centered")."""
    _at_least_two(count, "the centred G2 grid")
    if cutoff <= 1.5:
        raise ValueError(f"cutoff = {cutoff} Å is not allowed for the centred G2 grid; it must be above 1.5 Å")
    step = (cutoff - 1.5) / (count - 1)
    return tuple(G2(1 / (2 * (1.0 + i * step) ** 2), 0.0, cutoff) for i in range(count))


@scheme("G3", "harmonic")
def _g3_harmonic(count: int, cutoff: float, pairs: str) -> tuple[G3, ...]:
    """κᵢ = iπ/Rc, i = 0 … n−1: the cosine series of the interval (i = 0 is G1). A choice of this study."""
    return tuple(G3(i * math.pi / cutoff, cutoff) for i in range(count))


def _angular_fortnet(cls: type, count: int, cutoff: float, pairs: str) -> tuple:
    """η = 2 ln10/Rc²; ζₘ = 1 + 30m/(n−2) (1 if n ≤ 2), each with λ = +1 then −1, until n functions (Fortnet)."""
    eta = 2 * math.log(10) / cutoff**2
    step = 30 / (count - 2) if count > 2 else 0.0
    return tuple(cls(eta, 1 + step * (i // 2), 1 if i % 2 == 0 else -1, cutoff, pairs) for i in range(count))


def _angular_behler(cls: type, count: int, cutoff: float, pairs: str) -> tuple:
    """ζ = 1, 2, 4, 8, 16 and λ = ±1, then the next larger η: η = 0.01/Bohr² · 3^k (after doi:10.1063/1.3553717)."""
    eta, zetas = 0.01 / 0.529177210903**2, (1, 2, 4, 8, 16)
    return tuple(
        cls(eta * 3.0 ** (i // 10), zetas[i % 10 // 2], 1 if i % 2 == 0 else -1, cutoff, pairs) for i in range(count)
    )


for _cls in (G4, G5):
    SCHEMES[_cls.__name__, "fortnet"] = partial(_angular_fortnet, _cls)
    SCHEMES[_cls.__name__, "behler2011"] = partial(_angular_behler, _cls)
