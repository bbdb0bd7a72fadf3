"""The same trajectory from LAMMPS and from ASE, in cells of any shape, and the virial LAMMPS sees."""

import subprocess
import sys

import numpy as np
import pytest
from ase import units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lammps import Prism
from ase.geometry import find_mic
from ase.io import write
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.potential.calculator import Potential
from bpstudy.potential.lammps import LammpsError, attach, start, write_input
from bpstudy.symmetry import G2, G5, SymmetryFunctions
from tests.unit.test_potential import make

FUNCTIONS = SymmetryFunctions([G2(1.0, rs, 5.0) for rs in (2.0, 3.0, 4.0)] + [G5(0.05, 2.0, 1, 5.0)])


def crystal(repeat):
    """Warm bcc lithium in a primitive, hence oblique, cell."""
    atoms = bulk("Li", a=3.49).repeat(repeat)
    atoms.rattle(0.1, seed=1)
    thermalize_momenta(atoms, 300.0, rng=np.random.default_rng(2))
    return atoms


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    structures = [bulk("Li", a=3.49).repeat(2) for _ in range(4)]
    for seed, atoms in enumerate(structures):
        atoms.rattle(0.15, seed=seed)
    make(folder, structures, FUNCTIONS)
    return folder


def begin(atoms, model, folder):
    write_input(atoms, model, 5.0, folder)
    lammps = start("-log", "none", "-screen", "none")
    lammps.command(f"shell cd {folder}")
    lammps.file("setup.in")
    return lammps


def in_order(lammps, what):
    """A property of the atoms, sorted by their identifiers."""
    n = lammps.get_natoms()
    order = np.argsort(lammps.numpy.extract_atom("id")[:n])
    return lammps.numpy.extract_atom(what)[:n][order].copy()


@pytest.mark.parametrize(("repeat", "steps"), [(2, 10), pytest.param((12, 6, 6), 100, marks=pytest.mark.slow)])
def test_dynamics_are_those_of_ase(model, tmp_path, repeat, steps):
    atoms = crystal(repeat)
    lammps = begin(atoms, model, tmp_path)
    attached = attach(lammps, Potential(model, "ignore"), ["Li"])
    lammps.commands_string(f"timestep 0.001\nfix integrate all nve\nrun {steps}")
    attached.check()
    atoms.calc = Potential(model, "ignore")
    VelocityVerlet(atoms, 1.0 * units.fs).run(steps)
    prism = Prism(atoms.cell.array)
    apart = in_order(lammps, "x") - prism.vector_to_lammps(atoms.positions)
    shortest, _ = find_mic(apart, prism.lammps_cell)
    assert np.abs(shortest).max() < 1e-6
    assert lammps.get_thermo("pe") == pytest.approx(atoms.get_potential_energy(), rel=1e-8)
    assert lammps.get_thermo("ke") == pytest.approx(atoms.get_kinetic_energy(), rel=1e-6)


def test_lammps_sees_the_pressure_of_the_stress(model, tmp_path):
    atoms = crystal(2)
    lammps = begin(atoms, model, tmp_path)
    attached = attach(lammps, Potential(model, "ignore"), ["Li"])
    lammps.commands_string("fix integrate all nve\nrun 0")
    attached.check()
    atoms.calc = Potential(model, "ignore")
    kinetic = 2 / 3 * atoms.get_kinetic_energy() / atoms.get_volume()
    pressure = -atoms.get_stress()[:3].mean() + kinetic
    assert lammps.get_thermo("press") == pytest.approx(pressure / units.bar, rel=1e-6)


def test_npt_keeps_the_energy_and_the_box_in_step(model, tmp_path):
    lammps = begin(crystal(2), model, tmp_path)
    attached = attach(lammps, Potential(model, "ignore"), ["Li"])
    volume = lammps.get_thermo("vol")
    lammps.commands_string("timestep 0.001\nfix integrate all npt temp 300 300 0.1 tri 1 1 1\nrun 20")
    attached.check()
    assert lammps.get_thermo("vol") != volume
    x, y, z = np.subtract(*lammps.extract_box()[1::-1])
    assert lammps.get_thermo("vol") == pytest.approx(x * y * z)


def test_an_alloy_keeps_its_elements(tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.symbols[0] = "Au"
    atoms.rattle(0.1, seed=1)
    lammps = begin(atoms, tmp_path, tmp_path / "lammps")
    attach(lammps, EMT(), ["Au", "Cu"]).check()
    lammps.commands_string("fix integrate all nve\nrun 0")
    atoms.calc = EMT()
    assert lammps.get_thermo("pe") == pytest.approx(atoms.get_potential_energy())
    np.testing.assert_allclose(in_order(lammps, "f"), atoms.get_forces(), atol=1e-9)


def test_an_error_within_the_run_is_not_lost(model, tmp_path):
    lammps = begin(crystal(2), model, tmp_path)
    attached = attach(lammps, Potential(model, "ignore"), ["Na"])
    lammps.commands_string("fix integrate all nve\nrun 1000")
    with pytest.raises(LammpsError, match="atom 0 is Na"):
        attached.check()


def test_what_lammps_cannot_run_is_refused(model, tmp_path):
    lammps = begin(crystal(2), model, tmp_path)
    with pytest.raises(LammpsError, match="2 for 1 atom types"):
        attach(lammps, Potential(model), ["Li", "Na"])
    with pytest.raises(LammpsError, match="exists"):
        write_input(crystal(2), model, 5.0, tmp_path)
    molecule = crystal(2)
    molecule.cell = None
    with pytest.raises(LammpsError, match="no cell"):
        write_input(molecule, model, 5.0, tmp_path / "other")
    other = start("-log", "none", "-screen", "none")
    with pytest.raises(LammpsError, match="units lj"):
        attach(other, Potential(model), ["Li"])


def test_the_written_script_runs(model, tmp_path):
    write(tmp_path / "structure.traj", crystal(2))
    arguments = ["lammps", str(model), str(tmp_path / "structure.traj"), "--output", str(tmp_path / "lammps")]
    written = CliRunner().invoke(app, arguments)
    assert written.exit_code == 0, written.output
    assert f"python {tmp_path / 'lammps/run.py'}" in written.output
    run = tmp_path / "lammps/run.in"
    run.write_text(run.read_text().replace("run 1000", "run 10"))
    done = subprocess.run([sys.executable, tmp_path / "lammps/run.py"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Loop time" in done.stdout
    assert (tmp_path / "lammps/Li8.dump").is_file()
