# ruff: noqa: E501 - tables of cases
"""Data that are not what they seem: each ends in the right numbers, or in an error that names file and frame."""

import gzip
import os
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bpstudy.cli import app
from bpstudy.config.datasets import Imported
from bpstudy.data.copies import copies, fingerprint, kind
from bpstudy.data.dataset import DataSet
from bpstudy.data.errors import TrajectoryError
from bpstudy.data.look import look
from bpstudy.symmetry import G1, SymmetryFunctions

ROOT = Path(__file__).parents[2]
REFUSED = "refused, with file and frame"
SAID = "`bpstudy data` says that it spoils a fit; a study of it is refused"


def case(*values, fault, expected=REFUSED):
    return pytest.param(*values, marks=pytest.mark.fault(fault, expected), id=fault)


def copper(seed, repeat=1, rattle=0.1):
    atoms = bulk("Cu", cubic=True).repeat(repeat)
    atoms.rattle(rattle, rng=np.random.default_rng(seed))
    return atoms


def computed(atoms, energy=1.0, forces=1.0, stress=None):
    """With EMT's energy and forces, times something."""
    live = atoms.copy()
    live.calc = EMT()
    results = {"energy": live.get_potential_energy() * energy, "forces": live.get_forces() * forces}
    if stress is not None:
        results["stress"] = live.get_stress() * stress
    frame = atoms.copy()
    frame.calc = SinglePointCalculator(frame, **results)
    return frame


def frames(count=12, **factors):
    return [computed(copper(seed, 1 + seed % 2), **factors) for seed in range(count)]


def text_of(*of):
    text = StringIO()
    write(text, list(of), format="extxyz")
    return text.getvalue()


def changed(change):
    """Frames of which the fourth is changed."""
    of = frames(5)
    results = of[3].calc.results
    of[3].calc = None
    change(of[3])
    of[3].calc = SinglePointCalculator(of[3], **results)
    return of


def cell(rows, pbc=True):
    def change(atoms):
        atoms.set_cell(rows)
        atoms.pbc = pbc

    return change


def symbol(of):
    return lambda atoms: atoms.symbols.__setitem__(1, of)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        case(cell([[3, 0, 0], [0, 3, 0], [3, 3, 0]]), "frame 3: the periodic cell vectors .* are not independent", fault="a cell without volume"),
        case(cell([[3, 0, 0], [3, 0, 0], [0, 0, 9]], [True, True, False]), "frame 3: the periodic cell vectors", fault="a slab whose two cell vectors are the same"),
        case(lambda atoms: atoms.set_cell(atoms.cell * 0.1, scale_atoms=True), r"frame 3: \S+ atoms per Å³ are too many for matter; is another unit than Å meant \(nm\)", fault="positions and cell in nm"),
        case(lambda atoms: atoms.positions.__setitem__(0, atoms.positions[1]), "frame 3: atoms 0 and 1 are 0 Å apart: at the same place; remove one", fault="two atoms at the same place"),
        case(lambda atoms: atoms.positions.__setitem__(0, atoms.positions[1] + atoms.cell[2]), "frame 3: atoms 0 and 1 are", fault="an atom at the place of the image of another"),
        case(symbol("X"), r"frame 3: atom 1 is of no element \(X\)", fault="a ghost atom X"),
    ],
)  # fmt: skip
def test_frames_that_cannot_be(tmp_path, change, said, now):
    write(tmp_path / "a.extxyz", changed(change))
    with pytest.raises(TrajectoryError, match=rf"a\.extxyz, {said}") as error:
        list(DataSet(Imported(files=["a.extxyz"], mixed_periodicity=True), tmp_path))
    now(str(error.value))


@pytest.mark.parametrize(
    ("rows", "pbc"),
    [
        case([[0, 20.0, 0], [20.0, 0, 0], [0, 0, 20.0]], True, fault="a left-handed cell", expected="the sums over its pairs, as the plain sum has them"),
        case([[8.0, 0, 0], [0, 8.0, 0], [8.0, 8.0, 0]], [True, True, False], fault="a cell vector of an open axis in the plane of the others", expected="the sums over its pairs, as the plain sum has them"),
        case([[1e6, 0, 0], [0, 1e6, 0], [0, 0, 1e6]], True, fault="a cell of 1e6 Å", expected="the sums over its pairs, as the plain sum has them"),
    ],
)  # fmt: skip
def test_odd_cells_have_the_sums_of_a_plain_loop(tmp_path, rows, pbc):
    atoms = Atoms("Cu4", copper(0).positions, cell=rows, pbc=pbc)
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0)
    write(tmp_path / "a.extxyz", atoms)
    (frame,) = DataSet(Imported(files=["a.extxyz"]), tmp_path)
    shifts = [
        np.array([i, j, k]) @ np.array(rows)
        for i in ((-1, 0, 1) if atoms.pbc[0] else (0,))
        for j in ((-1, 0, 1) if atoms.pbc[1] else (0,))
        for k in ((-1, 0, 1) if atoms.pbc[2] else (0,))
    ]
    plain = [
        sum(
            (np.cos(np.pi * r / 5) + 1) / 2
            for other in frame.positions
            for shift in shifts
            if 0 < (r := np.linalg.norm(other + shift - centre)) < 5
        )
        for centre in frame.positions
    ]
    np.testing.assert_allclose(SymmetryFunctions([G1(5.0)]).compute(frame)[:, 0], plain, rtol=1e-10)


TEXT = text_of(*frames(5))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        case("a.xyz", re.sub(r'Lattice="[^"]*" ', "", TEXT), "frame 0: is periodic along an axis without a cell vector; give the cell", fault="`pbc` without `Lattice`"),
        case("a.xyz", TEXT.replace(" energy=", " energy=5.0 energy=", 1), "frame 0: duplicate energy; remove one", fault="`energy` twice in a comment line", expected="refused: ASE would take the last"),
        case("a.xyz", TEXT[:-4], "frame 4: ends in the middle of a number", fault="a file cut off within its last number", expected="refused: what is left is a number too"),
        case("a.xyz", "99999999999\n" + TEXT, "frame 0: ends early, 99999999999 atoms are announced", fault="a number of atoms of 1e11", expected="refused at once"),
        case("a.xyz", "²" + TEXT[1:], "frame 0: .* must begin with the number of its atoms", fault="`²` as the number of atoms"),
        case("a.xyz", TEXT.replace("\nCu", "\nD", 1), "frame 0: .*'D' is no chemical symbol; isotopes are their element", fault="deuterium as D"),
        case("a.xyz", re.sub(r" energy=(\S+)", r' energy="\1 eV"', TEXT), "frame 0: has no energy.*energy = '.* eV' is no number", fault="`energy=\"-3.2 eV\"`"),
        case("a.xyz", gzip.compress(TEXT.encode()), r"is compressed; rename it so that its name ends in \.gz", fault="a gzip file called .xyz", expected="refused; the message says what to do"),
        case("a.xyz.gz", TEXT, r"is not compressed, or damaged; its name must not end in \.gz", fault="a plain file called .gz", expected="refused; the message says what to do"),
        case("a.xyz.zst", b"\x28\xb5\x2f\xfd" + b"0" * 50, r"is compressed \(\.zst\); unpack it", fault="a file of zstd", expected="refused; the message says what to do"),
        case("a.xyz.gz", gzip.compress(TEXT.encode())[:-300], r"a\.xyz\.gz: ASE cannot read this trajectory \(EOFError", fault="a gzip file that was cut off", expected="refused, with the file"),
    ],
)  # fmt: skip
def test_files_that_are_something_else(tmp_path, name, content, said, now):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TrajectoryError, match=said) as error:
        list(DataSet(Imported(files=[name]), tmp_path))
    assert name in str(error.value)
    now(str(error.value).replace(f"{tmp_path}/", ""))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        case(lambda: os.mkfifo("a.xyz"), "is no file but a pipe or device", fault="a named pipe as data", expected="refused at once, not waited for"),
        case(lambda: Path("a.xyz").symlink_to("a.xyz"), r"is a link to a\.xyz, which is not there", fault="a link to itself", expected="refused; the message names the target of the link"),
        case(lambda: Path("a.xyz").symlink_to("gone.xyz"), r"is a link to gone\.xyz, which is not there", fault="a link to nothing", expected="refused; the message names the target of the link"),
        case(lambda: (Path("b.xyz").write_text(TEXT), Path("a.xyz").symlink_to("b.xyz")), r"b\.xyz: is the same file as a\.xyz; name it once", fault="a file and a link to it as two files", expected="refused: each frame would count twice"),
    ],
)  # fmt: skip
def test_links_and_pipes(tmp_path, monkeypatch, make, said, now):
    monkeypatch.chdir(tmp_path)
    make()
    with pytest.raises(TrajectoryError, match=said) as error:
        list(DataSet(Imported(files=["a.xyz"] + (["b.xyz"] if Path("b.xyz").exists() else []))))
    now(error.value)


def turned(atoms):
    atoms.rotate(33, (1, 2, 3), rotate_cell=True)


def moved(atoms):
    atoms.positions += [0.37, 0.11, 1.9]
    atoms.wrap()


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    repeat=st.integers(1, 2),
    changes=st.lists(st.sampled_from([turned, moved, Atoms.wrap]), max_size=3),
    super_cell=st.booleans(),
    mirror=st.booleans(),
    step=st.floats(0.01, 0.2),
)
@pytest.mark.fault(
    "a copy that is moved, turned, mirrored, wrapped, shuffled or repeated",
    "found, whatever was done to it; another frame is none",
)
def test_a_copy_is_a_copy_however_it_is_written(seed, repeat, changes, super_cell, mirror, step):
    rng = np.random.default_rng(seed)
    atoms = copper(seed, repeat)
    atoms.symbols[0] = "Al"
    other = atoms.copy()
    other.positions += step * rng.normal(size=other.positions.shape)
    copied = atoms.copy()
    for change in changes:
        change(copied)
    if mirror:
        copied.positions *= -1
    if super_cell:
        copied = copied.repeat((1, 2, 1))
    copied = copied[rng.permutation(len(copied))]
    copied.positions = copied.positions.round(5)
    all_frames = [other, atoms, copied]
    kinds = [kind(frame.get_chemical_formula(), "TTT") for frame in all_frames]
    turned_cell = mirror and turned in changes
    found = copies(kinds, np.array([fingerprint(f) for f in all_frames]), [len(f) for f in all_frames], turned_cell)
    assert found.tolist() == [0, 1, 1]


def test_frames_of_a_small_symmetric_cell_are_no_copies_of_each_other():
    """A random walk about the sites: its sums over distances are alike, since they change in the second order alone."""
    rng, ideal, away, frames = np.random.default_rng(0), bulk("Al", cubic=True), np.zeros((4, 3)), []
    for _ in range(3000):
        away = 0.9 * away + rng.normal(scale=0.04, size=(4, 3))
        frames.append(ideal.copy())
        frames[-1].positions += away
    frames.append(frames[1234].copy())
    frames[-1].rotate(40, "x", rotate_cell=True)
    frames[-1].positions = np.round(frames[-1].positions, 4)
    found = copies(["Al TTT"] * 3001, np.array([fingerprint(f) for f in frames]), [4] * 3001, True)
    np.testing.assert_array_equal(found, [*range(3000), 1234])


def test_dimers_that_are_far_apart_are_no_copies():
    dimers = [Atoms("Cu2", [[0, 0, 0], [0, 0, z]], cell=[40, 40, 40], pbc=True) for z in (8.0, 9.0, 14.0, 14.2, 9.0)]
    found = copies(["Cu TTT"] * 5, np.array([fingerprint(f) for f in dimers]), [2] * 5)
    assert found.tolist() == [0, 1, 2, 3, 1]


def per_atom(of):
    for frame in of:
        frame.calc.results["energy"] /= len(frame)
    return of


def strained(sign=1.0, unit=1.0):
    rng = np.random.default_rng(0)
    found = []
    for seed in range(12):
        atoms = copper(seed, 1, 0.02)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.normal(0, 0.01, (3, 3))), scale_atoms=True)
        found.append(computed(atoms, stress=sign * unit))
    return found


@pytest.mark.parametrize(
    ("make", "said"),
    [
        case(lambda: frames(24), "", fault="energies and forces that belong together", expected="accepted without a message"),
        case(strained, "", fault="energies and stress that belong together", expected="accepted without a message"),
        case(lambda: frames(24, forces=-1.0), r"energies change by -\S+ times the work of the forces; do the forces have the wrong sign", fault="forces of the wrong sign", expected=SAID),
        case(lambda: frames(24, energy=1 / 27.2114), "are the energies in Hartree", fault="energies in Hartree beside forces in eV/Å", expected=SAID),
        case(lambda: frames(24, energy=23.06), "are the energies in kcal/mol", fault="energies in kcal/mol beside forces in eV/Å", expected=SAID),
        case(lambda: per_atom(frames(24)), "are the energies per atom", fault="energies per atom", expected=SAID),
        case(lambda: frames(24, forces=1 / 51.422), "are the forces in Hartree/Bohr", fault="forces in Hartree/Bohr beside energies in eV", expected=SAID),
        case(lambda: strained(sign=-1), r"times the work of the stress; another sign \(a pressure, or VASP's\)", fault="a stress of VASP's sign", expected=SAID),
        case(lambda: strained(unit=160.2), "times the work of the stress; another unit", fault="a stress in GPa that is not declared", expected=SAID),
    ],
)  # fmt: skip
def test_energies_forces_and_stress_belong_together(tmp_path, make, said, now):
    write(tmp_path / "a.extxyz", make())
    wrong = look(Imported(files=["a.extxyz"]), tmp_path).wrong
    assert bool(wrong) == bool(said), wrong
    if said:
        assert re.search(said, now(wrong[0]))


@pytest.mark.fault("stress and virial that contradict each other", "refused, with file and frame")
def test_stress_and_virial(tmp_path, now):
    frame = computed(copper(0), stress=1.0)
    stress = frame.calc.results["stress"]
    full = stress[[0, 5, 4, 5, 1, 3, 4, 3, 2]]
    frame.info["virial"] = -frame.get_volume() * full
    write(tmp_path / "a.extxyz", frame)
    (known,) = DataSet(Imported(files=["a.extxyz"]), tmp_path)
    np.testing.assert_allclose(known.calc.results["stress"], stress, atol=1e-7)
    frame.info["virial"] *= -1
    write(tmp_path / "a.extxyz", frame)
    with pytest.raises(TrajectoryError, match="frame 0: stress and virial contradict each other") as error:
        list(DataSet(Imported(files=["a.extxyz"]), tmp_path))
    now(error.value)


def bpstudy(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def lone(of):
    for frame in of:
        frame.pbc = False
    return of


def offset(of):
    for frame in of:
        frame.calc.results["energy"] += 20.0
    return of


def outlier(of):
    of[7].calc.results["energy"] = 1e10
    return of


@pytest.mark.parametrize(
    ("training", "test", "said"),
    [
        case(lambda of: outlier(of), None, r"energies far from all others \(eV/atom\): al\.extxyz, frame 7", fault="one energy of 1e10 eV", expected="refused before the first job, with the frame"),
        case(lambda of: of, lambda of: offset(of), "its energies are .* off those of the other files", fault="a test file whose energies have another zero", expected="refused before the first job"),
        case(lambda of: of, lambda of: lone(of), r"test\.extxyz, frame 0 has periodic axes FFF, those trained on not", fault="a test file that lost `pbc`", expected="refused before the first job, with the frame"),
    ],
)  # fmt: skip
def test_a_study_of_spoilt_data_is_refused(tmp_path, monkeypatch, training, test, said, now):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text((ROOT / "config.yaml").read_text())
    write("al.extxyz", training([computed(copper(seed)) for seed in range(50)]))
    options = []
    if test:
        write("test.extxyz", test([computed(copper(seed)) for seed in range(100, 115)]))
        options = ["--test", "test.extxyz"]
    done = bpstudy("new", "al.extxyz", *options)
    assert done.exit_code == 1
    assert not Path("mine.yaml").exists()
    line = next(line.strip() for line in done.output.splitlines() if re.search(said, line))
    now(line)


@pytest.mark.fault("odd data that are meant: `checked: true`", "used as they are")
def test_what_is_meant_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text((ROOT / "config.yaml").read_text())
    write("al.extxyz", [computed(copper(seed)) for seed in range(50)])
    assert bpstudy("new", "al.extxyz").exit_code == 0
    write("al.extxyz", outlier([computed(copper(seed)) for seed in range(50)]))
    assert bpstudy("config", "check", "config.yaml", "mine.yaml").exit_code == 1
    values = yaml.safe_load(Path("mine.yaml").read_text())
    values["systems"]["mine"]["checked"] = True
    Path("mine.yaml").write_text(yaml.safe_dump(values))
    assert bpstudy("config", "check", "config.yaml", "mine.yaml").exit_code == 0
