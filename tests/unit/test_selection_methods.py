"""The methods: ours against brute force, all of them for determinism and for what they refuse."""

from itertools import combinations

import numpy as np
import pytest

from bpstudy.selection.equations import LeastSquares, accumulate
from bpstudy.selection.methods import METHODS, Problem, choose
from bpstudy.selection.methods.forward import ForwardSelector, ridge_loss
from bpstudy.selection.methods.group_lasso import AdaptiveGroupLasso
from bpstudy.selection.methods.matter import equivalent_rows
from bpstudy.selection.methods.second_order import SecondOrder, second_order_forward
from bpstudy.selection.pool import make_pool
from bpstudy.selection.sample import draw_sample
from bpstudy.selection.targets import Tolerances
from tests.unit.selection_data import SMALL, crystals

TOLERANCES = Tolerances(0.005, 0.1)


@pytest.fixture(scope="module", params=[False, True], ids=["one element", "two elements"])
def problem(request):
    frames = crystals(alloy=request.param)
    pool = make_pool(frames, SMALL)
    sample = draw_sample(pool.functions, frames, TOLERANCES)
    costs = np.linspace(1, 2, len(pool.functions))
    return Problem(pool.functions, accumulate(pool.functions, frames), sample, costs, pool.nearest_angstrom, TOLERANCES)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 12)) @ rng.normal(size=(12, 12))
    return x, x @ (rng.normal(size=12) * (rng.random(12) < 0.4)) + 0.3 * rng.normal(size=60)


def explicit_loss(x, y, chosen, ridge=1e-8):
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = (y - y.mean()) / y.std() / np.sqrt(len(y))
    a = x[:, chosen] / np.sqrt(len(y)) / 1.0
    b = y
    unit = np.sqrt(len(y)) * a / np.sqrt(len(y))
    gram = unit.T @ unit
    w = np.linalg.solve(gram + ridge * np.diag(np.diag(gram)), unit.T @ b)
    return float(b @ b - (unit.T @ b) @ w)


def test_forward_is_exhaustive_greedy(rows):
    x, y = rows
    chosen: list[int] = []
    for _ in range(6):
        chosen.append(min(set(range(12)) - set(chosen), key=lambda j: explicit_loss(x, y, [*chosen, j])))
    found = ForwardSelector(6, exchanges=0).fit(x, y)
    assert found.selected_idx_.tolist() == chosen
    assert found.losses_[-1] * 1 == pytest.approx(ridge_loss(LeastSquares.from_rows(x, y), chosen), rel=1e-6)


def test_exchanges_reach_what_no_single_exchange_betters(rows):
    x, y = rows
    equations = LeastSquares.from_rows(x, y)
    plain, better = ForwardSelector(4, exchanges=0).fit(x, y), ForwardSelector(4).fit(x, y)
    assert better.losses_[-1] <= plain.losses_[-1] * (1 + 1e-12)
    own = better.selected_idx_.tolist()
    for k in range(4):
        for j in set(range(12)) - set(own):
            assert ridge_loss(equations, [*own[:k], *own[k + 1 :], j]) > better.losses_[-1] * (1 - 2e-4)
    best = min(combinations(range(12), 4), key=lambda s: ridge_loss(equations, s))
    assert better.losses_[-1] <= 1.2 * ridge_loss(equations, best)


def test_selectors_look_like_scikit_learn(rows):
    x, y = rows
    for selector in (ForwardSelector(3), AdaptiveGroupLasso(3)):
        selector.fit(x, y)
        assert selector.get_support().sum() == 3
        np.testing.assert_array_equal(selector.transform(x), x[:, np.sort(selector.selected_idx_)])
        assert selector.get_params()["n_to_select"] == 3


def test_costs_decide_between_equals():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    y = x[:, 0] + x[:, 1]
    cheap = ForwardSelector(1, costs=(10.0, 1.0, 1.0)).fit(x, y)
    assert cheap.selected_idx_.tolist() == [1]


def test_groups_of_two_elements_count_as_one(problem):
    equations = problem.least_squares()
    chosen = ForwardSelector(3, exchanges=0).fit_equations(equations).selected_idx_
    first = min(range(equations.n_groups), key=lambda g: ridge_loss(equations, [g]))
    assert chosen[0] == first
    losses = [ridge_loss(equations, [first, g]) for g in range(equations.n_groups) if g != first]
    assert ridge_loss(equations, chosen[:2]) == pytest.approx(min(losses), rel=1e-5)


def test_second_order_losses_against_a_fit_of_all_products(problem):
    losses = SecondOrder(problem.sample, ridge=1e-4)
    chosen = [1, 4]
    for j, found in zip([0, 7], losses.losses_with(chosen, [0, 7]), strict=True):
        own = [*chosen, j]
        parts = [problem.sample.linear()[:, own], *(problem.sample.products(s)[:, own[k:]] for k, s in enumerate(own))]
        a = np.concatenate([p.reshape(len(p), -1) for p in parts], axis=1)
        norm = np.sqrt((a**2).sum(axis=0))
        a = a / np.where(norm > 0, norm, 1)
        y = problem.sample.targets()
        w = np.linalg.solve(a.T @ a + 1e-4 * np.eye(a.shape[1]), a.T @ y)
        assert found == pytest.approx(float(y @ y - y @ a @ w), rel=1e-2)  # single precision
        assert losses.loss(own) == pytest.approx(found, rel=1e-2)


@pytest.mark.parametrize("partners", [2, 16])
def test_what_growing_keeps_gives_the_losses_of_each_step_anew(problem, partners):
    losses = SecondOrder(problem.sample, partners=partners)  # products of single precision: λ = 1e-4 tells 1e-3
    others = [j for j in range(losses.n_functions) if j != 4]
    chosen, history = second_order_forward(losses, 6, start=[4])
    assert history[0] == pytest.approx(losses.losses_with([4], others).min(), rel=2e-3)
    for n in range(2, 6):
        others = [j for j in range(losses.n_functions) if j not in chosen[:n]]
        found = losses.losses_with(chosen[:n], others)
        assert found[others.index(chosen[n])] == pytest.approx(found.min(), rel=2e-3)
        assert history[n - 1] == pytest.approx(found.min(), rel=2e-3)


def test_second_order_steps_are_greedy_and_exchanges_help(problem):
    losses = SecondOrder(problem.sample)
    chosen, history = second_order_forward(losses, 3)
    for k in range(3):
        others = [j for j in range(losses.n_functions) if j not in chosen[:k]]
        assert losses.loss(chosen[: k + 1]) <= min(losses.loss([*chosen[:k], j]) for j in others[::7]) * (1 + 1e-2)
    assert history == sorted(history, reverse=True)
    exchanged, after = second_order_forward(losses, 3, exchanges=4)
    assert after[-1] <= history[-1]
    assert losses.loss(exchanged) == pytest.approx(after[-1], rel=1e-2)


def test_equivalent_rows_have_the_same_normal_equations(problem):
    equations = problem.least_squares()
    x, y = equivalent_rows(equations)
    np.testing.assert_allclose(x.T @ x, equations.gram, atol=1e-8 * np.abs(equations.gram).max())
    np.testing.assert_allclose((x.T @ y)[:, 0], equations.moment, atol=1e-5 * np.abs(equations.moment).max())


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_gives_n_functions_and_repeats(problem, name):
    first, second = choose(name, problem, 6, seed=3), choose(name, problem, 6, seed=3)
    assert first.functions == second.functions
    assert len(set(first.functions)) == 6


def test_random_draws_differ():
    frames = crystals(4)
    pool = make_pool(frames, SMALL)
    equations, costs = accumulate(pool.functions, frames), np.ones(len(pool.functions))
    problem = Problem(pool.functions, equations, None, costs, 2.5, TOLERANCES)
    assert choose("random", problem, 5, 0) != choose("random", problem, 5, 1)
    with pytest.raises(ValueError, match="sample"):
        choose("second-order", problem, 5)


def test_what_is_refused(problem, rows):
    with pytest.raises(ValueError, match="allowed are cur"):
        choose("best", problem, 3)
    for n in (0, len(problem.functions) + 1):
        with pytest.raises(ValueError, match="budget"):
            choose("forward", problem, n)
    with pytest.raises(ValueError, match="nothing to choose by"):
        ForwardSelector(2).fit(rows[0], np.ones(60))
    with pytest.raises(ValueError, match="n_to_select"):
        ForwardSelector(13).fit(*rows)
    with pytest.raises(ValueError, match="ridge"):
        SecondOrder(problem.sample, ridge=0.0)
