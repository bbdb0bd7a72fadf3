"""A chosen set in the inputs of others: n2p2's and RuNNer's `symfunction_short` lines, and DScribe's parameters.

Both are read back by `bpstudy.symmetry.from_n2p2` and `from_dscribe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ase.data import atomic_numbers
from ase.units import Bohr

from bpstudy.symmetry import G1, G2, G3, G4, G5, SymmetryFunctions, from_dscribe
from bpstudy.symmetry.functions import SymmetryFunction, label

UNITS = {"angstrom": 1.0, "bohr": Bohr}


def n2p2_lines(functions: Iterable[SymmetryFunction], elements: Sequence[str], unit: str = "angstrom") -> str:
    """`symfunction_short` lines of every central element, in the order of the set.

    G1 and G2 are n2p2's type 2, G4 is 3 and G5 is 9. Functions of all neighbours are written for the one element there
    is.

    Raises:
        ValueError: a unit other than "angstrom" or "bohr", or a function that n2p2 does not have (G3, ordered pairs,
            one of all neighbours beside several elements).
    """
    if unit not in UNITS:
        raise ValueError(f"unit: {unit!r}; allowed are {', '.join(UNITS)}")
    ordered = sorted(set(elements), key=atomic_numbers.__getitem__)
    lines = [f"# lengths in {'Bohr' if unit == 'bohr' else 'Angstrom'}"]
    entries = [_entry(f, ordered, UNITS[unit]) for f in functions]
    lines += [f"symfunction_short {element} {entry}" for element in ordered for entry in entries]
    return "\n".join(lines) + "\n"


def _entry(function: SymmetryFunction, elements: Sequence[str], unit: float) -> str:
    if isinstance(function, G3):
        raise ValueError(f"{label(function)}: n2p2 has no G3")
    species = function.species
    if species is None:
        if len(elements) > 1:
            raise ValueError(f"{label(function)}: counts all elements, n2p2's functions one, or a pair, of them")
        species = (elements[0], elements[0]) if isinstance(function, G4 | G5) else elements[0]
    if isinstance(function, G1 | G2):
        eta, rs = (function.eta, function.rs) if isinstance(function, G2) else (0.0, 0.0)
        return f"2 {species} {eta * unit**2:.17g} {rs / unit:.17g} {function.cutoff / unit:.17g}"
    if function.pairs != "unordered":
        raise ValueError(f"{label(function)}: n2p2 sums over pairs j < k, 'unordered'")
    kind = 3 if isinstance(function, G4) else 9
    numbers = f"{function.eta * unit**2:.17g} {function.lam} {function.zeta:.17g} {function.cutoff / unit:.17g}"
    return f"{kind} {' '.join(species)} {numbers}"


def dscribe_parameters(functions: SymmetryFunctions, elements: Sequence[str]) -> list[dict[str, Any]]:
    """Arguments of `dscribe.descriptors.ACSF`, one for each cutoff of the set, and which of its columns are the set's.

    DScribe computes each parameter for every element or pair, and always G1, so that most of its columns are not
    wanted: `columns` holds the wanted ones and `functions` their places in the set.

    Raises:
        ValueError: a function that DScribe does not have.
    """
    ordered = sorted(set(elements), key=atomic_numbers.__getitem__)
    named = [_named(f, ordered) for f in functions.functions]
    found = []
    for cutoff in sorted({f.cutoff for f in named}):
        own = [f for f in named if f.cutoff == cutoff]
        arguments: dict[str, Any] = {"r_cut": cutoff, "species": ordered}
        for key, kind, names in (
            ("g2_params", G2, ("eta", "rs")),
            ("g3_params", G3, ("kappa",)),
            ("g4_params", G4, ("eta", "zeta", "lam")),
            ("g5_params", G5, ("eta", "zeta", "lam")),
        ):
            values = dict.fromkeys(tuple(getattr(f, n) for n in names) for f in own if isinstance(f, kind))
            if values:
                arguments[key] = [v[0] if len(v) == 1 else list(v) for v in values]
        places = {f: k for k, f in enumerate(from_dscribe(**arguments).functions)}
        rows = [k for k, f in enumerate(named) if f.cutoff == cutoff]
        found.append({**arguments, "columns": [places[named[k]] for k in rows], "functions": rows})
    return found


def _named(function: SymmetryFunction, elements: Sequence[str]) -> SymmetryFunction:
    """The function with its species spelled out."""
    if isinstance(function, G4 | G5) and function.pairs != "unordered":
        raise ValueError(f"{label(function)}: DScribe sums over pairs j < k, 'unordered'")
    if function.species is not None:
        return function
    if len(elements) > 1:
        raise ValueError(f"{label(function)}: counts all elements, DScribe's functions one, or a pair, of them")
    species: Any = (elements[0], elements[0]) if isinstance(function, G4 | G5) else elements[0]
    return type(function)(**{**function.__dict__, "species": species})
