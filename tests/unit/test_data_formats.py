"""Files of frames: every format gives the frames that were written, and what is read is the very file that is named."""

import gzip
import lzma
from io import StringIO

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io import write

from bpstudy.config.datasets import Imported, Units
from bpstudy.data import n2p2
from bpstudy.data.dataset import DataSet
from bpstudy.data.errors import TrajectoryError


def made(seed, symbol="Al", forces=True):
    """A small crystal with an energy and forces of its own."""
    rng = np.random.default_rng(seed)
    atoms = bulk(symbol, "fcc", a=4.05, cubic=True)
    atoms.rattle(0.1, rng=rng)
    results = {"energy": float(rng.normal()), **({"forces": rng.normal(size=(4, 3))} if forces else {})}
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def assert_alike(read, written, tolerance=1e-7):
    assert len(read) == len(written)
    for new, old in zip(read, written, strict=True):
        assert (new.numbers == old.numbers).all()
        assert (new.pbc == old.pbc).all()
        np.testing.assert_allclose(new.cell.array, old.cell.array, atol=tolerance)
        np.testing.assert_allclose(new.positions, old.positions, atol=tolerance)
        assert new.calc.results["energy"] == pytest.approx(old.calc.results["energy"], abs=tolerance)
        np.testing.assert_allclose(new.calc.results["forces"], old.calc.results["forces"], atol=tolerance)


def read(folder, *names, **declared):
    return list(DataSet(Imported(files=names, **declared), folder))


FRAMES = [made(seed) for seed in range(3)]


@pytest.mark.parametrize("name", ["a.extxyz", "a.xyz", "a.traj", "a.extxyz.gz", "a.xyz.xz", "a.traj.xz"])
def test_what_ase_writes_is_read(tmp_path, name):
    plain = name.removesuffix(".gz").removesuffix(".xz")
    write(tmp_path / plain, FRAMES, format="extxyz" if "xyz" in plain else "traj")
    if plain != name:
        packer = gzip if name.endswith("gz") else lzma
        (tmp_path / name).write_bytes(packer.compress((tmp_path / plain).read_bytes()))
    assert_alike(read(tmp_path, name), FRAMES)


def test_a_database_is_read(tmp_path):
    with connect(tmp_path / "a.db") as database:
        for atoms in FRAMES:
            database.write(atoms, config_type="rattled")
    frames = read(tmp_path, "a.db", split={"by": "config_type"})
    assert_alike(frames, FRAMES)
    assert {frame.info["group"] for frame in frames} == {"rattled"}


@pytest.mark.parametrize("unit", [Units(), Units(energy="Hartree", length="Bohr"), Units(energy="kcal/mol")])
def test_input_data_is_written_and_read(tmp_path, unit):
    n2p2.write(tmp_path / "input.data", FRAMES, unit)
    assert_alike(read(tmp_path, "input.data", units=unit), FRAMES, 1e-12)


def test_input_data_against_its_definition(tmp_path):
    """Bohr and Hartree written by hand."""
    (tmp_path / "mine.data").write_text(
        "begin\ncomment by hand\nlattice 10 0 0\nlattice 0 10 0\nlattice 0 0 10\n"
        "atom 1 2 3 Li 0 0 0.1 0 0\natom 4 5 6 H 0 0 -0.1 0 0\nenergy -1.5\ncharge 0\nend\n"
    )
    (frame,) = read(tmp_path, "mine.data", units=Units(energy="Hartree", length="Bohr"))
    assert frame.calc.results["energy"] == pytest.approx(-1.5 * 27.211386, rel=1e-6)
    np.testing.assert_allclose(frame.positions[1], np.array([4, 5, 6]) * 0.529177, rtol=1e-6)
    assert frame.calc.results["forces"][0, 0] == pytest.approx(0.1 * 51.42207, rel=1e-5)


def test_units_of_input_data_are_never_guessed(tmp_path):
    n2p2.write(tmp_path / "input.data", FRAMES, Units())
    with pytest.raises(TrajectoryError, match=r"input\.data: .*do not tell their units; say them"):
        read(tmp_path, "input.data")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("begin\natom 1 2 3 Li 0 0 0 0\nend\n", "frame 0, line 2: an atom is"),
        ("begin\natom 1 2 3 Qq 0 0 0 0 0\nend\n", "frame 0, line 2: an atom is"),
        ("begin\nlattice 1 2 3\natom 1 2 3 Li 0 0 0 0 0\nenergy 1\nend\n", "three lattice vectors"),
        ("begin\natom 1 2 3 Li 0 0 0 0 0\nenergy 1\n", "without `end`"),
        ("begin\nenergy one\nend\n", "line 2: could not convert"),
        ("begin\nend\nbegin\n", "without atoms"),
        ("begin\nbegin\n", "line 2: 'begin' does not belong here"),
    ],
)
def test_a_damaged_input_data_names_its_line(tmp_path, text, said):
    (tmp_path / "a.data").write_text(text)
    with pytest.raises(TrajectoryError, match=said):
        read(tmp_path, "a.data", format="n2p2", units=Units())


def test_a_slab_has_no_input_data(tmp_path):
    atoms = made(0)
    atoms.pbc = [True, True, False]
    with pytest.raises(TrajectoryError, match="no slabs"):
        n2p2.write(tmp_path / "input.data", [atoms], Units())


DUMP = """ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp pp
0 4
0 4
0 4
ITEM: ATOMS id type{element} x y z fx fy fz
1 1{a} 0 0 0 0.5 0 0
2 2{b} 1 1 {z} -0.5 0 0
"""


def dump(path, *, named):
    texts = {"element": " element", "a": " Li", "b": " H"} if named else {"element": "", "a": "", "b": ""}
    path.write_text("".join(DUMP.format(step=step, z=1 + step / 10, **texts) for step in range(3)))


@pytest.mark.parametrize("named", [True, False])
def test_a_lammps_dump_takes_its_energies_from_a_table(tmp_path, named):
    dump(tmp_path / "a.lammpstrj", named=named)
    (tmp_path / "energies.csv").write_text("step,energy\n0,-1.0\n1,-2.0\n2,-3.0\n")
    elements = {} if named else {"elements": ["Li", "H"]}
    frames = read(tmp_path, "a.lammpstrj", energies_table="energies.csv", format="lammps-dump-text", **elements)
    assert [frame.calc.results["energy"] for frame in frames] == [-1.0, -2.0, -3.0]
    assert frames[2].get_chemical_symbols() == ["Li", "H"]
    assert frames[2].positions[1, 2] == pytest.approx(1.2)
    assert frames[0].calc.results["forces"][0, 0] == 0.5


@pytest.mark.parametrize(
    ("rows", "declared", "said"),
    [
        ("energy\n1\n2\n3\n", {}, "names no elements"),
        ("energy\n1\n2\n", {"elements": ["Li", "H"]}, r"frame 2: energies\.csv has 2 rows"),
        ("energy\n1\n2\n3\n4\n", {"elements": ["Li", "H"]}, "4 rows for 3 frames"),
        ("step\n1\n2\n3\n", {"elements": ["Li", "H"]}, "has no energy.*it has step"),
    ],
)
def test_a_table_that_does_not_fit_is_an_error(tmp_path, rows, declared, said):
    dump(tmp_path / "a.lammpstrj", named=False)
    (tmp_path / "energies.csv").write_text(rows)
    with pytest.raises(TrajectoryError, match=said):
        read(tmp_path, "a.lammpstrj", energies_table="energies.csv", format="lammps-dump-text", **declared)


VASPRUN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator><i name="program" type="string">vasp</i><i name="version" type="string">6.3.0</i></generator>
 <incar></incar>
 <kpoints><varray name="kpointlist"><v>0 0 0</v></varray><varray name="weights"><v>1</v></varray></kpoints>
 <parameters><separator name="electronic"></separator></parameters>
 <atominfo><atoms>1</atoms><types>1</types><array name="atoms"><dimension dim="1">ion</dimension>
 <field type="string">element</field><field type="int">atomtype</field>
 <set><rc><c>Li</c><c>1</c></rc></set></array></atominfo>
 <structure name="initialpos"><crystal><varray name="basis"><v>4 0 0</v><v>0 4 0</v><v>0 0 4</v></varray></crystal>
 <varray name="positions"><v>0 0 0</v></varray></structure>
 <calculation><scstep><energy><i name="e_fr_energy">-2.5</i><i name="e_wo_entrp">-2.25</i><i name="e_0_energy">-2.4</i>
 </energy></scstep><structure><crystal><varray name="basis"><v>4 0 0</v><v>0 4 0</v><v>0 0 4</v></varray></crystal>
 <varray name="positions"><v>0.25 0 0</v></varray></structure>
 <varray name="forces"><v>0.125 0 0</v></varray>
 <energy><i name="e_fr_energy">-2.5</i><i name="e_wo_entrp">-2.25</i><i name="e_0_energy">-2.4</i></energy>
 </calculation>
</modeling>
"""


def test_vasprun_has_both_energies(tmp_path):
    (tmp_path / "vasprun.xml").write_text(VASPRUN)
    (frame,) = read(tmp_path, "vasprun.xml")
    assert frame.calc.results["free_energy"] == -2.5
    assert frame.calc.results["energy"] in (-2.4, -2.25)  # σ → 0 as this version of ASE reads it
    assert frame.positions[0, 0] == pytest.approx(1.0)
    assert frame.calc.results["forces"][0, 0] == 0.125


OUTCAR = """ vasp.6.3.0
 POTCAR:    PAW_PBE Li 17Jan2003
 POTCAR:    PAW_PBE Li 17Jan2003
   ions per type =               1
   NIONS =      1
--------------------------------------- Iteration      1(   1)  ---------------------------------------
      direct lattice vectors                 reciprocal lattice vectors
     4.000000000  0.000000000  0.000000000     0.250000000  0.000000000  0.000000000
     0.000000000  4.000000000  0.000000000     0.000000000  0.250000000  0.000000000
     0.000000000  0.000000000  4.000000000     0.000000000  0.000000000  0.250000000

 POSITION                                       TOTAL-FORCE (eV/Angst)
 -----------------------------------------------------------------------------------
      1.00000      0.00000      0.00000         0.125000      0.000000      0.000000
 -----------------------------------------------------------------------------------
  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)
  ---------------------------------------------------
  free  energy   TOTEN  =        -2.50000000 eV

  energy  without entropy=       -2.25000000  energy(sigma->0) =       -2.40000000

"""


def test_an_outcar_has_both_energies(tmp_path):
    (tmp_path / "OUTCAR").write_text(OUTCAR)
    (frame,) = read(tmp_path, "OUTCAR")
    assert (frame.calc.results["energy"], frame.calc.results["free_energy"]) == (-2.4, -2.5)
    assert frame.calc.results["forces"][0, 0] == 0.125


@pytest.mark.parametrize("name", ["md.extxyz@rerun", "li@300K.extxyz", "run[1].extxyz", "a b.xyz", "a@1:2.traj"])
def test_the_very_file_is_read_whatever_its_name(tmp_path, name):
    kind = "traj" if name.endswith("traj") else "extxyz"
    other = StringIO()
    write(other, made(99), format="extxyz")
    (tmp_path / name.split("@")[0]).write_text(other.getvalue())
    with (tmp_path / name).open("wb" if kind == "traj" else "w") as file:
        write(file, FRAMES, format=kind)
    assert_alike(read(tmp_path, name), FRAMES)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    text = StringIO()
    write(text, FRAMES, format="extxyz")
    (tmp_path / "a.extxyz").write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    assert_alike(read(tmp_path, "a.extxyz"), FRAMES)


def xyz(*frames):
    text = StringIO()
    write(text, list(frames), format="extxyz")
    return text.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"not a trajectory\n", "frame 0: ASE cannot read this trajectory"),
        (xyz(*FRAMES).encode()[:-60], "frame 2: (ASE cannot read|ends in the middle of a number)"),
        (xyz(*FRAMES).encode()[:-120], "frame 2: ends early"),
        (xyz(*FRAMES).replace("\nAl", "\nAl x", 5).encode(), "frame 0"),
        ((xyz(*FRAMES) + "garbage\n").encode(), "frame 3: ASE cannot read this trajectory"),
        (xyz(*FRAMES).encode("utf-16"), "is UTF-16"),
        (xyz(*FRAMES).replace("energy=", 'name="Ångström" energy=').encode("latin-1"), "frame 0: is not UTF-8"),
    ],
)
def test_a_damaged_file_names_its_frame(tmp_path, content, said):
    (tmp_path / "a.extxyz").write_bytes(content)
    with pytest.raises(TrajectoryError, match=said) as error:
        read(tmp_path, "a.extxyz")
    assert "a.extxyz" in str(error.value)


def test_blank_lines_between_frames_drop_none(tmp_path):
    (tmp_path / "a.xyz").write_text("\n".join(xyz(frame) for frame in FRAMES) + "\n\n")
    assert_alike(read(tmp_path, "a.xyz"), FRAMES)


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    (tmp_path / "folder.xyz").mkdir()
    with pytest.raises(TrajectoryError, match=r"folder\.xyz: is a folder"):
        read(tmp_path, "folder.xyz")
    with pytest.raises(TrajectoryError, match=r"none\.xyz: no such trajectory"):
        read(tmp_path, "none.xyz")


def test_a_format_that_is_not_known_is_an_error(tmp_path):
    (tmp_path / "a.xyz").write_text(xyz(*FRAMES))
    with pytest.raises(TrajectoryError, match="format 'xzy' is not known"):
        read(tmp_path, "a.xyz", format="xzy")


def test_forces_of_fixed_atoms_are_kept(tmp_path):
    from ase.constraints import FixAtoms

    atoms = made(0)
    atoms.set_constraint(FixAtoms([0, 1]))
    write(tmp_path / "a.traj", atoms)
    (frame,) = read(tmp_path, "a.traj")
    np.testing.assert_array_equal(frame.calc.results["forces"], FRAMES[0].calc.results["forces"])
    assert not frame.constraints


def test_momenta_are_kept(tmp_path):
    atoms = made(0)
    atoms.set_momenta(np.random.default_rng(0).normal(size=(4, 3)))
    write(tmp_path / "a.extxyz", atoms)
    (frame,) = read(tmp_path, "a.extxyz")
    np.testing.assert_allclose(frame.get_momenta(), atoms.get_momenta(), atol=1e-7)


def test_a_molecule_has_no_cell(tmp_path):
    atoms = Atoms("Li2", [[0, 0, 0], [0, 0, 3]])
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0)
    n2p2.write(tmp_path / "input.data", [atoms], Units(energy="Hartree", length="Bohr"))
    (frame,) = read(tmp_path, "input.data", units=Units(energy="Hartree", length="Bohr"))
    assert not frame.pbc.any()
    assert frame.get_distance(0, 1) == pytest.approx(3.0)
    assert units.Hartree == pytest.approx(27.2114, rel=1e-5)
