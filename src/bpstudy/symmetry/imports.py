"""Symmetry functions from the inputs of others: n2p2's `symfunction_short` lines and DScribe's parameter lists."""

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement

from ase.data import atomic_numbers
from ase.units import Bohr

from bpstudy.symmetry.functions import G1, G2, G3, G4, G5, SymmetryFunction
from bpstudy.symmetry.sets import SymmetryFunctions

_N2P2_LENGTHS = {"2": (7, 7), "3": (9, 10), "9": (9, 10)}  # words of a line, the optional shift included


def from_n2p2(text: str, length_angstrom: float = Bohr) -> dict[str, SymmetryFunctions]:
    """The functions of each central element from an n2p2 input file, in the order of its `symfunction_short` lines.

    Types 2 (our G2), 3 (G4) and 9 (G5) with the cosine cutoff are read; `#` starts a comment. `length_angstrom` is the
    input's unit of length (default: Bohr). Angular functions are unordered sums, as in n2p2.
    Raises ValueError with the line's number for another type, a shifted angular function, another cutoff function, or
    wrong numbers.
    """
    found: dict[str, list[SymmetryFunction]] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        words = raw.split("#")[0].split()
        try:
            if words[:1] == ["symfunction_short"]:
                element, function = _n2p2_line(words, length_angstrom)
                found.setdefault(element, []).append(function)
            elif words and "symfunction" in words[0].lower() and not words[0].endswith("_electrostatic"):
                raise ValueError(f"{words[0]} is not read here; write one symfunction_short line for each function")
            elif words[:1] == ["cutoff_type"] and (words[1] != "1" or any(float(w) != 0 for w in words[2:])):
                raise ValueError(
                    f"cutoff_type {' '.join(words[1:])} is not known here; it must be 1, the cosine over 0 … Rc"
                )
        except (ValueError, IndexError) as error:
            raise ValueError(f"line {number} ({raw.strip()!r}): {error}") from error
    if not found:
        raise ValueError("the text holds no symfunction_short lines")
    return {element: SymmetryFunctions(functions) for element, functions in found.items()}


def _n2p2_line(words: Sequence[str], unit: float) -> tuple[str, SymmetryFunction]:
    kind = words[2] if len(words) > 2 else ""
    if words[1:2] and atomic_numbers.get(words[1], 0) == 0:
        raise ValueError(f"{words[1]!r} is not the symbol of an element")
    if kind not in _N2P2_LENGTHS:
        raise ValueError(f"type {kind!r} is not known here; it must be 2, 3 or 9")
    if not _N2P2_LENGTHS[kind][0] <= len(words) <= _N2P2_LENGTHS[kind][1]:
        raise ValueError(f"type {kind} takes {_N2P2_LENGTHS[kind][0] - 1} values, here are {len(words) - 1}")
    element = words[1]
    if kind == "2":
        eta, rs, cutoff = (float(w) for w in words[4:7])
        return element, G2(eta / unit**2, rs * unit, cutoff * unit, words[3])
    eta, lam, zeta, cutoff, *shift = (float(w) for w in words[5:])
    if any(shift):
        raise ValueError(f"the shift {shift[0]} of an angular function is not known here; it must be 0")
    if lam not in (-1, 1):
        raise ValueError(f"lambda = {lam} is not allowed; it must be -1 or 1")
    cls = G4 if kind == "3" else G5
    return element, cls(eta / unit**2, zeta, int(lam), cutoff * unit, "unordered", (words[3], words[4]))


def from_dscribe(
    r_cut: float,
    species: Iterable[str],
    g2_params: Sequence[Sequence[float]] | None = None,
    g3_params: Sequence[float] | None = None,
    g4_params: Sequence[Sequence[float]] | None = None,
    g5_params: Sequence[Sequence[float]] | None = None,
) -> SymmetryFunctions:
    """The columns of `dscribe.descriptors.ACSF` with these arguments, in its order: G1, G2, G3 of each element, G4, G5
    of each pair.

    Lengths in Å; elements sorted by atomic number; g2 (η, Rs), g3 κ, g4 and g5 (η, ζ, λ), as in DScribe's
    documentation. Raises ValueError for an unknown element or wrong parameters.
    """
    chosen = list(dict.fromkeys(species))
    unknown = [s for s in chosen if s not in atomic_numbers]
    if unknown or not chosen:
        raise ValueError(
            f"species = {chosen!r} is not allowed; it must be a list of element symbols such as ['Cu', 'Al']"
        )
    elements = sorted(chosen, key=atomic_numbers.__getitem__)
    functions: list[SymmetryFunction] = []
    for element in elements:
        functions.append(G1(r_cut, element))
        functions += [G2(eta, rs, r_cut, element) for eta, rs in g2_params or ()]
        functions += [G3(kappa, r_cut, element) for kappa in g3_params or ()]
    for pair in combinations_with_replacement(elements, 2):
        for cls, parameters in ((G4, g4_params), (G5, g5_params)):
            functions += [cls(eta, zeta, lam, r_cut, "unordered", pair) for eta, zeta, lam in parameters or ()]  # type: ignore[arg-type]
    return SymmetryFunctions(functions)
