"""Export to n2p2, read back by a plain reader that knows nothing but n2p2's definitions and the files."""

from itertools import product

import numpy as np
import pytest
from ase.data import atomic_numbers
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.potential.calculator import Potential
from bpstudy.potential.n2p2 import ExportError, export
from bpstudy.symmetry import G1, G2, G3, G4, G5, SymmetryFunctions
from tests.unit.test_potential import FUNCTIONS, alloy, make

OF_PAIRS = SymmetryFunctions(
    [
        G5(0.05, 3.0, -1, 5.0, species=("Cu", "Al")),
        G2(1.0, 2.5, 5.0, "Cu"),
        G1(4.5, "Al"),
        G4(0.02, 1.5, 1, 5.0, species=("Al", "Al")),
        G2(1.0, 2.5, 5.0, "Al"),
        G5(0.05, 2.0, 1, 5.0, species=("Cu", "Cu")),
        G4(0.02, 1.5, -1, 4.8, species=("Cu", "Al")),
    ]
)


LETTERS = {"t": np.tanh, "s": lambda z: 1 / (1 + np.exp(-z)), "p": lambda z: np.log(1 + np.exp(z)), "l": lambda z: z}


class Reader:
    """Energies from n2p2's files, by the definitions in its documentation; complex positions give exact slopes."""

    def __init__(self, folder):
        words = [line.split() for line in (folder / "input.nn").read_text().splitlines() if not line.startswith("#")]
        keys = {line[0]: line[1:] for line in words}
        assert keys["cutoff_type"] == ["1"]
        assert "scale_symmetry_functions_sigma" in keys
        assert keys["scale_min_short"] == ["0.0"]
        assert keys["scale_max_short"] == ["1.0"]
        self.elements = keys["elements"]
        assert self.elements == sorted(self.elements, key=atomic_numbers.get)
        self.functions = {
            e: [line[2:] for line in words if line[:2] == ["symfunction_short", e]] for e in self.elements
        }
        rows = [line.split() for line in (folder / "scaling.data").read_text().splitlines() if line[0] != "#"]
        table = np.array(rows, float)
        self.scaling = {e: table[table[:, 0] == n][:, 4:6] for n, e in enumerate(self.elements, 1)}
        self.shapes = [*map(int, keys["global_nodes_short"]), 1]
        self.activations = [LETTERS[letter] for letter in keys["global_activation_short"]]
        self.weights = {}
        for e in self.elements:
            lines = (folder / f"weights.{atomic_numbers[e]:03d}.data").read_text().splitlines()
            self.weights[e] = [float(line.split()[0]) for line in lines if line[0] != "#"]
        for e, functions in self.functions.items():  # n2p2 numbers them after sorting
            assert functions == sorted(functions, key=self.order), e

    def order(self, words):
        kind, numbers = int(words[0]), [float(x) for x in words[2 if words[0] == "2" else 3 :]]
        neighbours = [self.elements.index(e) for e in words[1 : 2 if kind == 2 else 3]]
        if kind == 2:
            eta, rs, cutoff = numbers
            return kind, cutoff, eta, rs, 0, 0, neighbours
        eta, lam, zeta, cutoff = numbers
        return kind, cutoff, eta, 0, zeta, lam, neighbours

    def energy(self, symbols, positions, cell):
        total = 0
        images = np.array(list(product(range(-3, 4), repeat=3))) @ cell
        for i, symbol in enumerate(symbols):
            d = (positions[None] + images[:, None] - positions[i]).reshape(-1, 3)
            r = np.sqrt((d * d).sum(axis=1))
            near = (r.real > 1e-6) & (r.real < 6)
            values = [
                self.function(words, d[near], r[near], np.tile(symbols, len(images))[near])
                for words in self.functions[symbol]
            ]
            mean, sigma = self.scaling[symbol].T
            y, at, weights = (np.array(values) - mean) / sigma, 0, self.weights[symbol]
            for width, activation in zip(self.shapes, self.activations, strict=True):
                z = np.zeros(width, complex)
                for value in y:
                    z += value * np.array(weights[at : at + width])
                    at += width
                y = activation(z + weights[at : at + width])
                at += width
            assert at == len(weights)
            total += y[0]
        return total

    @staticmethod
    def function(words, d, r, symbols):
        def fc(x, cutoff):
            return np.where(x.real < cutoff, 0.5 * (np.cos(np.pi * x / cutoff) + 1), 0)

        kind = int(words[0])
        if kind == 2:
            eta, rs, cutoff = map(float, words[2:])
            return (np.exp(-eta * (r - rs) ** 2) * fc(r, cutoff))[symbols == words[1]].sum()
        first, second = words[1:3]
        eta, lam, zeta, cutoff = map(float, words[3:])
        j, k = np.triu_indices(len(r), 1)
        pair = ((symbols[j] == first) & (symbols[k] == second)) | ((symbols[k] == first) & (symbols[j] == second))
        j, k = j[pair], k[pair]
        cosine = (d[j] * d[k]).sum(axis=1) / (r[j] * r[k])
        squares, cut = r[j] ** 2 + r[k] ** 2, fc(r[j], cutoff) * fc(r[k], cutoff)
        if kind == 3:
            across = np.sqrt(((d[j] - d[k]) ** 2).sum(axis=1))
            squares, cut = squares + across**2, cut * fc(across, cutoff)
        base = 1 + lam * cosine
        power = np.where(base.real > 1e-12, base + 0j, 1) ** zeta * (base.real > 1e-12)
        return 2 ** (1 - zeta) * (power * np.exp(-eta * squares) * cut).sum()


# Sums over all elements, which n2p2 has as one function for each.
OF_ALL = SymmetryFunctions(
    [G2(1.0, 2.5, 5.0), G5(0.05, 3.0, -1, 5.0), G2(1.0, 3.0, 5.0, "Cu"), G4(0.02, 1.5, 1, 5.0), G1(4.5)]
)
OWN = {"Al": SymmetryFunctions(OF_PAIRS.functions[:3]), "Cu": OF_PAIRS}


@pytest.mark.parametrize(
    ("activation", "functions", "direct"),
    [
        ("tanh", OF_PAIRS, False),
        ("sigmoid", OF_PAIRS, False),
        ("softplus", OWN, False),
        ("tanh", OF_ALL, False),
        ("tanh", OF_ALL, True),
        ("sigmoid", OF_PAIRS, True),
        ("linear", OF_PAIRS, True),
    ],
)
def test_the_files_alone_give_the_same_energies_and_forces(tmp_path, activation, functions, direct):
    make(tmp_path, [alloy(seed) for seed in range(5)], functions, activation, direct=direct)
    potential = Potential(tmp_path)
    export(potential, tmp_path / "n2p2")
    reader = Reader(tmp_path / "n2p2")
    atoms = alloy(3)
    atoms.calc = potential
    symbols = np.array(atoms.get_chemical_symbols())
    found = reader.energy(symbols, atoms.positions.astype(complex), atoms.cell[:])
    assert found.real == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
    for component in (0, 4, 11):
        shifted = atoms.positions.astype(complex)
        shifted.flat[component] += 1e-20j
        slope = reader.energy(symbols, shifted, atoms.cell[:]).imag / 1e-20
        assert -slope == pytest.approx(atoms.get_forces().flat[component], abs=1e-8)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (G3(1.0, 5.0, "Al"), r"G3\(.*\): n2p2 has no G3"),
        (G3(1.0, 5.0), r"G3\(.*\): n2p2 has no G3"),
        (G5(0.05, 2.0, 1, 5.0, "ordered", ("Al", "Cu")), r"pairs j < k, 'unordered'"),
        (OF_PAIRS.functions[1], "given twice"),
        (G2(1.0, 2.5, 5.0), "given twice"),  # as a part of a sum
    ],
)
def test_what_n2p2_lacks_is_refused_and_nothing_written(tmp_path, function, message):
    functions = SymmetryFunctions([*OF_PAIRS.functions, function])
    make(tmp_path, [alloy(seed) for seed in range(3)], functions)
    with pytest.raises(ExportError, match=message):
        export(Potential(tmp_path), tmp_path / "n2p2")
    assert not (tmp_path / "n2p2").exists()


def test_a_direct_layer_beside_softplus_is_refused(tmp_path):
    make(tmp_path, [alloy(seed) for seed in range(3)], OF_PAIRS, "softplus", direct=True)
    with pytest.raises(ExportError, match=r"Al: n2p2 has no direct layer.*`direct: false`"):
        export(Potential(tmp_path), tmp_path / "n2p2")
    assert not (tmp_path / "n2p2").exists()


def test_the_command(tmp_path):
    make(tmp_path, [alloy(seed) for seed in range(3)], OF_PAIRS)
    done = CliRunner().invoke(app, ["export", str(tmp_path), str(tmp_path / "n2p2")])
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "n2p2").iterdir()} == {
        "input.nn", "scaling.data", "weights.013.data", "weights.029.data",
    }  # fmt: skip
    make(tmp_path, [alloy(seed) for seed in range(3)], SymmetryFunctions([*FUNCTIONS.functions, G3(1.0, 5.0)]))
    done = CliRunner().invoke(app, ["export", str(tmp_path), str(tmp_path / "again")])
    assert done.exit_code == 1
    assert "n2p2 has no G3" in done.output
