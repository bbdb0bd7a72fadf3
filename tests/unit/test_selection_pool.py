"""The pool suits the data: nothing dead, nothing twice, the same every time."""

import numpy as np
import pytest

from bpstudy.selection.pool import PoolSettings, make_pool, nearest_distance, sampled_values
from tests.unit.selection_data import SMALL, crystals


@pytest.fixture(scope="module", params=[False, True], ids=["one element", "two elements"])
def frames(request):
    return crystals(alloy=request.param)


def test_nothing_dead_and_nothing_double(frames):
    pool = make_pool(frames, SMALL)
    values, numbers = sampled_values(pool.functions, frames, 10_000)
    alive = np.zeros(len(pool.functions), bool)
    alike = np.ones((len(pool.functions),) * 2)
    for n in np.unique(numbers):
        own = values[numbers == n]
        alive |= np.ptp(own, axis=0) > 1e-3
        with np.errstate(invalid="ignore"):
            alike = np.minimum(alike, np.nan_to_num(np.abs(np.corrcoef(own.T)), nan=1.0))
    assert alive.all()
    np.fill_diagonal(alike, 0)
    assert alike.max() <= SMALL.largest_correlation + 1e-9


def test_accounts_for_every_proposal_and_repeats(frames):
    first, second = make_pool(frames, SMALL), make_pool(frames, SMALL)
    assert first.functions == second.functions
    stays = set(first.functions.labels)
    assert first.doubled
    assert all(kept in stays for _, kept in first.doubled)
    assert not stays & (set(first.dead) | {label for label, _ in first.doubled})


def test_the_pool_scales_with_the_distances():
    frames = crystals()
    larger = [frame.copy() for frame in frames]
    for frame in larger:
        frame.set_cell(frame.cell * 1.25, scale_atoms=True)
    near, far = nearest_distance(frames), nearest_distance(larger)
    assert far == pytest.approx(1.25 * near)
    assert make_pool(larger, SMALL).functions.cutoff == pytest.approx(
        1.25 * make_pool(frames, SMALL).functions.cutoff, abs=1e-3
    )


def test_pairs_and_elements_are_all_there():
    species = {f.species for f in make_pool(crystals(alloy=True), SMALL).functions.functions}
    assert {"Al", "Cu", ("Al", "Cu"), ("Cu", "Cu")} <= species


def test_all_dead_is_an_error():
    with pytest.raises(ValueError, match=r"dead at the cutoff 1.5 Å.*nearest neighbours are 2"):
        make_pool(crystals(), PoolSettings(cutoff=1.5))


def test_atoms_without_neighbours_are_an_error():
    frame = crystals(1)[0]
    frame.set_cell(frame.cell * 10, scale_atoms=True)
    with pytest.raises(ValueError, match="no neighbour within 9"):
        make_pool([frame])


@pytest.mark.parametrize(
    ("key", "value"),
    [("cutoff", -1.0), ("reach", 1.0), ("fractions", ()), ("fractions", (1.2,)), ("zetas", (0.0,)),
     ("angular_etas", (-1.0,)), ("largest_correlation", 0.0), ("atoms", 1)],
)  # fmt: skip
def test_settings_out_of_range_are_named(key, value):
    with pytest.raises(ValueError, match=key):
        PoolSettings(**{key: value})


def test_no_frames():
    with pytest.raises(ValueError, match="no frames"):
        make_pool([])
