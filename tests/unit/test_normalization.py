"""Scalers: fitted statistics, dead functions, refusals."""

import json

import numpy as np
import pytest

from bpstudy.network.normalization import EnergyScale, Scaler


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(3.0, [0.1, 5.0, 1e-5], size=(240, 3))


def test_transform_standardises_each_function_over_all_atoms_and_frames(features):
    z = Scaler.fit(features[..., :2], ("a", "b")).transform(features[..., :2])
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-6)


def test_less_than_a_thousandth_of_a_neighbour_is_dead(features):
    assert Scaler.fit(features, ("a", "b", "c")).dead_labels == ("c",)
    assert Scaler.fit(1000 * features, ("a", "b", "c")).dead_labels == ()


def test_where_all_ranges_are_small_dead_is_relative(features):
    assert Scaler.fit(1e-4 * features, ("a", "b", "c")).dead_labels == ("c",)
    assert Scaler.fit(1e-4 * features[..., :2], ("a", "b")).dead_labels == ()


def test_a_closer_pair_than_in_training_does_not_leave_the_scale():
    """G2 centred inside the closest approach, of atoms that come as near as 2.4 Å, and then of some at 2.35 Å."""
    seen, closer = (
        np.exp(-16.2 * (np.array(distances) - 1.3) ** 2).reshape(-1, 1)
        for distances in (np.linspace(2.4, 2.9, 200), [2.35])
    )
    wide = np.linspace(0.0, 1.0, 200).reshape(-1, 1)
    scaler = Scaler.fit(np.hstack([seen, wide]), ("close", "wide"))
    assert abs((closer.item() - seen.mean()) / seen.std()) > 10
    assert abs(scaler.transform([[closer.item(), 0.5]])[0, 0]) < 1e-3


def test_dead_functions_are_not_blown_up(features):
    scaler = Scaler.fit(features, ("a", "b", "c"))
    assert scaler.scale[2] == 1.0
    assert np.abs(scaler.transform(features)[..., 2]).max() < 1e-4


def test_all_constant_block_is_dead():
    scaler = Scaler.fit(np.full((10, 2), 7.0), ("a", "b"))
    assert scaler.dead.all()
    assert np.array_equal(scaler.transform(np.full((1, 2), 7.0)), np.zeros((1, 2)))


def test_survives_json_exactly(features):
    scaler = Scaler.fit(features, ("a", "b", "c"))
    copy = Scaler.from_dict(json.loads(json.dumps(scaler.to_dict())))
    assert copy.labels == scaler.labels
    for name in ("mean", "scale", "dead"):
        assert np.array_equal(getattr(copy, name), getattr(scaler, name))


def test_energy_scale_gives_independent_unit_outputs_the_spread_of_the_energies():
    energies = np.random.default_rng(1).normal(-50, 0.2, 1000)
    scale = EnergyScale.fit(energies, {"Li": np.full(1000, 27)})
    outputs = np.random.default_rng(2).normal(size=(100000, 27))
    cells = (scale.offsets_ev["Li"] + scale.scale_ev * outputs).sum(axis=1)
    assert cells.mean() == pytest.approx(energies.mean(), abs=0.01)
    assert cells.std() == pytest.approx(energies.std(), rel=0.02)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_features_are_located(features, bad):
    features[7, 1] = bad
    with pytest.raises(ValueError, match=r"1 value\(s\) not finite.*row 7, function 1"):
        Scaler.fit(features, ("a", "b", "c"))


def test_labels_must_add_up(features):
    with pytest.raises(ValueError, match="2 names for 3"):
        Scaler.fit(features, ("a", "b"))


def test_features_are_one_row_an_atom():
    with pytest.raises(ValueError, match=r"shape \(4, 2, 3\)"):
        Scaler.fit(np.ones((4, 2, 3)), ("a", "b", "c"))


@pytest.mark.parametrize(
    ("energies", "message"),
    [([-1.0], "nothing to learn"), ([-1.0, -1.0], "nothing to learn"), ([1.0, np.nan], "frame 1"), ([], "non-empty")],
)
def test_energies_must_be_finite_and_vary(energies, message):
    with pytest.raises(ValueError, match=message):
        EnergyScale.fit(energies, {"Li": np.full(len(energies), 4)})


def test_energies_of_the_atoms_are_found_where_compositions_differ():
    rng = np.random.default_rng(0)
    counts = {"Cu": rng.integers(0, 6, 200), "O": rng.integers(1, 6, 200)}
    energies = -3.5 * counts["Cu"] - 432.1 * counts["O"]
    size = counts["Cu"] + counts["O"]
    noise = rng.normal(0, 0.02, 200)
    scale = EnergyScale.fit(energies + noise * size, counts)
    assert scale.offsets_ev["Cu"] == pytest.approx(-3.5, abs=0.01)
    assert scale.offsets_ev["O"] == pytest.approx(-432.1, abs=0.01)
    assert scale.spread_ev_per_atom == pytest.approx(0.02, rel=0.1)
    assert scale.mean_atoms == size.mean()
    left = energies + noise * size - scale.baseline_ev(counts)
    assert np.std(left / size) == pytest.approx(scale.spread_ev_per_atom, rel=1e-12)


def test_of_one_composition_the_energies_of_the_atoms_are_the_mean():
    """They cannot be told apart; the differences are least, so each is the mean energy an atom."""
    energies = np.random.default_rng(0).normal(-40, 1, 30)
    scale = EnergyScale.fit(energies, {"Cu": np.full(30, 3), "O": np.full(30, 5)})
    assert scale.offsets_ev["Cu"] == scale.offsets_ev["O"] == pytest.approx(energies.mean() / 8, rel=1e-14)
    assert scale.unit_ev == pytest.approx(energies.std(), rel=1e-12)


def test_energies_of_the_atoms_may_be_given():
    counts = {"Cu": np.array([1, 2]), "O": np.array([1, 1])}
    scale = EnergyScale.fit([-10.0, -17.0], counts, {"Cu": -3.0, "O": -5.0})
    assert scale.baseline_ev(counts).tolist() == [-8.0, -11.0]
    assert scale.spread_ev_per_atom == pytest.approx(0.5)  # of -1 and -2: the cohesive energy all share is no error
    with pytest.raises(ValueError, match="none for O"):
        EnergyScale.fit([-10.0, -14.0], counts, {"Cu": -3.0})
    with pytest.raises(ValueError, match="2 for 3 frames"):
        EnergyScale.fit([-10.0, -14.0], {"Cu": np.ones(3)})
