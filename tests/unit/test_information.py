"""What sets of functions hold, on sets whose content is known."""

import numpy as np
import pandas as pd
import pytest

from bpstudy.descriptors.features import Features
from bpstudy.evaluation.information import correlations, information
from bpstudy.figures.information import against_cutoff, heat_maps
from bpstudy.training.sets import FrameSet


def frames(values, energies):
    n_frames, _, n = values.shape
    labels = tuple(f"G{1 + i % 2}(i={i})" for i in range(n))
    features = Features.of_arrays({"Li": values}, {"Li": labels})
    steps = np.arange(n_frames)
    return FrameSet(features, pd.DataFrame({"frame": steps, "time_fs": 1.0 * steps, "energy_dft_ev": energies}))


RNG = np.random.default_rng(0)
FREE = RNG.normal(size=(400, 3, 4))


def test_copies_and_dead_functions_add_nothing():
    energy = FREE[:, :, 0].sum(axis=1)
    alone = information(frames(FREE, energy), 5.0)
    dead = 1.0 + 1e-12 * RNG.normal(size=(400, 3, 2))
    padded = information(frames(np.concatenate([FREE, FREE, dead], axis=2), energy), 5.0)
    assert alone["effective_rank"] == pytest.approx(4, abs=0.1)
    assert (alone["dead"], padded["dead"]) == (0, 2)
    assert padded["functions"] == 10
    live = information(frames(np.concatenate([FREE, FREE], axis=2), energy), 5.0)
    assert live["effective_rank"] == pytest.approx(alone["effective_rank"], abs=1e-6)


def test_degeneracy_tells_whether_g_determines_the_energy():
    one = FREE[:, :, :1]
    told = information(frames(one, one.sum(axis=(1, 2))), 5.0)["degeneracy"]
    untold = information(frames(one, RNG.normal(size=400)), 5.0)["degeneracy"]
    assert told < 0.1
    assert untold == pytest.approx(1, abs=0.15)


def test_correlations_are_numpys():
    values = FREE @ RNG.normal(size=(4, 3))
    known = frames(values, RNG.normal(size=400))
    table = correlations(known).pivot(index="first", columns="second", values="correlation")
    order = list(known.features.labels["Li"])
    assert np.allclose(table.loc[order, order], np.corrcoef(values.reshape(-1, 3).T))


def test_figures_show_the_tables():
    table = correlations(frames(FREE, RNG.normal(size=400))).assign(experiment="dense")
    ax = heat_maps(table, ["dense"]).axes[0]
    assert ax.get_images()[0].get_array().shape == (4, 4)
    rows = [{"cutoff_angstrom": c, **information(frames(FREE, RNG.normal(size=400)), 5.0)} for c in (4.0, 8.0)]
    for ax in against_cutoff(pd.DataFrame(rows)).axes:
        assert ax.get_lines()[0].get_xdata().tolist() == [4.0, 8.0]
        assert "Å" in ax.get_xlabel()


def test_an_experiment_without_correlations_is_refused():
    table = correlations(frames(FREE, RNG.normal(size=400))).assign(experiment="dense")
    with pytest.raises(ValueError, match="sparse"):
        heat_maps(table, ["sparse"])
