"""The archived trajectories of the study: whole, of the study's settings, and what GPAW says of their frames."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from bpstudy.config.study import load
from bpstudy.config.systems import Strained
from bpstudy.dynamics.archive import archived, read_chunk, read_strained
from bpstudy.dynamics.calculators import make_calculator
from bpstudy.dynamics.strained import draw_cells

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT / "resources/trajectories"
STUDY = load(yaml.safe_load((ROOT / "config.yaml").read_text()))


def frames_of(system):
    settings = STUDY.systems[system]
    return [
        frame
        for number in archived(ARCHIVE / system)
        for frame in read_chunk(ARCHIVE / system, number, settings.simulation(), settings.chunk_range(int(number)))
    ]


ARCHIVED = sorted(path.name for path in ARCHIVE.iterdir() if path.is_dir())
STRAINED = [name for name in ARCHIVED if isinstance(STUDY.systems[name], Strained)]


@pytest.mark.parametrize("system", sorted({*ARCHIVED} - {*STRAINED}))
def test_the_archive_is_consecutive_and_made_with_the_studys_settings(system):
    numbers = [int(number) for number in archived(ARCHIVE / system)]
    assert numbers == list(range(len(numbers)))
    frames = frames_of(system)
    assert len(frames) == numbers[-1] * STUDY.systems[system].chunk_steps + STUDY.systems[system].chunk_steps + 1
    moved = np.diff([frame.positions for frame in frames], axis=0)
    assert np.abs(moved).max() < 0.1  # Å in a femtosecond: no jump where chunks meet
    centres = np.array([frame.get_center_of_mass() for frame in frames])
    assert np.ptp(centres, axis=0).max() < 1e-6


@pytest.mark.parametrize("system", STRAINED)
def test_the_archived_cells_are_those_that_the_study_draws(system):
    settings = STUDY.systems[system]
    cells = read_strained(ARCHIVE / system, settings)
    assert len(cells) == settings.count
    for cell, drawn in zip(cells, draw_cells(settings), strict=True):
        assert cell.get_chemical_symbols() == drawn.get_chemical_symbols()
        np.testing.assert_allclose(cell.cell, drawn.cell, atol=1e-5)
        np.testing.assert_allclose(cell.positions, drawn.positions, atol=1e-5)
        assert np.isfinite([cell.get_potential_energy(), *cell.get_forces().ravel(), *cell.get_stress()]).all()


@pytest.mark.slow
@pytest.mark.gpaw
def test_gpaw_gives_the_archived_energies_and_forces():
    frames = frames_of("li27")
    calculator = make_calculator(STUDY.systems["li27"].calculator)
    for archived_frame in frames[:: len(frames) // 5][:5]:
        atoms = archived_frame.copy()
        atoms.calc = calculator
        assert atoms.get_potential_energy() == pytest.approx(archived_frame.get_potential_energy(), abs=1e-3)
        free = archived_frame.get_potential_energy(force_consistent=True)
        assert atoms.get_potential_energy(force_consistent=True) == pytest.approx(free, abs=1e-3)
        assert np.abs(atoms.get_forces() - archived_frame.get_forces()).max() < 5e-3
