"""The normal equations are those of the rows written out, for frames of any size and composition."""

import numpy as np
import pytest

from bpstudy.selection.equations import accumulate
from bpstudy.selection.pool import make_pool
from bpstudy.selection.sample import draw_sample
from bpstudy.selection.targets import Tolerances
from tests.unit.selection_data import SMALL, crystals

TOLERANCES = Tolerances(0.01, 0.1)


@pytest.fixture(scope="module", params=[False, True], ids=["one element", "two elements"])
def data(request):
    frames = crystals(alloy=request.param)
    return frames, make_pool(frames, SMALL).functions


def rows_written_out(functions, frames, elements):
    """Sums an atom and forces' rows of each frame, function by function and element by element."""
    sums, rows = [], []
    for frame in frames:
        values, dense = functions.compute_with_gradients(frame)
        masks = [np.array(frame.get_chemical_symbols()) == e for e in elements]
        sums.append([values[mask, f].sum() / len(frame) for f in range(len(functions)) for mask in masks])
        rows.append([-dense[mask, f].sum(axis=0).ravel() for f in range(len(functions)) for mask in masks])
    return np.array(sums), [np.array(r).T for r in rows]


def test_equations_against_rows(data):
    frames, functions = data
    folds = np.arange(len(frames)) % 3
    found = accumulate(functions, frames, folds)
    sums, rows = rows_written_out(functions, frames, found.elements)
    np.testing.assert_allclose(found.sums, sums, rtol=1e-12, atol=1e-14)
    for fold in range(3):
        a = np.concatenate([r for r, k in zip(rows, folds, strict=True) if k == fold])
        b = np.concatenate([f.get_forces().ravel() for f, k in zip(frames, folds, strict=True) if k == fold])
        np.testing.assert_allclose(found.force_grams[fold], a.T @ a, rtol=1e-9, atol=1e-9 * np.abs(a.T @ a).max())
        np.testing.assert_allclose(found.force_moments[fold], a.T @ b, rtol=1e-9, atol=1e-9 * np.abs(a.T @ b).max())
        assert found.force_squares[fold] == pytest.approx(b @ b)
        assert found.force_counts[fold] == len(b)


def test_loss_against_a_fit_with_free_atomic_energies(data):
    frames, functions = data
    found = accumulate(functions, frames)
    equations = found.least_squares(TOLERANCES)
    columns = equations.columns([0, 3, 5])
    loss = equations.square - equations.moment[columns] @ np.linalg.solve(
        equations.gram[np.ix_(columns, columns)], equations.moment[columns]
    )
    sums, rows = rows_written_out(functions, frames, found.elements)
    energies = found.energies_ev_per_atom
    forces = np.concatenate([f.get_forces().ravel() for f in frames])
    weight = 1 / 0.1 / np.sqrt(len(forces))
    unit = 1 / 0.01 / np.sqrt(len(frames))
    zeros = np.zeros((len(forces), len(found.elements)))
    a = np.vstack([
        np.hstack([unit * found.composition, unit * sums[:, columns]]),
        np.hstack([zeros, weight * np.concatenate(rows)[:, columns]]),
    ])  # fmt: skip
    b = np.concatenate([unit * energies, weight * forces])
    assert loss == pytest.approx(((b - a @ np.linalg.lstsq(a, b, rcond=None)[0]) ** 2).sum(), rel=1e-7)


def test_energies_of_the_atoms_do_not_matter(data):
    frames, functions = data
    shifted = [frame.copy() for frame in frames]
    for old, new in zip(frames, shifted, strict=True):
        new.calc = old.calc.__class__(
            new, energy=old.get_potential_energy() + (new.numbers * 7.5).sum(), forces=old.get_forces()
        )
    one, two = (accumulate(functions, some).least_squares(TOLERANCES) for some in (frames, shifted))
    np.testing.assert_allclose(one.moment, two.moment, atol=1e-8)


def test_threads_and_folds_do_not_change_a_bit(data):
    frames, functions = data
    one, two = accumulate(functions, frames), accumulate(functions, frames, threads=2)
    for key in ("sums", "force_grams", "force_moments", "scale", "values"):
        np.testing.assert_array_equal(getattr(one, key), getattr(two, key))
    parts = accumulate(functions, frames, np.arange(len(frames)) % 4)
    grams = [some.least_squares(TOLERANCES).gram for some in (parts, one)]
    np.testing.assert_allclose(*grams, rtol=1e-9, atol=1e-12)


def test_part_of_the_functions(data):
    frames, functions = data
    whole = accumulate(functions, frames)
    part, equations = whole.take([4, 2]).least_squares(TOLERANCES), whole.least_squares(TOLERANCES)
    columns = equations.columns([4, 2])
    np.testing.assert_allclose(part.gram, equations.gram[np.ix_(columns, columns)])


def test_energies_alone(data):
    _, functions = data
    frames = crystals(alloy=len(set(crystals(1)[0].numbers)) > 1, forces=False)
    found = accumulate(functions, frames)
    assert not found.has_forces
    loss = found.least_squares(TOLERANCES).square
    assert loss == pytest.approx((found.residual_energies() ** 2).mean() / TOLERANCES.energy_ev**2)


def test_constant_energies_without_forces_are_an_error():
    frames = crystals(6, forces=False)
    functions = make_pool(frames, SMALL).functions
    for frame in frames:
        frame.calc.results["energy"] = -3.0 * len(frame)
    with pytest.raises(ValueError, match="nothing beyond the composition"):
        accumulate(functions, frames).least_squares(TOLERANCES)


def test_one_frame_is_an_error():
    frames = crystals(4)
    functions = make_pool(frames, SMALL).functions
    with pytest.raises(ValueError, match="at least two"):
        accumulate(functions, frames[:1]).least_squares(TOLERANCES)


def test_missing_and_broken_numbers_are_named():
    frames = crystals(4)
    functions = make_pool(frames, SMALL).functions
    bare = [*frames[:2], frames[2].copy()]
    with pytest.raises(ValueError, match="frame 2 has no energy"):
        accumulate(functions, bare)
    frames[1].calc.results["energy"] = np.nan
    with pytest.raises(ValueError, match="frame 1: the energy is nan"):
        accumulate(functions, frames)
    with pytest.raises(ValueError, match="one number from 0 a frame"):
        accumulate(functions, frames, [0])


def test_sample_rows_against_products_written_out(data):
    """Rows of x_s x_j from dense gradients of the frames, for every element."""
    frames, functions = data
    frames = frames[:5]
    sample = draw_sample(functions, frames, TOLERANCES, atoms_per_frame=100)
    numbers = np.concatenate([f.numbers for f in frames])
    values = np.concatenate([functions.compute(f) for f in frames])
    present = np.unique(numbers)
    mean, sd = np.zeros((2, len(present), len(functions)))
    for e, n in enumerate(present):
        mean[e], sd[e] = values[numbers == n].mean(axis=0), values[numbers == n].std(axis=0)
    sd[sd < 1e-12] = 1.0
    s = 3
    sums, rows = [], []
    for frame in frames:
        values, dense = functions.compute_with_gradients(frame)
        e = np.searchsorted(present, frame.numbers)
        x, dx = (values - mean[e]) / sd[e], dense / sd[e][:, :, None, None]
        own = [e == k for k in range(len(present))]
        sums.append([[(x[m, s] * x[m, j]).sum() / len(frame) for m in own] for j in range(len(functions))])
        d = x[:, s, None, None, None] * dx + x[:, :, None, None] * dx[:, s, None]
        rows.append(-np.stack([d[m].sum(axis=0) for m in own], axis=1).reshape(*sample.linear().shape[1:], -1))
    forces = np.concatenate(rows, axis=2).transpose(2, 0, 1) * sample.force_weight
    np.testing.assert_allclose(sample.products(s)[len(frames) :], forces, rtol=1e-4, atol=1e-4 * np.abs(forces).max())
    basis, _ = np.linalg.qr(sample.composition)
    rank = np.linalg.matrix_rank(sample.composition)
    sums = np.array(sums).reshape(len(frames), -1)
    sums = sample.energy_weight * (sums - basis[:, :rank] @ (basis[:, :rank].T @ sums))
    np.testing.assert_allclose(
        sample.products(s)[: len(frames)].reshape(len(frames), -1), sums, atol=2e-3 * np.abs(sums).max()
    )
    np.testing.assert_allclose(sample.products(s)[:, s], sample.squares()[:, s], atol=1e-4 * np.abs(forces).max())


def test_typical_tolerances():
    frames = crystals(4)
    forces = np.concatenate([f.get_forces().ravel() for f in frames])
    found = Tolerances.typical(frames, 2.5)
    assert found.force_ev_per_angstrom == pytest.approx(0.15 * np.sqrt((forces**2).mean()))
    assert found.energy_ev == pytest.approx(0.028 * 2.5 * found.force_ev_per_angstrom)
    assert Tolerances.typical(crystals(4, forces=False), 2.5).energy_ev > 0
    with pytest.raises(ValueError, match="positive"):
        Tolerances(0.0, 0.1)
