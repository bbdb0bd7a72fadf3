"""What people give `bpstudy md`: fixed atoms, velocities of other names, outputs that are something else."""

import numpy as np
import pytest
from ase import units
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixBondLengths, FixCartesian, FixScaled
from ase.io import read, write
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.potential.md import Run, run, run_to_file, supercell
from bpstudy.potential.outputs import check_output
from bpstudy.potential.velocities import read_structure, take_velocities

BATH = Run(steps=10, temperature_kelvin=400, friction_per_fs=0.05, timestep_fs=2.0, every=1)
CONSTANT = Run(steps=10, temperature_kelvin=400, timestep_fs=2.0, every=1)


def copper(repeat=2):
    atoms = bulk("Cu", cubic=True).repeat(repeat)
    atoms.rattle(0.05, seed=0)
    return atoms


def alloy():
    atoms = bulk("Cu", cubic=True)
    atoms.symbols[[0, 2]] = "Al"
    return atoms


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of a potential that works; few tests need it."""
    from tests.unit.test_potential import FUNCTIONS, make
    from tests.unit.test_potential import alloy as strained

    folder = tmp_path_factory.mktemp("model")
    make(folder, [strained(seed) for seed in range(10)], FUNCTIONS)
    return folder


def md(*arguments):
    done = CliRunner().invoke(app, ["md", *map(str, arguments)])
    assert "Traceback" not in done.output
    return done


@pytest.mark.fault("`bpstudy md` of a structure with fixed atoms", "they stay, with --nve and with --nvt")
@pytest.mark.parametrize("settings", [CONSTANT, BATH], ids=["nve", "nvt"])
def test_fixed_atoms_stay(settings):
    atoms = copper()
    atoms.set_constraint([FixAtoms([0, 5]), FixCartesian([7], [True, False, False])])
    before, frames = atoms.positions.copy(), []
    run(atoms, EMT(), settings, frames.append)
    moved = frames[-1].positions - before
    assert not moved[[0, 5]].any()
    assert moved[7, 0] == 0
    assert (moved[7, 1:] != 0).all()
    assert (np.delete(moved, [0, 5, 7], axis=0) != 0).all()
    assert {type(c) for c in frames[-1].constraints} == {FixAtoms, FixCartesian}  # what continues the run keeps them


@pytest.mark.fault(
    "the temperature of a run with fixed atoms", "counts the coordinates that move: as many as equipartition needs"
)
@pytest.mark.slow
def test_the_temperature_with_fixed_atoms_is_that_of_the_bath():
    atoms = copper()
    atoms.set_constraint(FixAtoms(range(16)))  # half of them: counted as free, the temperature would be half
    table = run(atoms, EMT(), Run(1200, 4.0, 300.0, 0.05, 1))
    late = table["temperature_kelvin"].iloc[100:]
    assert late.mean() == pytest.approx(300, rel=0.1)  # of 48 coordinates; correlated over 5 steps


def test_drawn_velocities_of_free_atoms_have_the_temperature_asked():
    drawn = []
    for seed in range(20):
        atoms = copper()
        atoms.set_constraint(FixAtoms(range(8)))
        table = run(atoms, EMT(), Run(1, 0.01, 400.0, None, 1, seed))
        drawn.append(table["temperature_kelvin"].iloc[0])
    assert np.mean(drawn) == pytest.approx(400, rel=0.1)


def test_the_motion_of_the_whole_cell_is_not_heat():
    atoms, moving = copper(), copper()
    run(atoms, EMT(), CONSTANT)
    start = copper()
    start.set_momenta(run_momenta := atoms.get_momenta())
    moving.set_momenta(run_momenta + 0.5 * moving.get_masses()[:, None])
    one, other = (run(each, EMT(), CONSTANT)["temperature_kelvin"] for each in (start, moving))
    np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        pytest.param(
            FixBondLengths([[0, 1]]),
            "constraint FixBondLengths, which is not supported",
            marks=pytest.mark.fault("dynamics with fixed bond lengths", "refused: they would not be kept or counted"),
        ),
        pytest.param(
            FixScaled([0], [True, False, False]),
            "constraint FixScaled, which is not supported",
            marks=pytest.mark.fault(
                "selective dynamics along one axis of the cell", "refused; the message says what to write"
            ),
        ),
        pytest.param(
            FixAtoms(range(32)),
            "all atoms of the structure are fixed",
            marks=pytest.mark.fault("dynamics with all atoms fixed", "refused: nothing can move"),
        ),
    ],
)
def test_other_constraints_are_refused(constraint, said, now):
    atoms = copper()
    atoms.set_constraint(constraint)
    with pytest.raises(ValueError, match=said) as error:
        run(atoms, EMT(), BATH)
    now(error.value)
    with pytest.raises(ValueError, match=said):
        supercell(atoms, (2, 1, 1))


def test_a_supercell_keeps_fixed_atoms():
    atoms = copper(1)
    atoms.set_constraint(FixAtoms([1]))
    larger = supercell(atoms, (2, 2, 1))
    assert larger.constraints[0].index.tolist() == [1, 5, 9, 13]
    with pytest.raises(ValueError, match="4000000000000 atoms, at most 1000000 are allowed"):
        supercell(atoms, (10000, 10000, 10000))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param(
            "md.csv",
            r"must end in \.traj, \.xyz or \.extxyz",
            marks=pytest.mark.fault("`--output md.csv`", "refused before the run: the table would take its place"),
        ),
        pytest.param(
            "md",
            r"must end in \.traj",
            marks=pytest.mark.fault("`--output` without an ending", "refused before the run, with the endings allowed"),
        ),
        pytest.param(
            "folder.traj",
            "is a folder",
            marks=pytest.mark.fault("a folder as `--output`", "refused before the run"),
        ),
        pytest.param(
            "table.traj",
            "table.csv is a folder",
            marks=pytest.mark.fault("a folder where the table of `--output` goes", "refused before the run"),
        ),
        pytest.param(
            "start.xyz",
            "is read by this run",
            marks=pytest.mark.fault("`--output` is the structure", "refused: no input is overwritten"),
        ),
        pytest.param(
            "linked.xyz",
            "is read by this run",
            marks=pytest.mark.fault("`--output` is a link to the structure", "refused: no input is overwritten"),
        ),
        pytest.param(
            "start.xyz/md.traj",
            "is not a folder",
            marks=pytest.mark.fault("`--output` within a file", "refused before the run"),
        ),
    ],
)
def test_outputs_are_checked_before_the_run(tmp_path, name, said, now):
    structure = tmp_path / "start.xyz"
    alloy().write(structure)
    (tmp_path / "linked.xyz").hardlink_to(structure)
    for there in ("folder.traj", "table.csv"):
        (tmp_path / there).mkdir()
    content = structure.read_bytes()
    with pytest.raises(ValueError, match=said) as error:
        check_output(tmp_path / name, [structure])
    done = md(tmp_path / "model", structure, "--nve", "--steps", 10**9, "--output", tmp_path / name)
    assert done.exit_code == 1
    assert "velocities:" not in done.output  # it stopped before the run
    now(f"error: {error.value}")
    assert structure.read_bytes() == content


def test_a_file_of_the_model_is_no_output(tmp_path):
    (tmp_path / "history.csv").touch()
    with pytest.raises(ValueError, match=r"history\.csv is read by this run"):
        check_output(tmp_path / "history.traj", tmp_path.glob("*"))


@pytest.mark.fault("`--output md.xyz`", "extended XYZ, as the name says, with energies, forces and momenta")
@pytest.mark.parametrize("name", ["md.xyz", "md.extxyz", "md.traj"])
def test_the_format_follows_the_name(tmp_path, name):
    frames = []
    run(copper(), EMT(), CONSTANT, frames.append)
    run_to_file(copper(), EMT(), CONSTANT, tmp_path / name)
    stored = read(tmp_path / name, ":", format="extxyz" if name.endswith("xyz") else "traj")
    assert len(stored) == len(frames) == 11
    for found, expected in zip(stored, frames, strict=True):
        np.testing.assert_allclose(found.positions, expected.positions, atol=1e-7)
        np.testing.assert_allclose(found.get_momenta(), expected.get_momenta(), atol=1e-7)
        np.testing.assert_allclose(found.get_forces(), expected.get_forces(), atol=1e-7)
        assert found.get_potential_energy() == pytest.approx(expected.get_potential_energy(), abs=1e-7)
    assert (tmp_path / "md.csv").is_file()


@pytest.mark.fault("dynamics that break off", "the frames so far are kept as NAME.partial.traj")
@pytest.mark.parametrize("suffix", ["traj", "xyz"])
def test_what_was_run_before_an_error_is_kept(tmp_path, suffix):
    class Breaking(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=("positions",)):
            super().calculate(atoms, properties, system_changes)
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls == 6:
                self.results["energy"] = np.nan

    with pytest.raises(ValueError, match="step 5: the energy is nan; use a smaller timestep_fs"):
        run_to_file(copper(), Breaking(), CONSTANT, tmp_path / f"md.{suffix}")
    assert len(read(tmp_path / f"md.partial.{suffix}", ":")) == 5
    assert not (tmp_path / f"md.{suffix}").exists()


def with_column(tmp_path, name, values):
    atoms = alloy()
    atoms.set_array(name, values)
    write(tmp_path / "start.extxyz", atoms)
    return tmp_path / "start.extxyz"


@pytest.mark.fault(
    "velocities under the names `vel`, `velo`, `velocities`",
    "refused until their unit is given; nothing is drawn instead",
)
@pytest.mark.parametrize("name", ["vel", "velo", "velocities", "Velocity"])
def test_velocities_of_another_name_are_not_ignored(tmp_path, name, now):
    values = np.linspace(-0.01, 0.02, 12).reshape(4, 3)  # Å/fs
    structure = with_column(tmp_path, name, values)
    with pytest.raises(ValueError, match=f"velocities under {name}, whose unit the file does not give") as error:
        take_velocities(read_structure(structure))
    now(error.value)
    done = md(tmp_path, structure, "--nve", "--output", tmp_path / "md.traj")
    assert done.exit_code == 1
    assert not (tmp_path / "md.traj").exists()
    for unit, in_fs in (("A/fs", 1.0), ("A/ps", 1000.0), ("ase", 1 / units.fs)):
        atoms = read_structure(structure)
        assert take_velocities(atoms, unit) == f"{name} of the structure, in {unit}"
        np.testing.assert_allclose(atoms.get_velocities() * units.fs, values / in_fs, rtol=1e-3)


@pytest.mark.fault(
    "a structure without velocities", "they are drawn, and the program says so, with temperature and seed"
)
@pytest.mark.slow
def test_drawn_velocities_are_said(folder, tmp_path, now):
    alloy().write(tmp_path / "start.extxyz")
    done = md(folder, tmp_path / "start.extxyz", "--nve", "--steps", 2, "--output", tmp_path / "md.traj")
    assert "velocities: drawn, since the structure has none (300 K, seed 0)" in done.output
    now(done.output.splitlines()[0])
    again = md(folder, tmp_path / "md.traj", "--nve", "--steps", 2, "--output", tmp_path / "more.traj")
    assert "velocities: momenta of the structure" in again.output


@pytest.mark.parametrize(
    ("asked", "column", "said"),
    [
        ("m/s", None, "--velocities m/s: allowed are draw, A/fs, A/ps, ase"),
        ("A/fs", None, "has 0 columns of velocities"),
        ("A/fs", np.nan, "are not finite"),
    ],
)
def test_velocities_that_cannot_be_taken(asked, column, said):
    atoms = alloy()
    if column is not None:
        atoms.set_array("vel", np.full((4, 3), column))
    with pytest.raises(ValueError, match=said):
        take_velocities(atoms, asked)


def test_momenta_may_be_drawn_anew():
    atoms = alloy()
    atoms.set_momenta(np.ones((4, 3)))
    assert take_velocities(atoms) == "momenta of the structure"
    assert take_velocities(atoms, "draw") == "drawn, as asked"
    assert not atoms.get_momenta().any()


@pytest.mark.fault("`--friction` with `--nve`", "refused: it would do nothing")
def test_a_friction_without_a_bath(tmp_path, now):
    alloy().write(tmp_path / "start.xyz")
    done = md(tmp_path / "model", tmp_path / "start.xyz", "--nve", "--friction", "0.1")
    assert done.exit_code == 1
    assert "--friction 0.1: applies only to the bath of --nvt; use --nvt, or leave it out" in now(done.output)


@pytest.mark.fault("an atom of mass 0", "refused, with the atom")
def test_an_atom_without_mass(tmp_path, now):
    atoms = alloy()
    atoms.set_masses([63.5, 0.0, 27.0, 27.0])
    write(tmp_path / "start.traj", atoms)
    with pytest.raises(ValueError, match=r"the mass of atom 1 is 0; it must be above 0") as error:
        read_structure(tmp_path / "start.traj")
    now(error.value)


@pytest.mark.fault("a committee of the same fit twice", "refused: its uncertainty would be zero")
def test_a_committee_of_one_fit(tmp_path, now):
    from bpstudy.potential.committee import Committee

    folders = [tmp_path / name for name in ("seed-0", "copy")]
    for folder in folders:
        folder.mkdir()
        (folder / "model.keras").write_bytes(b"the same")
    with pytest.raises(ValueError, match="copy: is the same fit as one before it") as error:
        Committee(folders)
    now(error.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ["--timestep", "1e-15"],
            "at least 0.001",
            marks=pytest.mark.fault("a time step in s", "refused, with the unit"),
        ),
        pytest.param(
            ["--timestep", "1000"],
            "it is in fs and must be at most 10",
            marks=pytest.mark.fault("a time step in another unit", "refused, with the unit"),
        ),
        pytest.param(
            ["--friction", "10"],
            "it is in 1/fs and must be at most",
            marks=pytest.mark.fault("a friction in 1/ps", "refused, with the unit"),
        ),
        pytest.param(
            ["--repeat", "1000"],
            "at most 1000000 are allowed",
            marks=pytest.mark.fault("a supercell of 4e9 atoms", "refused before memory ends"),
        ),
        pytest.param(
            ["--temperature", "nan"],
            "must be a number above 0",
            marks=pytest.mark.fault("a temperature of nan", "refused"),
        ),
    ],
)
def test_absurd_settings_are_refused(tmp_path, arguments, said, now):
    alloy().write(tmp_path / "start.xyz")
    done = md(tmp_path / "model", tmp_path / "start.xyz", "--nvt", "--output", tmp_path / "md.traj", *arguments)
    assert done.exit_code == 1
    assert said in now(done.output)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.xyz", None, "none.xyz: no such file"),
        ("folder", "folder", "ASE cannot read it"),
        ("empty.xyz", "0\n\n", "has no atoms"),
        ("nan.xyz", "1\n\nLi nan 0 0\n", "positions or cell are not finite"),
    ],
)
def test_structures_that_cannot_be_read(tmp_path, name, content, said):
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=said):
        read_structure(path)


@pytest.mark.fault("`md@300.extxyz` beside `md`", "the file of that very name is read")
def test_the_very_file_is_read(tmp_path):
    for name, a in (("md", 3.6), ("md@300.extxyz", 3.9)):
        write(tmp_path / name, bulk("Cu", cubic=True, a=a), format="extxyz")
    assert read_structure(tmp_path / "md@300.extxyz").cell[0, 0] == pytest.approx(3.9)
