"""A potential in the files of n2p2: `input.nn`, `scaling.data` and a `weights.NNN.data` for each element.

n2p2 (A. Singraber, J. Behler, C. Dellago, J. Chem. Theory Comput. 15, 1827 (2019), doi:10.1021/acs.jctc.8b00770) has G1
and G2 as its type 2, G4 as 3 and G5 as 9, with the cosine cutoff as its type 1 and pairs j < k. It numbers functions in
an order of its own, by element, type, cutoff and parameters; scaling and weights follow that order here.

Its functions count neighbours of one element, or pairs of two. A function of all elements is a sum of such functions,
each of which gets its weights and its scale; the mean is subtracted from the first.

Its networks have no direct layer from the inputs to the output. Here that sum x of the inputs passes through one more
neuron in each hidden layer, as f(εx): for tanh, (f(εx) - f(0)) / (ε f'(0)) = x (1 - ε²x²/3 + …), within 1e-9 of x for
|x| < 50.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from bpstudy.files import atomic_path
from bpstudy.network.domain import Known
from bpstudy.network.element import ElementNetwork, Layer
from bpstudy.potential.calculator import Potential
from bpstudy.symmetry import G1, G2, G3, G4, G5
from bpstudy.symmetry.functions import SymmetryFunction, label

LETTERS = {"tanh": "t", "sigmoid": "s", "softplus": "p", "linear": "l"}
STRAIGHT = {"tanh": (0.0, 1.0), "sigmoid": (0.5, 0.25), "linear": (0.0, 1.0)}  # f(0), f'(0) where f''(0) = 0
SMALL = 1e-6  # ε: its square and the rounding of doubles / ε are alike


class ExportError(ValueError):
    """The potential has something that n2p2 does not; the message names it."""


def export(potential: Potential, folder: str | Path) -> list[Path]:
    """Write the potential for n2p2; lengths in Å, energies in eV, the atoms' energies included in the output bias.

    Returns:
        The files written.

    Raises:
        ExportError: a function, or a direct layer beside an activation, that n2p2 cannot express; nothing is written.
    """
    folder = Path(folder)
    elements = sorted(potential.networks, key=lambda element: atomic_numbers[element])
    entries, orders, columns = {}, {}, {}
    for element in elements:
        of = potential.functions[element]
        each = [_entries(f, elements) for f in of.functions]
        functions = [entry for found in each for entry in found]
        columns[element] = [(column, len(found)) for column, found in enumerate(each) for _ in found]
        if len(set(functions)) < len(functions):
            repeated = next(k for k, f in enumerate(functions) if f in functions[:k])
            raise ExportError(f"{of.labels[columns[element][repeated][0]]}: given twice, which n2p2 does not allow")
        orders[element] = sorted(range(len(functions)), key=lambda k: _sorting_key(functions[k], elements))
        entries[element] = [functions[k] for k in orders[element]]
        columns[element] = [columns[element][k] for k in orders[element]]
    texts = {
        "input.nn": _settings(potential, elements, entries),
        "scaling.data": _scaling(potential, elements, columns),
    }
    for element in elements:
        name = f"weights.{atomic_numbers[element]:03d}.data"
        network = potential.networks[element]
        texts[name] = _weights(network, _layers(network, element), [column for column, _ in columns[element]])
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text)
    return [folder / name for name in texts]


# (type, elements of the neighbours, cutoff, eta, rs, zeta, lambda)
Entry = tuple[int, tuple[str, ...], float, float, float, float, int]


def _entries(function: SymmetryFunction, elements: Sequence[str]) -> list[Entry]:
    """The functions of n2p2 whose sum is this one."""
    if function.species is not None:
        return [_entry(function, elements)]
    angular = isinstance(function, G4 | G5)
    of: Iterable = combinations_with_replacement(elements, 2) if angular else elements
    return [_entry(replace(function, species=neighbours), elements) for neighbours in of]


def _entry(function: SymmetryFunction, elements: Sequence[str]) -> Entry:
    if isinstance(function, G3):
        raise ExportError(f"{label(function)}: n2p2 has no G3")
    neighbours = function.species
    assert neighbours is not None
    if isinstance(function, G1):
        return 2, (str(neighbours),), function.cutoff, 0.0, 0.0, 0.0, 0
    if isinstance(function, G2):
        return 2, (str(neighbours),), function.cutoff, function.eta, function.rs, 0.0, 0
    if function.pairs != "unordered":
        raise ExportError(f"{label(function)}: n2p2 sums over pairs j < k, 'unordered'")
    pair = tuple(sorted(neighbours, key=lambda element: atomic_numbers[element]))
    kind = 3 if isinstance(function, G4) else 9
    return kind, pair, function.cutoff, function.eta, 0.0, function.zeta, function.lam


def _sorting_key(entry: Entry, elements: Sequence[str]) -> tuple:
    """n2p2's order of the functions of one central element."""
    kind, neighbours, cutoff, eta, rs, zeta, lam = entry
    return kind, cutoff, eta, rs, zeta, lam, [elements.index(element) for element in neighbours]


def _settings(potential: Potential, elements: Sequence[str], functions: Mapping[str, Sequence[Entry]]) -> str:
    layers = {element: _layers(potential.networks[element], element) for element in elements}
    shapes = {tuple((len(layer.bias), layer.activation) for layer in of) for of in layers.values()}
    if len(shapes) > 1:
        raise ExportError("the elements' networks differ in shape, which this export does not write")
    (shape,) = shapes
    lines = [
        "# Lengths in Angstrom, energies in eV.",
        f"number_of_elements {len(elements)}",
        f"elements {' '.join(elements)}",
        "cutoff_type 1",
        "scale_symmetry_functions_sigma",
        "scale_min_short 0.0",
        "scale_max_short 1.0",
        f"global_hidden_layers_short {len(shape) - 1}",
        f"global_nodes_short {' '.join(str(width) for width, _ in shape[:-1])}",
        f"global_activation_short {' '.join(LETTERS[name] for _, name in shape)}",
    ]
    for element in elements:
        for kind, neighbours, cutoff, eta, rs, zeta, lam in functions[element]:
            parameters = (eta, rs, cutoff) if kind == 2 else (eta, lam, zeta, cutoff)
            numbers = " ".join(f"{value:.17g}" for value in parameters)
            lines.append(f"symfunction_short {element} {kind} {' '.join(neighbours)} {numbers}")
    return "\n".join(lines) + "\n"


def _scaling(potential: Potential, elements: Sequence[str], columns: Mapping[str, Sequence[tuple[int, int]]]) -> str:
    """`columns`: of each function of n2p2 the column of ours, and in how many of n2p2's that is divided."""
    lines = ["# element, function, min, max, mean, sigma"]
    for number, element in enumerate(elements, 1):
        network: ElementNetwork = potential.networks[element]
        known: Known = potential.known[element]
        mean, sigma = -network.shift / network.factor, 1 / network.factor
        seen: set[int] = set()
        for place, (k, parts) in enumerate(columns[element], 1):
            # A part of a sum that is positive lies between none of it and all of it.
            low = known.low[k] if parts == 1 else 0.0
            of = (low, known.high[k], 0.0 if k in seen else mean[k], sigma[k])
            seen.add(k)
            values = " ".join(f"{value:.17g}" for value in of)
            lines.append(f"{number} {place} {values}")
    return "\n".join(lines) + "\n"


def _layers(network: ElementNetwork, element: str) -> tuple[Layer, ...]:
    """The layers, with the direct one in a neuron more of each hidden layer."""
    if network.direct is None:
        return network.layers
    found, origin, unit = [], 0.0, 1 / SMALL  # what that neuron gives at x = 0, and for x = 1 less that: 1 / unit
    for level, layer in enumerate(network.layers):
        inputs, outputs = layer.kernel.shape
        last = level == len(network.layers) - 1
        if not last and layer.activation not in STRAIGHT:
            raise ExportError(
                f"{element}: n2p2 has no direct layer from the inputs to the output, and {layer.activation} cannot "
                f"stand for it; train with `direct: false`, or with {', '.join(STRAIGHT)}"
            )
        kernel, bias = np.zeros((inputs + bool(level), outputs + (not last))), np.zeros(outputs + (not last))
        kernel[:inputs, :outputs], bias[:outputs] = layer.kernel, layer.bias
        if level == 0:
            kernel[:, -1] = SMALL * network.direct
        else:
            kernel[-1, -1] += unit if last else SMALL * unit
            bias[-1] -= origin * kernel[-1, -1]
        if not last:
            origin, slope = STRAIGHT[layer.activation]
            unit = 1 / (SMALL * slope)
        found.append(Layer(kernel, bias, layer.activation))
    return tuple(found)


def _weights(network: ElementNetwork, layers: Sequence[Layer], order: Sequence[int]) -> str:
    """Layer by layer: the weights of each input in turn, then the biases; the last layer gives eV."""
    lines = ["# value, weight (a) or bias (b), number, from layer, neuron, to layer, neuron"]
    for level, layer in enumerate(layers, 1):
        last = level == len(layers)
        kernel = layer.kernel[list(order)] if level == 1 else layer.kernel
        kernel, bias = kernel.copy(), layer.bias.copy()
        if last:
            if layer.activation != "linear":
                raise ExportError(f"the last layer is {layer.activation}; its energies need a linear one")
            kernel *= network.scale_ev
            bias = network.scale_ev * bias + network.offset_ev
        for (i, j), value in np.ndenumerate(kernel):
            lines.append(f"{value:.17g} a {len(lines)} {level - 1} {i + 1} {level} {j + 1}")
        for j, value in enumerate(bias, 1):
            lines.append(f"{value:.17g} b {len(lines)} {level} {j}")
    return "\n".join(lines) + "\n"
