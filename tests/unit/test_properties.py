"""Properties of a crystal against independent computations, those of networks, and the figure."""

import numpy as np
import pandas as pd
import pytest
from ase.calculators.emt import EMT
from ase.phonons import Phonons
from ase.units import GPa, _e, _hplanck
from scipy.optimize import minimize_scalar

from bpstudy.config.analysis import Properties, ThermalVolume
from bpstudy.config.systems import Crystal
from bpstudy.dynamics.crystals import build_crystal
from bpstudy.dynamics.properties import (
    PropertiesError,
    crystal_properties,
    crystals,
    elastic_constants,
    energy_curve,
    equilibrium,
    thermal_volume,
    vacancy_formation_energy,
    zone_boundary_phonons,
)
from bpstudy.figures.properties import properties
from bpstudy.figures.tables import TableError
from bpstudy.potential.calculator import Potential
from bpstudy.potential.properties import compare, properties_of_networks, run_at_zero_pressure
from bpstudy.symmetry import G2, SymmetryFunctions
from tests.unit.test_potential import make

CRYSTAL = Crystal(lattice="fcc", element="Cu", lattice_constant_angstrom=3.6, cell="cubic", repeat=(1, 1, 1))
CELL = CRYSTAL.model_copy(update={"repeat": (2, 2, 2)})
VOLUMES = (0.8, 0.9, 1.0, 1.1, 1.25)
SETTINGS = Properties(
    system="cu",
    experiment="any",
    reference=None,
    volumes=VOLUMES,
    strain=0.01,
    displacement_angstrom=0.02,
    fmax_ev_per_angstrom=0.01,
    goal=0.1,
    thermal_volume=ThermalVolume(seed=0, temperature_kelvin=300.0, timestep_fs=2.0, steps=400, frames=4),
)


@pytest.fixture(scope="module")
def emt():
    return crystal_properties(CELL, EMT, SETTINGS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A potential of the crystal at its own volume."""
    folder = tmp_path_factory.mktemp("model")
    trained = []
    for seed in range(6):
        atoms = build_crystal(CELL)
        atoms.rattle(0.05, seed=seed)
        trained.append(atoms)
    make(folder, [build_crystal(CELL), *trained], SymmetryFunctions([G2(1.0, rs, 5.0) for rs in (2.0, 3.0)]))
    return folder


def test_the_crystals_have_the_volumes():
    frames = crystals(CRYSTAL, VOLUMES)
    assert [atoms.get_volume() for atoms in frames] == pytest.approx([3.6**3 * volume for volume in VOLUMES])
    np.testing.assert_allclose(frames[0].get_scaled_positions(), frames[1].get_scaled_positions())


def test_the_equation_of_state_finds_its_own_volume_and_modulus():
    volumes = np.linspace(9, 14, 9)
    strain = (11.5 / volumes) ** (2 / 3) - 1
    energies = -1 + 9 * 11.5 * (100 * GPa) / 16 * (strain**3 * 4.5 + strain**2 * (6 - 4 * (strain + 1)))
    curve = pd.DataFrame({"volume_angstrom3_per_atom": volumes, "energy_ev_per_atom": energies})
    assert equilibrium(curve) == pytest.approx({"volume": 11.5, "B": 100})


def test_energies_without_a_minimum_are_refused():
    curve = energy_curve(CRYSTAL, EMT(), (1.1, 1.2, 1.3, 1.4))
    with pytest.raises(PropertiesError, match="give volumes around it"):
        equilibrium(curve)


def energy_density(crystal, strain):
    """Of EMT, GPa."""
    (atoms,) = crystals(crystal, [1.0])
    volume = atoms.get_volume()
    atoms.set_cell(atoms.cell @ (np.eye(3) + strain), scale_atoms=True)
    atoms.calc = EMT()
    return atoms.get_potential_energy() / volume / GPa


def test_elastic_constants_are_second_derivatives_of_the_energy_where_there_is_no_pressure():
    def at(a):
        return CRYSTAL.model_copy(update={"lattice_constant_angstrom": a})

    relaxed = at(minimize_scalar(lambda a: energy_density(at(a), np.zeros((3, 3))) * a**3, (3.5, 3.7)).x)
    e = 0.005
    stretch, shear = np.zeros((3, 3)), np.zeros((3, 3))
    stretch[0, 0] = e
    shear[1, 2] = shear[2, 1] = e
    both = np.diag([e, e, 0.0])

    def curvature(strain):
        ends = energy_density(relaxed, strain) + energy_density(relaxed, -strain)
        return (ends - 2 * energy_density(relaxed, np.zeros((3, 3)))) / e**2

    c11, c44 = curvature(stretch), curvature(shear) / 4
    c12 = curvature(both) / 2 - c11
    found = elastic_constants(relaxed, EMT(), e)
    assert found == pytest.approx({"C11": c11, "C12": c12, "C44": c44}, rel=2e-3)
    assert c11 > c12 > c44 > 50


def test_phonons_are_those_of_ase_at_a_wave_vector_that_fits_the_cell(tmp_path):
    found = zone_boundary_phonons(CELL, EMT(), 0.02)
    primitive = build_crystal(CRYSTAL.model_copy(update={"cell": "primitive"}))
    phonons = Phonons(primitive, EMT(), supercell=(4, 4, 4), delta=0.02, name=str(tmp_path / "phonons"))
    phonons.run()
    phonons.read(acoustic=True)
    x = primitive.cell.bandpath(npoints=0).special_points["X"]
    thz = phonons.band_structure([x], verbose=False)[0] * _e / _hplanck / 1e12
    assert [found["X lowest"], found["X highest"]] == pytest.approx([thz[0], thz[-1]], rel=0.02)


def test_a_vacancy_costs_less_when_its_neighbours_relax(emt):
    stiff = build_crystal(CELL)
    stiff.calc = EMT()
    full = stiff.get_potential_energy()
    del stiff[0]
    stiff.calc = EMT()
    unrelaxed = stiff.get_potential_energy() - 31 / 32 * full
    relaxed = emt[1].set_index("property").loc["vacancy", "value"]
    assert 0.8 * unrelaxed < relaxed < unrelaxed


def test_a_single_atom_has_no_vacancy():
    alone = CRYSTAL.model_copy(update={"cell": "primitive"})
    with pytest.raises(PropertiesError, match="a single atom"):
        vacancy_formation_energy(alone, EMT(), 0.01)


def test_networks_have_all_properties_of_the_dft(folder, emt):
    curve, networks = properties_of_networks({3: folder, 5: folder}, CELL, SETTINGS)
    assert curve.loc[curve["seed"] == 5, "outside"].tolist() == [True, True, False, True, True]
    table = compare(emt[1], networks, 0.1)
    assert table["property"].tolist() == emt[1]["property"].tolist()
    assert (table["deviation"] == table["median"] / table["dft"] - 1).all()
    assert (table["lowest"] == table["highest"]).all()  # the same network twice


def test_a_run_at_zero_pressure_is_judged_by_the_pressure_of_the_dft(folder):
    table, frames = run_at_zero_pressure(folder, CELL, SETTINGS.thermal_volume)
    assert len(frames) == 4
    assert len({round(atoms.get_volume(), 6) for atoms in frames}) == 4
    own = Potential(folder, on_extrapolation="ignore")
    itself = thermal_volume(table, frames, own, 100.0).set_index("quantity")["value"]
    assert itself["volume"] == pytest.approx(table["volume_angstrom3"].mean() / 32)
    assert itself["pressure of the DFT"] == pytest.approx(0, abs=1e-9)
    judged = thermal_volume(table, frames, EMT(), 100.0).set_index("quantity")["value"]
    stress = []
    for atoms in frames:
        other = atoms.copy()
        other.calc = EMT()
        stress.append((atoms.get_stress() - other.get_stress())[:3].mean() / GPa)
    assert judged["pressure of the DFT"] == pytest.approx(np.mean(stress))
    assert judged["volume of the DFT, relative"] == pytest.approx(np.mean(stress) / 100)


def test_the_figure_marks_what_is_unlike_the_training(emt):
    dft, table = emt
    curve = pd.concat([dft.assign(seed=seed, outside=[True, False, False, False, True]) for seed in (0, 1)])
    networks = pd.concat([table.assign(seed=seed, value=table["value"] * (1 + seed / 10)) for seed in (0, 1)])
    energies, ratios = properties(dft, curve, table, networks, 0.1).axes
    lines = {line.get_label(): line for line in energies.lines}
    assert lines["outside the training domain"].get_xdata().tolist() == pytest.approx(
        [3.6**3 / 4 * v for v in (0.8, 1.25)]
    )
    assert sorted(set(np.round(ratios.lines[1].get_xdata(), 6))) == [0, 10]
    assert ratios.get_yticklabels()[2].get_text().startswith("C11: 1")
    with pytest.raises(TableError, match="a finite number is needed"):
        properties(dft.assign(energy_ev_per_atom=np.nan), curve, table, networks, 0.1)
