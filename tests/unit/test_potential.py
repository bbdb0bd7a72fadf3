"""The ASE calculator: exact derivatives, symmetries of physics, any cell, and refusal of what it was not made for."""

import json
import warnings

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.stress import voigt_6_to_full_3x3_stress
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.descriptors.compute import by_element, compute_features
from bpstudy.network.description import describe
from bpstudy.network.element import predict
from bpstudy.network.model import build_network
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.potential.calculator import ExtrapolationError, ExtrapolationWarning, Potential, PotentialError
from bpstudy.potential.md import Run, drift, run
from bpstudy.symmetry import G2, G4, G5, SymmetryFunctions


def alloy(seed=0, repeat=1):
    """Four atoms of CuAl in a cell smaller than the cutoff, strained, its volume by `seed`, and rattled."""
    atoms = bulk("Cu", cubic=True, a=3.7 + 0.05 * (seed % 5))
    atoms.symbols[[0, 2]] = "Al"
    atoms.set_cell(atoms.cell @ [[1.02, 0.03, 0], [0, 0.98, 0.02], [0, 0, 1.01]], scale_atoms=True)
    atoms.rattle(0.1, seed=seed)
    return atoms.repeat(repeat)


def make(folder, structures, functions, activation="tanh", energy="free", direct=False):
    """A network of random weights, with all that a fit would write."""
    features = compute_features(functions, structures)
    sets = by_element(functions, list(features.rows))
    scalers = {element: Scaler.fit(of.values, features.labels[element]) for element, of in features.rows.items()}
    scale = EnergyScale(dict.fromkeys(scalers, -3.0), 0.1, 1.0)
    network = build_network(scalers, scale, hidden=(5, 4), activation=activation, direct=direct, seed=3)
    rng = np.random.default_rng(1)
    network.set_weights(network.get_weights() + 0.2 * rng.normal(size=network.get_weights().size))
    network.save(folder / "model.keras")
    describe(folder / "potential.json", sets, features, energy, [structures[0].pbc.tolist()])
    return network, features


FUNCTIONS = SymmetryFunctions(
    [G2(1.0, 2.5, 5.0, species) for species in ("Al", "Cu")]
    + [G5(0.05, 2.0, 1, 5.0, species=("Al", "Cu")), G5(0.05, 1.5, -1, 5.0), G4(0.02, 4.0, 1, 5.0)]
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return folder, *make(folder, [alloy(seed) for seed in range(10)], FUNCTIONS)


@pytest.fixture
def potential(trained):
    return Potential(trained[0])


def test_energies_are_those_of_the_saved_network(trained, potential):
    _, network, features = trained
    expected = predict(network, features)[0]
    for seed in (0, 7):
        atoms = alloy(seed)
        atoms.calc = potential
        assert atoms.get_potential_energy() == pytest.approx(expected[seed], abs=1e-11)
        assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()
        assert atoms.get_potential_energies().sum() == pytest.approx(expected[seed], abs=1e-11)


OWN = {"Al": SymmetryFunctions([G2(1.0, 2.5, 5.0), G2(0.3, 2.5, 4.0, "Cu")]), "Cu": FUNCTIONS}


@pytest.mark.parametrize(
    ("activation", "functions", "direct"),
    [("tanh", FUNCTIONS, True), ("sigmoid", FUNCTIONS, False), ("softplus", OWN, False)],
)
def test_forces_and_stress_are_the_slopes_of_the_energy(tmp_path, activation, functions, direct):
    make(tmp_path, [alloy(seed) for seed in range(6)], functions, activation, direct=direct)
    atoms = alloy(2)
    atoms.calc = Potential(tmp_path)
    np.testing.assert_allclose(atoms.get_forces(), calculate_numerical_forces(atoms, eps=2e-5), atol=1e-6)
    numerical = calculate_numerical_stress(atoms, eps=1e-5, voigt=True)
    np.testing.assert_allclose(atoms.get_stress(), numerical, rtol=1e-6, atol=1e-8)
    assert np.abs(atoms.get_stress()).max() > 1e-3


def test_a_supercell_has_as_many_times_the_energy_the_same_forces_and_stress(potential):
    small, large = alloy(1), alloy(1, repeat=(2, 1, 3))
    small.calc = large.calc = potential
    assert large.get_potential_energy() == pytest.approx(6 * small.get_potential_energy(), rel=1e-12)
    np.testing.assert_allclose(large.get_forces(), np.tile(small.get_forces(), (6, 1)), atol=1e-10)
    np.testing.assert_allclose(large.get_stress(), small.get_stress(), atol=1e-12)


def test_rotation_translation_and_order_of_the_atoms(potential):
    atoms = alloy(3)
    atoms.calc = potential
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    stress = atoms.get_stress(voigt=False)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = Atoms(atoms.symbols, atoms.positions @ turn.T + [0.3, -2, 5], cell=atoms.cell @ turn.T, pbc=True)
    turned.calc = potential
    assert turned.get_potential_energy() == pytest.approx(energy, abs=1e-11)
    np.testing.assert_allclose(turned.get_forces(), forces @ turn.T, atol=1e-10)
    np.testing.assert_allclose(voigt_6_to_full_3x3_stress(turned.get_stress()), turn @ stress @ turn.T, atol=1e-12)
    order = [2, 0, 3, 1]
    mixed = atoms[order]
    mixed.calc = potential
    assert mixed.get_potential_energy() == pytest.approx(energy, abs=1e-11)
    np.testing.assert_allclose(mixed.get_forces(), forces[order], atol=1e-10)
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-10)


def test_threads_change_nothing(trained, potential):
    folder = trained[0]
    many = alloy(0).repeat((2, 1, 1))
    found = []
    for threads in (1, 3):
        many.calc = Potential(folder, on_extrapolation="ignore", threads=threads)
        found.append((many.get_potential_energy(), many.get_forces(), many.get_stress()))
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))
    with pytest.raises(PotentialError, match="threads = 0"):
        Potential(folder, threads=0)


def test_it_calculates_again_only_what_changed(potential):
    atoms = alloy(4)
    atoms.calc = potential
    assert potential.calculation_required(atoms, ["forces"])
    atoms.get_forces()
    assert not potential.calculation_required(atoms, ["energy", "forces", "stress"])
    atoms.positions[0] += 0.01
    assert potential.calculation_required(atoms, ["energy"])
    before = potential.results["energy"]
    assert atoms.get_potential_energy() != before


def test_a_structure_unlike_the_training_is_named(trained):
    squeezed = alloy(0)
    squeezed.set_cell(0.85 * squeezed.cell, scale_atoms=True)
    squeezed.calc = Potential(trained[0], on_extrapolation="stop")
    with pytest.raises(
        ExtrapolationError, match=r"atom \d \((Al|Cu)\): G\d\(.*\) lies outside by [\d.e+]+ of its training"
    ):
        squeezed.get_potential_energy()
    squeezed.calc = Potential(trained[0])
    with pytest.warns(ExtrapolationWarning, match="said once"):
        squeezed.get_potential_energy()
    squeezed.rattle(0.01, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        squeezed.get_potential_energy()
        assert squeezed.calc.extrapolations > 1
        known = alloy(0)
        known.calc = Potential(trained[0], on_extrapolation="stop")
        known.get_forces()
        squeezed.calc = Potential(trained[0], on_extrapolation="ignore")
        squeezed.get_potential_energy()


def test_within_all_ranges_but_unlike_in_combination_is_outside(tmp_path):
    """Two functions that go together in training, one high and one low: only the Mahalanobis distance tells."""
    from bpstudy.network.domain import Known

    rng = np.random.default_rng(0)
    common = rng.normal(size=(500, 1))
    known = Known.of(np.hstack([common, common + 0.01 * rng.normal(size=(500, 1)), 0 * common + 5.0]))
    assert known.distance(np.array([[1.0, 1.0, 5.0]]))[0] < 2
    assert known.outside(np.array([[1.0, 1.0, 5.0]]), 0.1) is None
    atom, function, by = known.outside(np.array([[0.0, 0.0, 5.0], [1.0, -1.0, 5.0]]), 0.1)
    assert (atom, function) == (1, None)
    assert by > 5
    assert known.outside(np.array([[1.0, 1.0, 5.1]]), 0.1)[:2] == (0, 2)  # constant in training


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda atoms: atoms.symbols.__setitem__(1, "Ni"), "atom 1 is Ni; the potential was trained on Al, Cu"),
        (lambda atoms: atoms.set_pbc([True, True, False]), r"pbc = \[True, True, False\], the training had"),
        (lambda atoms: atoms.positions.__setitem__((2, 1), np.nan), "position of atom 2"),
    ],
)
def test_other_structures_are_refused(potential, change, message):
    atoms = alloy(0)
    change(atoms)
    atoms.calc = potential
    with pytest.raises(ValueError, match=message):
        atoms.get_potential_energy()


def test_folders_that_are_no_potential_are_refused(trained, tmp_path):
    with pytest.raises(PotentialError, match=r"potential\.json: cannot be read"):
        Potential(tmp_path)
    description = json.loads((trained[0] / "potential.json").read_text())
    (tmp_path / "potential.json").write_text(json.dumps(description))
    with pytest.raises(PotentialError, match=r"model\.keras: is missing"):
        Potential(tmp_path)
    (tmp_path / "model.keras").write_bytes((trained[0] / "model.keras").read_bytes())
    Potential(tmp_path)
    description["functions"]["Al"]["functions"][0]["eta"] = 1.1
    (tmp_path / "potential.json").write_text(json.dumps(description))
    with pytest.raises(ValueError, match="function 0 is"):
        Potential(tmp_path)
    (tmp_path / "potential.json").write_text(json.dumps(description | {"format": 7}))
    with pytest.raises(PotentialError, match="has the format 7, this version reads 2; train the network again"):
        Potential(tmp_path)
    with pytest.raises(PotentialError, match="on_extrapolation = 'shout'"):
        Potential(trained[0], on_extrapolation="shout")


def test_energy_is_conserved_to_second_order_in_the_timestep(potential):
    scatter = []
    for timestep in (0.5, 1.0):
        atoms = alloy(5)
        table = run(
            atoms, potential, Run(steps=int(40 / timestep), timestep_fs=timestep, temperature_kelvin=200, every=1)
        )
        scatter.append(drift(table, len(atoms))[1])
        assert table["time_fs"].iloc[-1] == 40
    assert scatter[1] / scatter[0] == pytest.approx(4, rel=0.3)


def test_the_bath_has_its_temperature(potential):
    atoms = alloy(5, repeat=2)
    settings = Run(steps=300, temperature_kelvin=250, friction_per_fs=0.05, timestep_fs=2.0, every=2)
    table = run(atoms, potential, settings)
    assert table["temperature_kelvin"].iloc[50:].mean() == pytest.approx(250, rel=0.2)


def test_at_constant_pressure_the_volume_is_that_of_the_pressure():
    """Of EMT copper, whose energy against volume is known: P = -dE/dV at 0 K, and no less volume when warm."""
    settings = Run(steps=3000, temperature_kelvin=20, timestep_fs=4.0, pressure_gpa=10.0)
    copper = bulk("Cu", a=3.5, cubic=True).repeat(2)
    table = run(copper, EMT(), settings)
    volume = table["volume_angstrom3"].iloc[100:].mean()

    def energy(of):
        cell = bulk("Cu", cubic=True).repeat(2)
        cell.set_cell(np.eye(3) * of ** (1 / 3), scale_atoms=True)
        cell.calc = EMT()
        return cell.get_potential_energy()

    pressure = -(energy(1.005 * volume) - energy(0.995 * volume)) / (0.01 * volume) / units.GPa
    assert pressure == pytest.approx(10.0, abs=0.5)
    assert table["temperature_kelvin"].iloc[100:].mean() == pytest.approx(20, rel=0.2)


def test_constant_pressure_needs_a_crystal(potential):
    slab = alloy(0)
    slab.pbc = (True, True, False)
    with pytest.raises(ValueError, match="periodic in all directions"):
        run(slab, potential, Run(steps=1, pressure_gpa=0.0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 1, "pressure_gpa": 1e4}, "within ±1000 GPa"),
        ({"steps": 1, "pressure_gpa": 0.0, "friction_per_fs": 0.1}, "choose one"),
        ({"steps": 0}, "steps = 0"),
        ({"steps": 1, "timestep_fs": -1.0}, "timestep_fs = -1"),
        ({"steps": 1, "every": 0}, "every"),
    ],
)
def test_impossible_runs_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Run(**values)


def test_the_command(trained, tmp_path):
    alloy(0).write(tmp_path / "start.xyz")
    arguments = [
        "md",
        str(trained[0]),
        str(tmp_path / "start.xyz"),
        "--steps",
        "20",
        "--output",
        str(tmp_path / "run.traj"),
    ]
    done = CliRunner().invoke(app, [*arguments, "--nve"])
    assert done.exit_code == 0, done.output
    assert "4 atoms, 20 steps of 1 fs" in done.output
    assert "drift" in done.output
    assert (tmp_path / "run.traj").is_file()
    assert (tmp_path / "run.csv").is_file()
    for extra, message in (
        ([], "--nve, --nvt or --npt PRESSURE: choose one"),
        (["--nvt", "--npt", "1"], "--nve, --nvt or --npt PRESSURE: choose one"),
        (["--npt", "nan"], "pressure_gpa = nan is not allowed"),
        (["--nve", "--timestep", "0"], "timestep_fs = 0"),
        (["--nvt", "--output", str(tmp_path / "no" / "x.traj")], None),
    ):
        done = CliRunner().invoke(app, [*arguments, *extra])
        assert (done.exit_code == 0) == (message is None)
        if message:
            assert message in " ".join(done.output.split())
            assert "Traceback" not in done.output
    done = CliRunner().invoke(app, ["md", str(tmp_path), str(tmp_path / "start.xyz"), "--nve"])
    assert "cannot be read" in " ".join(done.output.split())
