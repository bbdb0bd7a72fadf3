"""What people name as the reference of a potential's runs: wrapped, shuffled, thinned, slabs, without velocities."""

import numpy as np
import pytest
from ase import units
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.config.analysis import PotentialRuns
from bpstudy.data.trajectory import thermodynamics
from bpstudy.thermal.reference import check_reference
from bpstudy.thermal.transport import motion
from bpstudy.thermal.unwrapping import unwrapped_positions

SETTINGS = PotentialRuns(
    experiment="x", seed=0, reference="mine", from_fs=0.0, timestep_fs=1.0, temperature_kelvin=300.0,
    friction_per_fs=0.01,
    nve_steps=20, nvt_steps=100, supercell=(1, 1, 1), supercell_steps=10, longest_fs=10.0,
)  # fmt: skip


def trajectory(n_frames=60, velocity=0.02, primitive=False):
    """Atoms about the origin and the walls of a cell, which oscillate along the three axes and drift apart."""
    atoms = bulk("Li", "bcc", a=3.49, cubic=not primitive).repeat(3)
    rng = np.random.default_rng(0)
    direction = rng.normal(size=atoms.positions.shape)
    frames = []
    for time in range(n_frames):
        frame = atoms.copy()
        frame.positions += 0.1 * direction * np.sin(0.3 * time) + velocity * time * np.roll(direction, 1, axis=0)
        rate = 0.03 * direction * np.cos(0.3 * time) + velocity * np.roll(direction, 1, axis=0)
        frame.set_velocities(rate / units.fs)
        frames.append(frame)
    return frames


def wrapped(frames):
    copies = [frame.copy() for frame in frames]
    for copy in copies:
        copy.wrap()
    return copies


@pytest.mark.fault("a reference whose positions are wrapped into the cell", "unwrapped: the displacements of the paths")
@pytest.mark.parametrize("primitive", [False, True], ids=["cubic", "rhombohedral"])
def test_wrapped_positions_are_unwrapped(primitive):
    frames = trajectory(primitive=primitive)
    expected, folded = np.array([frame.positions for frame in frames]), wrapped(frames)
    assert np.abs(np.diff([f.positions for f in folded], axis=0)).max() > 5  # they do jump
    found = unwrapped_positions(folded)
    np.testing.assert_allclose(found - found[0], expected - expected[0], atol=1e-9)
    one, other = (motion(each, 1.0, 20.0)["mean_square_displacement_angstrom2"] for each in (frames, folded))
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_what_is_not_wrapped_stays_to_the_last_bit():
    frames = trajectory()
    np.testing.assert_array_equal(unwrapped_positions(frames), [frame.positions for frame in frames])


def test_a_cell_that_breathes():
    frames = trajectory(velocity=0.0)
    for time, frame in enumerate(frames):
        frame.set_cell(frame.cell * (1 + 0.001 * time), scale_atoms=True)
    found = unwrapped_positions(wrapped(frames))
    steps = np.linalg.norm(np.diff(found, axis=0), axis=2)
    assert steps.max() < 0.3


def shuffled(frames):
    order = np.roll(np.arange(len(frames[0])), 1)
    return [frame if number < 30 else frame[order] for number, frame in enumerate(frames)]


def without(frames, what):
    for frame in frames:
        if what == "momenta":
            frame.set_momenta(np.zeros_like(frame.positions))
        elif what == "momenta of one":
            frames[7].arrays.pop("momenta", None)
        else:
            frame.pbc = [True, True, False]
    return frames


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        pytest.param(
            lambda: shuffled(trajectory()),
            "frame 30: atom 0 is .* in another order, frames are missing",
            marks=pytest.mark.fault("a reference whose atoms change their order", "refused, with frame and atoms"),
        ),
        pytest.param(
            lambda: shuffled(wrapped(trajectory())),
            "frame 30: atom 0 is",
            marks=pytest.mark.fault("the same, wrapped", "refused, with frame and atoms"),
        ),
        pytest.param(
            lambda: trajectory(velocity=3.0),
            "frame 1: atom .* too far apart in time",
            marks=pytest.mark.fault("a reference of frames too far apart", "refused, with frame and atoms"),
        ),
        pytest.param(
            lambda: without(trajectory(), "momenta"),
            "the frames have no velocities",
            marks=pytest.mark.fault("a reference without velocities", "refused before the runs"),
        ),
        pytest.param(
            lambda: without(trajectory(), "momenta of one"),
            "frame 7 has no velocities",
            marks=pytest.mark.fault("a reference with a frame without velocities", "refused, with the frame"),
        ),
        pytest.param(
            lambda: without(trajectory(), "a direction"),
            r"frame 0 is periodic along \[True, True, False\]",
            marks=pytest.mark.fault("a slab as the reference", "refused before the runs; the message says what to do"),
        ),
        pytest.param(
            lambda: trajectory(n_frames=15),
            "15 frames 1 fs apart are too few for lags up to 10 fs; 20 are needed",
            marks=pytest.mark.fault("a reference too short for the lags", "refused before the runs"),
        ),
    ],
)
def test_references_that_cannot_be_compared_with(frames, said, now):
    with pytest.raises(ValueError, match=f"with_forces.runs.reference = 'mine': {said}") as error:
        check_reference(frames(), 1.0, SETTINGS)
    now(error.value)


@pytest.mark.fault("a trajectory of a single atom", "its temperature is unknown, not infinite")
def test_a_single_atom_has_no_temperature():
    frame = bulk("Li", "bcc", a=3.49)
    frame.set_momenta([[1.0, 0.0, 0.0]])
    frame.calc = SinglePointCalculator(frame, energy=-1.0)
    assert np.isnan(thermodynamics([frame])["temperature_kelvin"][0])
