"""The faster plane-wave step against GPAW's own: piece by piece, as a whole, along a path, and to the bit."""

import importlib

import gpaw
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.units import Bohr, Ha
from gpaw.eigensolvers.davidson import Davidson
from gpaw.grid_descriptor import GridDescriptor
from gpaw.mixer import BaseMixer
from gpaw.pw.descriptor import PWDescriptor
from gpaw.pw.lfc import PWLFC
from gpaw.setup import create_setup
from gpaw.utilities import pack_density
from gpaw.xc import XC
from gpaw.xc.kernel import XCKernel

from bpstudy.config.systems import Gpaw, Langevin, Simulation
from bpstudy.dynamics import fast_paw, fast_xc
from bpstudy.dynamics.calculators import make_calculator
from bpstudy.dynamics.chunks import State, initial_state, run
from bpstudy.dynamics.fast_paw import FastGPAW

TIGHT = {"energy": 1e-9, "density": 1e-9, "eigenstates": 1e-13}
LITHIUM = {
    "crystal": {
        "lattice": "bcc",
        "element": "Li",
        "lattice_constant_angstrom": 3.49,
        "cell": "primitive",
        "repeat": [2, 1, 1],
    },
    "calculator": {
        "name": "gpaw",
        "functional": "PBE",
        "cutoff_ev": 150.0,
        "kpoints": [1, 1, 1],
        "smearing_ev": 0.1,
        "bands": 6,
        "convergence": {
            "energy_ev_per_electron": 0.001,
            "density_electrons_per_electron": 0.001,
            "eigenstates_ev2_per_electron": 0.00001,
        },
        "mixer": {"beta": 0.25, "history": 8, "weight": 50.0},
    },
    "dynamics": {"temperature_kelvin": 300.0, "timestep_fs": 1.0, "friction_per_fs": 0.01, "seed": 1},
}


def rattled(atoms: Atoms) -> Atoms:
    atoms.rattle(0.1, seed=1)
    return atoms


def cells() -> list[Atoms]:
    return [rattled(bulk("Li", "bcc", a=3.49) * (2, 2, 1)), rattled(bulk("Cu", cubic=True))]


def plane_waves(atoms: Atoms) -> PWDescriptor:
    return PWDescriptor(150 / Ha, GridDescriptor((15, 18, 16), atoms.cell / Bohr))


def test_the_kernel_equals_gpaws():
    rng = np.random.default_rng(0)
    n_g = 10 ** rng.uniform(-12, 2, 5000)
    sigma_g = (n_g ** (4 / 3) * 10 ** rng.uniform(-3, 1, n_g.size)) ** 2
    outcomes = []
    for kernel in (XCKernel("PBE"), fast_xc._Kernel("PBE")):
        e_g, v_sg, d_xg = np.zeros_like(n_g), np.ones((1, n_g.size)), np.zeros((1, n_g.size))
        kernel.calculate(e_g, n_g[np.newaxis].copy(), v_sg, sigma_g[np.newaxis].copy(), d_xg)
        outcomes.append((e_g, v_sg[0], d_xg[0] * sigma_g))  # d: exchange and correlation cancel where it is large
    for ours, own in zip(outcomes[1], outcomes[0], strict=True):
        np.testing.assert_allclose(ours, own, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("element", ["Li", "Cu"])
def test_the_correction_of_a_sphere_equals_gpaws(element):
    setup = create_setup(element, "PBE")
    rng = np.random.default_rng(1)
    root = rng.normal(0, 0.3, (setup.ni, setup.ni))
    D_sp = pack_density(root @ root.T)[np.newaxis]
    own_sp, ours_sp = np.zeros_like(D_sp), np.zeros_like(D_sp)
    own = XC("PBE").calculate_paw_correction(setup, D_sp, own_sp)
    ours = fast_xc.Pbe().calculate_paw_correction(setup, D_sp, ours_sp)
    assert ours == pytest.approx(own, abs=1e-10)
    np.testing.assert_allclose(ours_sp, own_sp, rtol=0, atol=1e-10)


@pytest.mark.parametrize("atoms", cells(), ids=["bcc", "fcc"])
def test_exchange_and_correlation_on_the_grid_equal_gpaws(atoms):
    gd = GridDescriptor((15, 18, 16), atoms.cell / Bohr)
    n_sg = np.random.default_rng(2).uniform(0.01, 0.02, (1, *gd.N_c))
    outcomes = []
    for xc in (XC("PBE"), fast_xc.Pbe()):
        xc.set_grid_descriptor(gd)
        v_sg = np.ones_like(n_sg)
        outcomes.append((xc.calculate(gd, n_sg.copy(), v_sg), v_sg))
    assert outcomes[1][0] == pytest.approx(outcomes[0][0], abs=1e-10)
    np.testing.assert_allclose(outcomes[1][1], outcomes[0][1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("atoms", cells(), ids=["bcc", "fcc"])
@pytest.mark.parametrize("splines", ["ghat_l", "pt_j"])
def test_localised_functions_equal_gpaws(atoms, splines):
    elements = ["Cu" if a % 3 else "Li" for a in range(len(atoms))]
    setups = {element: create_setup(element, "PBE") for element in ("Li", "Cu")}
    pd = plane_waves(atoms)
    own, ours = (PWLFC([getattr(setups[element], splines) for element in elements], pd) for _ in range(2))
    fast_paw.LocalisedFunctions.adopt(ours)
    rng = np.random.default_rng(3)
    for _ in range(2):  # the second time from other positions
        spos_ac = rng.uniform(size=(len(atoms), 3))
        for functions in (own, ours):
            functions.set_positions(spos_ac)
        for shape in ((), (4,)):
            a_xG = rng.normal(size=(*shape, 2 * pd.ngmax)).view(complex)
            a_xG[..., 0] = a_xG[..., 0].real
            for what, derivative in (("integrate", False), ("derivative", True)):
                c_axi, d_axi = (functions.dict(shape, derivative=derivative) for functions in (own, ours))
                getattr(own, what)(a_xG, c_axi, q=0)
                getattr(ours, what)(a_xG, d_axi, q=0)
                for a, c_xi in c_axi.items():
                    np.testing.assert_allclose(d_axi[a], c_xi, rtol=0, atol=1e-10 * abs(c_xi).max())
            c_axi = {a: rng.normal(size=c_xi.shape) for a, c_xi in own.dict(shape).items()}
            sums = [np.zeros_like(a_xG) for _ in range(2)]
            own.add(sums[0], c_axi, q=0)
            ours.add(sums[1], c_axi, q=0)
            np.testing.assert_allclose(sums[1], sums[0], rtol=0, atol=1e-10 * abs(sums[0]).max())


@pytest.mark.parametrize("atoms", cells(), ids=["bcc", "fcc"])
def test_pruned_transforms_equal_gpaws(atoms):
    pd = plane_waves(atoms)
    a_nG = np.random.default_rng(4).normal(size=(3, 2 * pd.ngmax)).view(complex)
    a_nG[:, 0] = a_nG[:, 0].real
    box = fast_paw._Box(pd)
    grid_nR = box.to_grid(a_nG)
    for grid_R, a_G in zip(grid_nR, a_nG, strict=True):
        np.testing.assert_allclose(grid_R, pd.ifft(a_G), rtol=0, atol=1e-12)
    np.testing.assert_allclose(box.from_grid(grid_nR), a_nG, rtol=0, atol=1e-10)


def residuals(mixer: BaseMixer, gd: GridDescriptor, response: np.ndarray, goal: np.ndarray, cycles: int) -> list[float]:
    """Errors of a linear self-consistent cycle whose solution is `goal`."""
    nt_sG, D_asp = np.zeros((1, *gd.N_c)), [np.zeros((1, 1))]
    mixer.reset()
    mixer.mix_density(nt_sG, D_asp)
    errors = []
    for _ in range(cycles):
        nt_sG[:] = goal - response * (nt_sG - goal)
        errors.append(mixer.mix_density(nt_sG, D_asp))
    return errors


def test_the_mixer_is_gpaws_until_it_remembers():
    gd = GridDescriptor((6, 6, 6), (5, 5, 5))
    rng = np.random.default_rng(5)
    response = rng.uniform(0, 0.1, gd.N_c)
    response[0, 0, :4] = 1.0, 1.5, 2.0, 2.5  # few modes answer strongly
    own, ours = BaseMixer(0.25, 8, 50), BaseMixer(0.25, 8, 50)
    for mixer in (own, ours):
        mixer.initialize_metric(gd)
    ours.__class__ = fast_paw.Mixer
    ours.forget()
    goal, moved = rng.normal(size=gd.N_c), rng.normal(size=gd.N_c)
    first = residuals(own, gd, response, goal, 4)
    assert residuals(ours, gd, response, goal, 4) == pytest.approx(first, rel=0.01)
    cold = residuals(own, gd, response, moved, 3)
    assert residuals(ours, gd, response, moved, 3)[-1] < 0.8 * cold[-1]
    ours.forget()
    assert residuals(ours, gd, response, goal, 4) == pytest.approx(first, rel=0.01)


@pytest.mark.gpaw
@pytest.mark.parametrize(
    ("atoms", "settings", "fast"),
    [
        (rattled(bulk("Li", "bcc", a=3.49) * (2, 1, 1)), {"kpts": (1, 1, 1)}, True),
        (rattled(bulk("Li", "bcc", a=3.49) * (2, 1, 1)), {"kpts": (2, 1, 1)}, False),
        (rattled(bulk("Li", "bcc", a=3.49) * (2, 1, 1)), {"kpts": (1, 1, 1), "spinpol": True}, False),
        (rattled(bulk("Li", "bcc", a=3.49) * (2, 1, 1)), {"kpts": (1, 1, 1), "xc": "LDA"}, True),
    ],
    ids=["Γ", "k-points", "spin", "LDA"],
)
def test_energy_forces_and_stress_equal_gpaws(atoms, settings, fast):
    found = []
    for calculator in (gpaw.GPAW, FastGPAW):
        atoms.calc = calculator(
            mode=gpaw.PW(150),
            nbands=6,
            occupations=gpaw.FermiDirac(0.1),
            convergence=TIGHT,
            symmetry="off",
            txt=None,
            **{"xc": "PBE", **settings},
        )
        found.append((atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()))
    assert isinstance(atoms.calc.wfs.eigensolver, Davidson)
    assert isinstance(atoms.calc.wfs.eigensolver, fast_paw.Eigensolver) == fast
    assert found[1][0] == pytest.approx(found[0][0], abs=1e-7)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[1][2], found[0][2], rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def path():
    """Ten steps of lithium: frames, the state after five, the calculator."""
    simulation = Simulation.model_validate(LITHIUM)
    calculator = make_calculator(simulation.calculator)
    frames, between = run(initial_state(simulation), simulation.dynamics, 5, calculator)
    more, _ = run(between, simulation.dynamics, 10, make_calculator(simulation.calculator))
    return frames + more, between, calculator


def again(between: State, dynamics: Langevin, settings: Gpaw) -> list[Atoms]:
    return run(between, dynamics, 10, make_calculator(settings))[0]


@pytest.mark.gpaw
def test_equal_runs_give_equal_bits(path):
    frames, between, _ = path
    simulation = Simulation.model_validate(LITHIUM)
    for one, two in zip(frames[6:], again(between, simulation.dynamics, simulation.calculator), strict=True):
        assert np.array_equal(one.positions, two.positions)
        assert np.array_equal(one.get_forces(), two.get_forces())
        assert one.get_potential_energy() == two.get_potential_energy()


@pytest.mark.gpaw
def test_along_a_path_cycles_are_few_and_energies_those_of_gpaw(path):
    frames, _, calculator = path
    assert calculator.scf.niter == 3  # the criterion of the energy asks for three
    reference = gpaw.GPAW(
        mode=gpaw.PW(150),
        xc="PBE",
        kpts=(1, 1, 1),
        nbands=6,
        occupations=gpaw.FermiDirac(0.1),
        convergence=TIGHT,
        symmetry={"point_group": False},
        txt=None,
    )
    for frame in frames[3::3]:
        atoms = frame.copy()
        atoms.calc = reference
        assert atoms.get_potential_energy() == pytest.approx(frame.get_potential_energy(), abs=1e-4 * len(atoms))
        np.testing.assert_allclose(atoms.get_forces(), frame.get_forces(), rtol=0, atol=0.01)


@pytest.mark.gpaw
def test_nothing_is_extrapolated_over_a_jump(path):
    frames, _, calculator = path
    jumped = frames[5].copy()
    jumped.rattle(0.2, seed=3)
    jumped.calc = calculator
    energy = jumped.get_potential_energy()
    assert calculator.scf.niter > 3
    jumped.calc = make_calculator(Simulation.model_validate(LITHIUM).calculator)
    assert jumped.get_potential_energy() == pytest.approx(energy, abs=1e-3)


def test_another_version_of_gpaw_is_refused(monkeypatch):
    monkeypatch.setattr(gpaw, "__version__", "26.7.0")
    with pytest.raises(ImportError, match=r"25\.7\.0.*26\.7\.0"):
        importlib.reload(fast_paw)
