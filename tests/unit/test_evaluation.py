"""Splits, statistics, baselines and measures, against closed forms."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bpstudy.descriptors.features import AtomRows, Features
from bpstudy.statistics.bootstrap import paired_bootstrap
from bpstudy.statistics.correlation import autocorrelation, decay_time, effective_size, integrated_time
from bpstudy.statistics.information import correlation_matrix, effective_rank, nearest_neighbours
from bpstudy.statistics.metrics import errors
from bpstudy.statistics.smoothness import band_edge, rms_above
from bpstudy.statistics.splits import contiguous_folds, split_frames
from bpstudy.training.ridge import STRENGTHS, mean_energies, ridge


def ar1(phi, size, seed=0):
    """x_t = φ x_(t-1) + noise: ρ(k) = φ^k, τ = (1+φ)/(1-φ)."""
    noise = np.random.default_rng(seed).normal(size=size)
    x = np.empty(size)
    x[0] = noise[0] / np.sqrt(1 - phi**2)
    for t in range(1, size):
        x[t] = phi * x[t - 1] + noise[t]
    return x


# splits


@given(
    n_train=st.integers(1, 40),
    n_test=st.integers(1, 20),
    n_validation=st.integers(0, 20),
    gap=st.integers(0, 15),
    start=st.integers(0, 10),
    stride=st.integers(1, 5),
    spare=st.integers(0, 30),
)
def test_parts_have_their_sizes_and_are_a_gap_apart(n_train, n_test, n_validation, gap, start, stride, spare):
    needed = start + (n_train - 1) * stride + 1 + gap + n_test + (n_validation + gap if n_validation else 0)
    options = {"n_train": n_train, "n_test": n_test, "n_validation": n_validation}
    options |= {"gap": gap, "start": start, "stride": stride}
    split = split_frames(needed + spare, **options)
    assert (len(split.train), len(split.validation), len(split.test)) == (n_train, n_validation, n_test)
    assert split.train[0] == start
    assert split.train.step == stride
    assert split.test[-1] == needed + spare - 1
    parts = [part for part in (split.train, split.validation, split.test) if part]
    for before, after in pairwise(parts):
        assert after[0] - before[-1] - 1 >= gap
    with pytest.raises(ValueError, match=rf"needs {needed} frames.*trajectory has {needed - 1}"):
        split_frames(needed - 1, **options)


def test_consecutive_and_strided_training_share_their_test_frames():
    consecutive = split_frames(1000, n_train=100, n_test=200, gap=50, n_validation=100)
    strided = split_frames(1000, n_train=100, n_test=200, gap=50, n_validation=100, stride=6)
    assert consecutive.test == strided.test
    assert consecutive.validation == strided.validation


@pytest.mark.parametrize("wrong", [{"n_train": 0}, {"gap": -1}, {"stride": 0}, {"n_test": 0}])
def test_impossible_splits_are_refused(wrong):
    with pytest.raises(ValueError, match="must be positive"):
        split_frames(100, **{"n_train": 10, "n_test": 10, "gap": 5, **wrong})


def test_folds_cover_each_frame_once_and_leave_the_gap_out():
    folds = list(contiguous_folds(23, n_folds=4, gap=3))
    assert np.array_equal(np.concatenate([test for _, test in folds]), np.arange(23))
    for train, test in folds:
        assert np.array_equal(test, np.arange(test[0], test[-1] + 1))
        assert np.abs(train[:, None] - test).min() == 4
        assert len(train) == sum(1 for frame in range(23) if not test[0] - 3 <= frame <= test[-1] + 3)


@pytest.mark.parametrize(("n_frames", "n_folds", "gap"), [(3, 4, 0), (10, 1, 0), (10, 2, 5)])
def test_impossible_folds_are_refused(n_frames, n_folds, gap):
    with pytest.raises(ValueError, match=r"n_folds|gap"):
        list(contiguous_folds(n_frames, n_folds, gap))


# correlation


def test_autocorrelation_is_its_definition():
    x = np.random.default_rng(0).normal(3, 2, 50)
    centred = x - x.mean()
    expected = [np.sum(centred[: 50 - k] * centred[k:]) / np.sum(centred**2) for k in range(50)]
    np.testing.assert_allclose(autocorrelation(x), expected, atol=1e-13)


@pytest.mark.parametrize("phi", [0.5, 0.9, 0.97])
def test_times_of_an_autoregressive_process(phi):
    x = ar1(phi, 200_000)
    tau = (1 + phi) / (1 - phi)
    assert integrated_time(x) == pytest.approx(tau, rel=0.1)
    assert effective_size(x) == pytest.approx(200_000 / tau, rel=0.1)
    assert decay_time(x) == pytest.approx(-1 / np.log(phi), abs=max(1.0, -0.1 / np.log(phi)))


def test_effective_size_predicts_the_spread_of_means():
    means = [ar1(0.9, 2000, seed).mean() for seed in range(300)]
    sizes = [effective_size(ar1(0.9, 2000, seed)) for seed in range(20)]
    assert np.var(means) == pytest.approx(1 / (1 - 0.9**2) / np.mean(sizes), rel=0.25)


def test_independent_frames_are_worth_their_number():
    x = np.random.default_rng(0).normal(size=5000)
    assert 1 <= integrated_time(x) < 1.2
    assert decay_time(x) == 1


def test_oscillation_counts_as_correlation_in_the_decay_time_only():
    t = np.arange(4000)
    x = np.cos(2 * np.pi * t / 20) * np.exp(-(((t - 2000) / 200) ** 2))
    assert integrated_time(x) < 2
    assert decay_time(x) > 200


@pytest.mark.parametrize("bad", [[1.0], [2.0, 2.0, 2.0], [1.0, np.nan, 2.0], [[1.0, 2.0]]])
def test_series_without_variation_are_refused(bad):
    with pytest.raises(ValueError, match="series"):
        autocorrelation(bad)


# metrics


def test_errors_by_hand():
    reference, predicted = [-10.0, -11.0, -12.0, -13.0], [-10.1, -11.0, -12.0, -12.7]
    result = errors(reference, predicted, n_atoms=5)
    assert result.n_frames == 4
    assert result.mse_ev2 == pytest.approx(0.1 / 4)
    assert result.rmse_mev_per_cell == pytest.approx(1000 * np.sqrt(0.025))
    assert result.rmse_mev_per_atom == pytest.approx(200 * np.sqrt(0.025))
    assert result.mae_mev_per_cell == pytest.approx(100)
    assert result.mae_mev_per_atom == pytest.approx(20)
    assert result.max_mev_per_cell == pytest.approx(300)
    assert result.max_mev_per_atom == pytest.approx(60)
    assert result.bias_mev_per_atom == pytest.approx(10)
    assert result.r2 == pytest.approx(1 - 0.1 / 5)
    assert result.rmse_over_sd == pytest.approx(np.sqrt(0.02))


def test_errors_of_cells_of_different_sizes_are_an_atom():
    result = errors([-10.0, -22.0], [-10.1, -22.4], n_atoms=[5, 10])
    assert result.mae_mev_per_atom == pytest.approx((20 + 40) / 2)
    assert result.max_mev_per_atom == pytest.approx(40)
    assert result.rmse_mev_per_cell == pytest.approx(1000 * np.sqrt((0.01 + 0.16) / 2))
    assert result.rmse_over_sd == pytest.approx(np.sqrt((0.02**2 + 0.04**2) / 2) / 0.1)


def test_the_mean_of_the_test_frames_has_ratio_one():
    reference = np.random.default_rng(0).normal(size=50)
    known = Features.of_arrays({"Li": np.ones((50, 3, 1))})
    result = errors(reference, mean_energies(known, reference, known), 3)
    assert result.rmse_over_sd == pytest.approx(1)
    assert result.r2 == pytest.approx(0)


@pytest.mark.parametrize(
    ("reference", "predicted", "n_atoms", "message"),
    [
        ([1.0, 2.0], [1.0], 2, "1 energies for 2"),
        ([1.0, 2.0], [1.0, np.nan], 2, "predicted.*frame 1"),
        ([1.0, 1.0], [1.0, 2.0], 2, "all equal"),
        ([1.0, 2.0], [1.0, 2.0], 0, "n_atoms"),
    ],
)
def test_wrong_energies_are_refused(reference, predicted, n_atoms, message):
    with pytest.raises(ValueError, match=message):
        errors(reference, predicted, n_atoms)


# baselines


def test_ridge_finds_a_linear_law_and_chooses_little_strength():
    rng = np.random.default_rng(0)
    arrays = {"Li": rng.normal(2, 1e-3, (200, 4, 3)), "H": rng.normal(0, 50, (200, 2, 2))}
    energies = -40 + 100 * arrays["Li"][..., 0].sum(axis=1) - 0.01 * arrays["H"][..., 1].sum(axis=1)
    features = Features.of_arrays(arrays)
    fit = ridge(features.take(np.arange(150)), energies[:150], gap=5)
    np.testing.assert_allclose(fit.energies(features.take(np.arange(150, 200))), energies[150:], atol=1e-5)
    np.testing.assert_allclose(fit.coefficients["Li"], [100, 0, 0], atol=0.1)
    np.testing.assert_allclose(fit.coefficients["H"], [0, -0.01], atol=1e-6)


def test_ridge_chooses_much_strength_where_there_is_nothing_to_learn():
    rng = np.random.default_rng(1)
    features, energies = Features.of_arrays({"Li": rng.normal(size=(60, 2, 40))}), rng.normal(size=60)
    assert ridge(features, energies).energies(features).std() < 0.3 * energies.std()


def test_ridge_is_scikit_learns_with_its_choice_of_the_strength():
    rng = np.random.default_rng(2)
    x = rng.normal(0, [1, 5, 20, 0.3], (83, 3, 4))
    energies = x.sum(axis=1) @ [1.0, 0.1, 0.0, -2.0] + rng.normal(0, 3, 83)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Ridge(solver="svd")),
        {"ridge__alpha": STRENGTHS},
        scoring="neg_mean_squared_error",
        cv=list(contiguous_folds(83, 5, 4)),
    ).fit(x.sum(axis=1), energies)
    features = Features.of_arrays({"Li": x})
    np.testing.assert_allclose(
        ridge(features, energies, gap=4).energies(features), search.predict(x.sum(axis=1)), rtol=1e-10
    )


def test_ridge_of_cells_of_different_sizes_is_of_energies_an_atom():
    """A cell and its supercell say the same, so they may take each other's place."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 2, 3))
    energies = x.sum(axis=1) @ [1.0, -0.5, 0.2] + rng.normal(0, 0.3, 40)
    small = Features.of_arrays({"Li": x})
    frame = np.repeat(np.arange(40), np.where(np.arange(40) % 2, 4, 2))
    values = np.concatenate([np.tile(of, (2, 1)) if k % 2 else of for k, of in enumerate(x)])
    sizes = np.bincount(frame)
    mixed = Features({"Li": AtomRows(values, frame, 0 * frame)}, small.labels, sizes, np.arange(40))
    one, other = ridge(small, energies), ridge(mixed, energies * sizes / 2)
    np.testing.assert_allclose(other.coefficients["Li"], one.coefficients["Li"], rtol=1e-9)
    np.testing.assert_allclose(other.energies(mixed), one.energies(small) * sizes / 2, rtol=1e-9)


def test_a_function_that_wakes_up_after_training_does_not_rule_ridge():
    rng = np.random.default_rng(0)
    live, target = rng.normal(size=(60, 1, 2)), rng.normal(size=60)
    asleep, awake = 1e-12 * rng.normal(size=(60, 1, 1)), np.full((60, 1, 1), 1e-7)
    fits = [Features.of_arrays({"Li": np.concatenate([live, x], axis=2)}) for x in (asleep, awake)]
    model = ridge(fits[0], target)
    told = [model.energies(features) for features in fits]
    assert told[1] == pytest.approx(told[0], abs=1e-6)


def test_a_function_that_is_dead_for_the_atoms_is_dead_in_their_sum():
    """Thirty hardly seen neighbours add up; one atom that sees a whole one must not tear the structure apart."""
    rng = np.random.default_rng(1)
    live = rng.normal(size=(60, 30, 2))
    dead = np.broadcast_to(rng.uniform(0, 5e-4, (60, 1, 1)), (60, 30, 1))
    energies = live.sum(axis=1) @ [1.0, -0.5] + 100 * dead.sum(axis=(1, 2))
    fits = [Features.of_arrays({"Li": np.concatenate([live, x], axis=2)}) for x in (dead, dead + 1.0)]
    model = ridge(fits[0], energies)
    assert model.coefficients["Li"][2] == 0
    np.testing.assert_allclose(model.energies(fits[1]), model.energies(fits[0]), rtol=1e-12)


def test_ridge_needs_an_energy_a_frame():
    with pytest.raises(ValueError, match="3 for 4 frames"):
        ridge(Features.of_arrays({"Li": np.ones((4, 2, 1))}), [1.0, 2.0, 3.0])


# bootstrap


def test_interval_of_independent_errors_is_the_textbook_one():
    residuals = np.random.default_rng(0).normal(0, 2, (1, 1, 4000))
    result = paired_bootstrap(residuals, 1, np.random.default_rng(1))
    assert result.estimate[0] == pytest.approx(np.sqrt(np.mean(residuals**2)))
    half_width = np.diff(result.intervals[0])[0] / 2
    assert half_width == pytest.approx(1.96 * 2 / np.sqrt(2 * 4000), rel=0.1)


def test_blocks_widen_the_interval_of_correlated_errors():
    residuals = ar1(0.95, 20_000)[None, None]
    widths = []
    for length in (1, 200):
        result = paired_bootstrap(residuals, length, np.random.default_rng(1), n_draws=1000)
        widths.append(np.diff(result.intervals[0])[0])
    # The squares of a Gaussian AR(1) have ρ(k) = φ^(2k).
    assert widths[1] / widths[0] == pytest.approx(np.sqrt((1 + 0.95**2) / (1 - 0.95**2)), rel=0.25)


def test_pairing_cancels_what_is_common_to_settings():
    rng = np.random.default_rng(0)
    hard = np.exp(rng.normal(size=(8, 1))) * np.repeat(np.exp(rng.normal(size=20)), 10)
    noise = rng.normal(size=(8, 200)) * hard
    result = paired_bootstrap(np.stack([1.05 * noise, noise]), 10, np.random.default_rng(1))
    assert result.intervals[0, 0] < result.estimate[1]
    difference, low, high = result.difference(0, 1)
    assert 0 < low < difference < high
    assert np.array_equal(result.probability_best, [0, 1])


def test_equal_settings_share_the_first_place():
    rng = np.random.default_rng(0)
    residuals = rng.normal(size=(3, 10, 500))
    probability = paired_bootstrap(np.repeat(residuals[:1], 2, axis=0), 5, np.random.default_rng(1)).probability_best
    assert np.array_equal(probability, [0.5, 0.5])
    probability = paired_bootstrap(residuals, 5, np.random.default_rng(1)).probability_best
    assert probability.sum() == pytest.approx(1)
    assert probability.max() < 1


def test_seeds_count_as_a_source_of_uncertainty():
    rng = np.random.default_rng(0)
    sizes = rng.uniform(1, 3, (1, 10, 1))
    result = paired_bootstrap(sizes * rng.choice([-1, 1], (1, 10, 1000)), 10, np.random.default_rng(1))
    assert result.draws.std() == pytest.approx(sizes.std() / np.sqrt(10), rel=0.05)


@pytest.mark.parametrize(
    ("shape", "block", "message"), [((2, 3), 1, "n_settings"), ((1, 1, 10), 6, "two blocks"), ((1, 1, 10), 0, "block")]
)
def test_bootstrap_refuses(shape, block, message):
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(np.ones(shape), block, np.random.default_rng(0))


# information


def test_rank_counts_independent_functions():
    x = np.random.default_rng(0).normal(size=(50_000, 4))
    assert effective_rank(x) == pytest.approx(4, rel=1e-3)
    assert effective_rank(x[:, [0, 0, 0]] * [1, -2, 1e-6]) == pytest.approx(1, abs=1e-6)
    assert effective_rank(np.column_stack([x, x, np.ones(len(x))])) == pytest.approx(4, rel=1e-3)
    assert effective_rank(np.ones((5, 3))) == 0


def test_rank_of_two_correlated_functions_is_the_closed_form():
    x = np.random.default_rng(0).normal(size=(200_000, 2))
    y = np.column_stack([x[:, 0], 0.6 * x[:, 0] + 0.8 * x[:, 1]])
    p = np.array([0.8, 0.2])  # eigenvalues 1 ± 0.6, halved
    assert effective_rank(y) == pytest.approx(np.exp(-np.sum(p * np.log(p))), rel=5e-3)
    np.testing.assert_allclose(correlation_matrix(y), [[1, 0.6], [0.6, 1]], atol=0.01)


def test_correlation_with_a_constant_is_undefined():
    matrix = correlation_matrix(np.column_stack([np.arange(5.0), np.ones(5)]))
    assert matrix[0, 0] == pytest.approx(1)
    assert np.isnan(matrix[0, 1])
    assert np.isnan(matrix[1, 1])


def test_degeneracy_of_a_law_is_zero_and_of_noise_one():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(3000, 1))
    assert nearest_neighbours(x, np.sin(5 * x[:, 0])).degeneracy < 0.01
    assert nearest_neighbours(x, rng.normal(size=3000)).degeneracy == pytest.approx(1, abs=0.05)


def test_neighbours_in_time_are_excluded():
    x = np.array([0.0, 0.1, 5.0, 5.1, 0.25, 5.3])[:, None]
    energies = np.arange(6.0)
    assert np.array_equal(nearest_neighbours(x, energies).index, [1, 0, 3, 2, 1, 3])
    result = nearest_neighbours(x, energies, exclude=1)
    assert np.array_equal(result.index, [4, 4, 5, 5, 1, 3])
    assert np.array_equal(result.energy_difference_ev, result.index - np.arange(6))
    assert result.distance[0] == pytest.approx(0.25 / x.std())


@pytest.mark.parametrize(
    ("x", "energies", "exclude", "message"),
    [
        (np.ones((4, 2)), np.arange(3.0), 0, "one energy per frame"),
        (np.ones((4, 2)), np.ones(4), 0, "all equal"),
        (np.ones((4, 2)), np.arange(4.0), 2, "exclude"),
        (np.full((4, 2), np.nan), np.arange(4.0), 0, "finite"),
    ],
)
def test_neighbours_refuse(x, energies, exclude, message):
    with pytest.raises(ValueError, match=message):
        nearest_neighbours(x, energies, exclude)


# smoothness


def test_rms_above_separates_a_fast_from_a_slow_wave():
    t = 2.0 * np.arange(4000)
    slow, fast = 3 * np.sin(2 * np.pi * 0.01 * t), 0.05 * np.sin(2 * np.pi * 0.2 * t + 1)
    edge = band_edge(slow, 2.0)
    assert edge == pytest.approx(0.01, abs=0.001)
    assert rms_above(slow + fast + 1e-3 * t, 2.0, edge) == pytest.approx(0.05 / np.sqrt(2), rel=0.02)
    assert rms_above(slow, 2.0, edge + 0.001) < 1e-4


def test_all_power_of_white_noise_is_its_variance():
    x = np.random.default_rng(0).normal(0, 2, 50_000)
    assert rms_above(x, 1.0, 0.0) == pytest.approx(2, rel=0.02)
    assert rms_above(x, 1.0, 0.25) == pytest.approx(np.sqrt(2), rel=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rms_above(np.ones(3), 1.0, 0.1), "at least 16"),
        (lambda: rms_above(np.arange(20.0), 0.0, 0.1), "timestep_fs"),
        (lambda: band_edge(np.arange(20.0), 1.0, 1.0), "fraction"),
        (lambda: band_edge(np.zeros(20), 1.0), "constant"),
    ],
)
def test_smoothness_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
