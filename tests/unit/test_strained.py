"""Strained cells: drawn from a seed and a number alone, single points with stress, archived and restored whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import units
from ase.calculators.emt import EMT
from ase.io import read
from pydantic import ValidationError

from bpstudy.config.systems import Strained
from bpstudy.data.archived import archived_length
from bpstudy.data.trajectory import StoredFrames
from bpstudy.dynamics import archive as archives
from bpstudy.dynamics.archive import ArchiveError, add, read_strained, restore
from bpstudy.dynamics.calculators import calculator_of
from bpstudy.dynamics.strained import draw_cell, draw_cells, table_of

ROOT = Path(__file__).parents[2]
COPPER = {"lattice": "fcc", "element": "Cu", "lattice_constant_angstrom": 3.61}
VALUES = {
    "crystals": [
        {**COPPER, "cell": "cubic", "repeat": [1, 1, 2]},
        {**COPPER, "cell": "primitive", "repeat": [2, 2, 2]},
    ],
    "calculator": {"name": "emt"},
    "deformation": {
        "volume": 0.12,
        "strain": 0.06,
        "temperatures_kelvin": [100.0, 600.0],
        "force_constant_ev_per_angstrom2": 3.0,
        "vacancies": 0.3,
        "closest_angstrom": 1.5,
        "seed": 1,
    },
    "count": 10,
    "chunk_frames": 4,
}
SYSTEM = Strained.model_validate(VALUES)


def changed(**changes):
    return Strained.model_validate({**VALUES, **changes})


def deformed(**changes):
    return changed(deformation={**VALUES["deformation"], **changes})


def test_a_cell_depends_on_the_recipe_and_its_number_alone():
    few, many = draw_cells(SYSTEM), draw_cells(changed(count=30))
    assert all(a == b and a.info == b.info for a, b in zip(few, many[:10], strict=True))
    assert draw_cell(deformed(seed=8), 3) != few[3]


def test_cells_are_what_the_recipe_says():
    cells = draw_cells(changed(count=400))
    ideal = 8 * 3.61**3 / 4
    ratios = np.array([cell.get_volume() / ideal for cell in cells])
    np.testing.assert_allclose(ratios, [cell.info["volume_ratio"] for cell in cells], rtol=1e-12)
    assert 0.88 < ratios.min() < 0.9
    assert 1.1 < ratios.max() < 1.12
    kelvin = np.array([cell.info["temperature_kelvin"] for cell in cells])
    assert 100 < kelvin.min() < 120
    assert 580 < kelvin.max() < 600
    missing = np.mean([len(cell) == 7 for cell in cells])
    assert {len(cell) for cell in cells} == {7, 8}
    assert 0.2 < missing < 0.4
    assert {cell.info["strain"] for cell in cells} == {"volume", "uniaxial", "shear", "both"}


def test_the_shape_is_the_ideal_one_strained():
    cells = draw_cells(changed(count=80))
    for cell in cells[::2]:  # the cubic ones
        shape = np.linalg.inv(np.diag([3.61, 3.61, 7.22])) @ cell.cell.array
        shape /= np.linalg.det(shape) ** (1 / 3)
        off, stretch = shape - np.diag(np.diag(shape)), np.diag(shape)
        kind = cell.info["strain"]
        assert (np.abs(off).max() > 1e-9) == (kind in ("shear", "both"))
        assert (np.ptp(stretch) > 1e-9) == (kind in ("uniaxial", "both"))
        np.testing.assert_allclose(shape, shape.T, atol=1e-12)
        assert np.abs(off).max() < 0.07
        assert np.ptp(stretch) < 0.13


def test_displacements_are_those_of_an_einstein_crystal():
    one = deformed(temperatures_kelvin=[300.0, 300.0], strain=0.0, vacancies=0.0)
    ideal = {0: draw_cell(deformed(force_constant_ev_per_angstrom2=1e9, strain=0.0, vacancies=0.0), 0)}
    moved = []
    for number in range(0, 400, 2):
        cell = draw_cell(one, number)
        sites = ideal[0].get_scaled_positions()
        away = (cell.get_scaled_positions() - sites + 0.5) % 1 - 0.5
        moved.append(away @ cell.cell.array)
    assert np.std(moved) == pytest.approx(np.sqrt(units.kB * 300 / 3.0), rel=0.03)


def test_all_cells_of_a_crystal_have_one_mesh():
    gpaw = {
        "name": "gpaw", "functional": "PBE", "cutoff_ev": 200.0, "kpoints": [1, 1, 1], "smearing_ev": 0.1,
        "bands": None, "mixer": None,
        "convergence": {
            "energy_ev_per_electron": 1e-3,
            "density_electrons_per_electron": 1e-3,
            "eigenstates_ev2_per_electron": 1e-5,
        },
    }  # fmt: skip
    system = changed(calculator=gpaw, kpoint_density_angstrom=3.0)
    # 2π / a · density, rounded up: 2π / 3.61 · 3 = 5.2, and half of it along the doubled axis
    assert calculator_of(system, 0).kpoints == (6, 6, 3)
    assert calculator_of(changed(calculator=gpaw), 0).kpoints == (1, 1, 1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"deformation": {**VALUES["deformation"], "closest_angstrom": 2.5}}, "closest_angstrom = 2.5"),
        ({"deformation": {**VALUES["deformation"], "temperatures_kelvin": [600.0, 100.0]}}, "600 is above 100"),
        ({"crystals": [{**VALUES["crystals"][0]}, {**VALUES["crystals"][1], "element": "Au"}]}, "one element"),
        ({"crystals": [{**VALUES["crystals"][0], "element": "Li"}]}, "not for Li"),
    ],
)
def test_what_cannot_be_drawn_is_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        changed(**values)


def test_atoms_that_are_always_too_close_are_an_error():
    with pytest.raises(ValueError, match=r"no cell without atoms closer than closest_angstrom = 2\.2"):
        draw_cell(deformed(closest_angstrom=2.2, force_constant_ev_per_angstrom2=0.01), 0)


@pytest.fixture(scope="module")
def chunks(tmp_path_factory):
    """The three chunks, by the script of the workflow."""
    folder = tmp_path_factory.mktemp("chunks")
    for chunk in range(SYSTEM.chunks):
        cells = map(str, SYSTEM.chunk_range(chunk))
        name = str(folder / f"{chunk:04d}")
        subprocess.run(
            [
                sys.executable,
                "workflow/scripts/strained_chunk.py",
                *("--settings", SYSTEM.model_dump_json()),
                *("--cells", *cells),
                *("--frames", f"{name}.traj", "--record", f"{name}.record.json"),
            ],
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
    return folder


def test_single_points_have_energy_forces_and_stress(chunks):
    cells = draw_cells(SYSTEM)
    frames = [frame for n in range(3) for frame in StoredFrames(chunks / f"{n:04d}.traj")]
    assert [len(frame) for frame in frames] == [len(cell) for cell in cells]
    for frame, cell in zip(frames, cells, strict=True):
        np.testing.assert_array_equal(frame.positions, cell.positions)
        cell.calc = EMT()
        assert frame.get_potential_energy() == pytest.approx(cell.get_potential_energy(), abs=1e-10)
        np.testing.assert_allclose(frame.get_forces(), cell.get_forces(), atol=1e-10)
        np.testing.assert_allclose(frame.get_stress(), cell.get_stress(), atol=1e-12)
    table = table_of(frames)
    assert table["potential_ev"].notna().all()
    assert table["n_atoms"].tolist() == [len(cell) for cell in cells]
    assert set(table["strain"]) == {"volume", "uniaxial", "shear"} | {"both"}


def test_archived_cells_come_back(chunks, tmp_path):
    archive = tmp_path / "archive"
    assert add(chunks, archive) == ["0000", "0001", "0002"]
    assert archived_length(archive) == SYSTEM.count
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=archive, check=True)
    found = read_strained(archive, SYSTEM)
    frames = [frame for n in range(3) for frame in StoredFrames(chunks / f"{n:04d}.traj")]
    for kept, frame in zip(found, frames, strict=True):
        np.testing.assert_array_equal(kept.positions, frame.positions)
        assert kept.calc.results["free_energy"] == frame.calc.results["free_energy"]
        np.testing.assert_array_equal(kept.get_stress(), frame.get_stress())
        np.testing.assert_allclose(kept.get_forces(), frame.get_forces(), rtol=1e-6, atol=1e-8)
        assert kept.info == frame.info
    assert len(read(archive / "0000.traj.xz", ":")) == 4  # ASE alone reads it
    assert len(read_strained(archive, changed(count=7))) == 7
    assert restore(archive, tmp_path / "again") == ["0000", "0001", "0002"]
    assert len(StoredFrames(tmp_path / "again/0002.traj")) == 2
    with pytest.raises(ArchiveError, match="other settings"):
        read_strained(archive, deformed(seed=8))
    whole = (archive / "0001.traj.xz").read_bytes()
    (archive / "0001.traj.xz").write_bytes(whole[:-1] + b"x")
    with pytest.raises(ArchiveError, match="is damaged"):
        read_strained(archive, SYSTEM)


def test_a_record_names_recipe_and_code(chunks):
    made = json.loads((chunks / "0001.record.json").read_text())["predicate"]["buildDefinition"]
    assert made["externalParameters"] == {"cells": [4, 8], "recipe": SYSTEM.recipe()}
    code = {entry["name"] for entry in made["resolvedDependencies"] if entry.get("annotations") == {"kind": "code"}}
    assert "src/bpstudy/dynamics/strained.py" in code
    assert archives.STRAINED == (".traj.xz", ".record.json")
