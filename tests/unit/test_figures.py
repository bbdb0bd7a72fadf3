"""What the figures show: panels, labels with units, the values of the tables; and which tables they refuse."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from bpstudy.figures import style
from bpstudy.figures.energy import energy_over_time
from bpstudy.figures.hierarchy import hierarchy
from bpstudy.figures.histories import histories
from bpstudy.figures.overview import overview
from bpstudy.figures.predictions import predictions
from bpstudy.figures.selection import errors_by_size, pareto, pool_map
from bpstudy.figures.sums import energy_against_sum, unit_sums
from bpstudy.figures.tables import TableError

TYPES = ("G1", "G2", "G3", "G4", "G5")


def thermo(frames=40):
    rng = np.random.default_rng(0)
    potential, kinetic = -11 + rng.normal(0, 0.1, frames), rng.uniform(0.1, 0.4, frames)
    return pd.DataFrame(
        {
            "step": np.arange(frames),
            "time_fs": 2.0 * np.arange(frames),
            "potential_ev": potential,
            "free_ev": potential - 0.01,
            "kinetic_ev": kinetic,
            "total_ev": potential + kinetic,
            "temperature_kelvin": 2000 * kinetic,
        }
    )


def unit_functions(frames=60):
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"frame": np.arange(frames), "energy_ev": rng.normal(-11, 0.1, frames)})
    return table.assign(**{name: rng.normal(10.0**-place, 0.1, frames) for place, name in enumerate(TYPES)})


def scatter():
    names = ["+".join(chosen) for terms in range(1, 6) for chosen in combinations(TYPES, terms)]
    return pd.DataFrame(
        {"sum": names, "terms": [name.count("+") + 1 for name in names], "scatter": np.linspace(0.9, 0.1, len(names))}
    )


def sums(frames=300):
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {"frame": np.arange(frames), "energy_ev": rng.normal(-51, 0.2, frames), "sum": rng.normal(120, 3, frames)}
    )


def prediction_tables(errors_ev=(0.01, 0.03, 0.02), sets=("train",), frames=50):
    """For each seed: E(NN) − E(DFT) is this error, of alternating sign."""
    rng = np.random.default_rng(3)
    dft = rng.normal(-51, 0.2, frames * len(sets))
    signs = np.where(np.arange(len(dft)) % 2, 1, -1)
    table = pd.DataFrame(
        {
            "frame": np.arange(len(dft)),
            "time_fs": 1.0 * np.arange(len(dft)),
            "energy_dft_ev": dft,
            "set": np.repeat(sets, frames),
        }
    )
    return {seed: table.assign(energy_nn_ev=dft + error * signs) for seed, error in enumerate(errors_ev)}


def metrics(experiments=("dense",), errors_ev=(0.01, 0.03, 0.02), sets=("train",), functions=None):
    rows = []
    for number, experiment in enumerate(experiments):
        for seed, error in enumerate(errors_ev):
            for factor, name in enumerate(sets, start=1):
                rmse_ev = error * factor * (number + 1)
                rows.append(
                    {
                        "experiment": experiment,
                        "functions": functions[number] if functions else "25G2+25G5",
                        "cutoff_angstrom": 20.0,
                        "hidden": "27-27",
                        "seed": seed,
                        "set": name,
                        "n_frames": 50,
                        "n_atoms": 27,
                        "mse_ev2": rmse_ev**2,
                        "rmse_mev_per_atom": 1000 * rmse_ev / 27,
                        "rmse_over_sd": rmse_ev / 0.2,
                        "mean_rmse_mev_per_atom": 200 / 27,
                        "ridge_rmse_mev_per_atom": 2000 * rmse_ev / 27,
                    }
                )
    return pd.DataFrame(rows)


def magnitudes():
    rows = [
        (unit, cutoff, name, 10.0 ** (-place) * cutoff)
        for unit in ("angstrom", "bohr")
        for cutoff in (3.0, 6.0, 9.0)
        for place, name in enumerate(TYPES)
    ]
    return pd.DataFrame(rows, columns=["length_unit", "cutoff_angstrom", "function", "magnitude"])


def history():
    rows = [
        (experiment, seed, iteration, 10.0**-iteration * (seed + 1))
        for experiment in ("dense", "few-neurons", "strided", "short-cutoff")
        for seed in (0, 1)
        for iteration in range(4 + seed)
    ]
    return pd.DataFrame(rows, columns=["experiment", "seed", "iteration", "mse_ev2"])


def _line(ax, label):
    (line,) = [line for line in ax.get_lines() if line.get_label() == label]
    return line.get_xydata()


def _dots(ax):
    return np.vstack([np.asarray(dots.get_offsets()) for dots in ax.collections if len(dots.get_offsets())])


# E(t)


def test_energy_over_time_counts_from_the_first_frame():
    table = thermo()
    energy, temperature = energy_over_time(table).axes
    assert _line(energy, "potential") == pytest.approx(
        np.c_[table["time_fs"], table["potential_ev"] - table["potential_ev"][0]]
    )
    assert _line(energy, "potential + kinetic")[:, 1] == pytest.approx(table["total_ev"] - table["potential_ev"][0])
    assert temperature.get_lines()[0].get_ydata() == pytest.approx(table["temperature_kelvin"])
    assert energy.get_ylabel() == "$E - E_0$ (eV per cell)"
    assert f"{table['potential_ev'][0]:.4f}" in energy.get_title(loc="left")
    assert temperature.get_ylabel() == "temperature (K)"
    assert f"{table['temperature_kelvin'].mean():.0f} K" in temperature.get_title(loc="right")


@pytest.mark.parametrize(("scale", "label", "last"), [(1.0, "time (fs)", 78.0), (1000.0, "time (ps)", 78.0)])
def test_long_times_are_in_ps(scale, label, last):
    ax = energy_over_time(thermo().assign(time_fs=lambda t: t["time_fs"] * scale)).axes[-1]
    assert ax.get_xlabel() == label
    assert ax.get_lines()[0].get_xdata()[-1] == pytest.approx(last)


def test_imported_frames_without_momenta_have_one_panel():
    table = thermo().assign(time_fs=np.nan, kinetic_ev=np.nan, total_ev=np.nan, temperature_kelvin=np.nan)
    (ax,) = energy_over_time(table).axes
    assert ax.get_xlabel() == "frame"
    assert _line(ax, "potential")[-1, 0] == 39


# E(G)


@pytest.fixture(scope="module")
def all_sums():
    return unit_sums(unit_functions(), scatter())


def test_unit_sums_has_a_panel_for_each_of_the_31_sums_least_scatter_first(all_sums):
    table, spread, figure = unit_functions(), scatter(), all_sums
    panels = [ax for ax in figure.axes if ax.axison]
    assert len(panels) == 31
    assert [ax.get_title(loc="left") for ax in panels] == list(spread.sort_values("scatter")["sum"])
    assert [ax.texts[0].get_text() for ax in panels[:2]] == ["0.10", "0.13"]
    (panel,) = [ax for ax in panels if ax.get_title(loc="left") == "G1+G4"]
    energy = 1000 * (table["energy_ev"] - table["energy_ev"].mean())
    assert _dots(panel) == pytest.approx(np.c_[table["G1"] + table["G4"], energy])
    assert "meV per cell" in figure.get_supylabel()
    assert "dimensionless" in figure.get_supxlabel()


def test_sums_with_g3_are_marked(all_sums):
    colors = {
        ax.get_title(loc="left"): tuple(ax.collections[0].get_facecolor()[0][:3]) for ax in all_sums.axes if ax.axison
    }
    marked = {name for name, color in colors.items() if color == colors["G3"]}
    assert marked == {name for name in colors if "G3" in name}
    assert len(marked) == 16


@pytest.mark.parametrize(("atom", "whose"), [(None, "all atoms"), (0, "atom 0")])
def test_energy_against_sum(atom, whose):
    table = sums()
    ax = energy_against_sum(table, atom).axes[0]
    dots = np.asarray(ax.collections[0].get_offsets())
    assert dots == pytest.approx(np.c_[table["sum"], table["energy_ev"] - table["energy_ev"].mean()])
    assert whose in ax.get_xlabel()
    assert ax.get_ylabel() == "$E$ − mean (eV per cell)"


def test_bins_hold_the_mean_and_spread_of_the_energy():
    table = sums(40).sample(frac=1, random_state=0)
    bars = energy_against_sum(table).axes[0].containers[0]
    energy = table.sort_values("sum")["energy_ev"].to_numpy() - table["energy_ev"].mean()
    expected = energy.reshape(4, 10)
    assert bars.lines[0].get_ydata() == pytest.approx(expected.mean(axis=1))
    lengths = [np.ptp(segment[:, 1]) for segment in bars.lines[2][0].get_segments()]
    assert lengths == pytest.approx(2 * expected.std(axis=1, ddof=1))


# E(DFT) and E(NN)


def test_predictions_show_the_median_seed_and_the_range_of_all():
    tables = prediction_tables()
    energy, residual = predictions(tables, metrics(), "dense").axes
    dft = tables[0]["energy_dft_ev"]
    assert _line(energy, "DFT") == pytest.approx(np.c_[tables[0]["time_fs"], dft - dft.mean()])
    assert _line(energy, "NN, training frames")[:, 1] == pytest.approx(tables[2]["energy_nn_ev"] - dft.mean())
    assert abs(residual.get_lines()[0].get_ydata()) == pytest.approx(np.full(50, 1000 * 0.02 / 27))
    band = residual.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((-1000 * 0.03 / 27, 1000 * 0.03 / 27))
    assert residual.get_ylabel() == "NN − DFT (meV per atom)"
    assert energy.get_ylabel() == "$E$ − mean (eV per cell)"


def test_predictions_state_experiment_seed_and_errors():
    energy, residual = predictions(prediction_tables(), metrics(("other", "dense")), "dense").axes
    assert energy.get_title(loc="left") == "dense: 25G2+25G5, $R_c$ = 20 Å, hidden layers 27-27"
    text = residual.get_title(loc="left")
    assert text == r"seed 2, training frames: RMSE 1.48 meV per atom, MSE $1.60\times10^{-3}$ eV²"


def test_of_two_seeds_the_better_is_the_median():
    residual = predictions(prediction_tables((0.03, 0.01)), metrics(errors_ev=(0.03, 0.01)), "dense").axes[1]
    assert "seed 1," in residual.get_title(loc="left")


def test_later_frames_are_drawn_apart_and_an_independent_trajectory_is_not():
    sets = ("train", "later", "independent")
    energy, later, residual, _ = predictions(prediction_tables(sets=sets), metrics(sets=sets), "dense").axes
    assert len(_line(energy, "NN, training frames")) == len(_line(later, "NN, later frames")) == 50
    assert not [line for ax in (energy, later) for line in ax.get_lines() if "independent" in line.get_label()]
    lines = residual.get_title(loc="left").splitlines()
    assert [line.split(":")[0] for line in lines] == ["seed 2, training frames", "seed 2, later frames"]


def test_sets_of_other_names_can_be_drawn():
    sets = ("train", "hot")
    figure = predictions(prediction_tables(sets=sets), metrics(sets=sets), "dense", held_out=["hot"])
    assert len(_line(figure.axes[1], "NN, hot frames")) == 50
    assert "seed 2, hot frames: RMSE 1.48" in figure.axes[2].get_title(loc="left")
    ranked = overview(metrics(sets=sets), ["dense"])
    assert [text.get_text().split(" (")[0] for text in ranked.legends[0].texts] == [
        "training frames",
        "hot frames",
        "ridge regression",
    ]


def test_one_seed_has_no_band():
    figure = predictions(prediction_tables((0.01,)), metrics(errors_ev=(0.01,)), "dense")
    assert not figure.axes[0].collections
    assert not figure.axes[1].collections
    assert [text.get_text() for text in figure.legends[0].texts] == ["DFT", "NN, training frames"]


def test_a_stray_seed_does_not_set_the_scale():
    errors = (0.01, 0.01, 50.0)
    for ax in predictions(prediction_tables(errors), metrics(errors_ev=errors), "dense").axes:
        assert max(np.abs(ax.get_ylim())) < 2


def test_predictions_without_times_are_over_frames():
    tables = {seed: table.assign(time_fs=np.nan) for seed, table in prediction_tables().items()}
    assert predictions(tables, metrics(), "dense").axes[1].get_xlabel() == "frame"


# Overview


def test_overview_ranks_by_the_hardest_set_and_shows_every_seed():
    names, sets = ("bad", "good"), ("train", "independent")
    table = metrics(names, sets=sets, functions=("12G2", "12G5"))
    table.loc[(table["set"] == "train") & (table["experiment"] == "bad"), "rmse_mev_per_atom"] *= 100
    ax = overview(table, names).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["12G2", "12G5"]
    shown = np.sort(_dots(ax)[:, 0])
    ridge = table.groupby(["experiment", "set"])["ridge_rmse_mev_per_atom"].first()
    assert shown == pytest.approx(np.sort(np.r_[table["rmse_mev_per_atom"], ridge]))
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "RMSE of the energy (meV per atom)"
    legend = [text.get_text() for text in ax.figure.legends[0].texts]
    assert [text.split(" (")[0] for text in legend] == [
        "training frames",
        "independent frames",
        "ridge regression",
    ]


def test_overview_marks_medians_and_the_mean_predictor():
    ax = overview(metrics(("a", "b"), functions=("12G2", "12G5")), ["b", "a"]).axes[0]
    medians = [line.get_xdata() for line in ax.get_lines() if line.get_marker() == "|"]
    assert np.concatenate(medians) == pytest.approx([1000 * 0.02 / 27, 2000 * 0.02 / 27])
    dashed = [line.get_xdata()[0] for line in ax.get_lines() if line.get_linestyle() == "--"]
    assert dashed == pytest.approx([1000 * 0.2 / 27])


def test_overview_names_experiments_that_have_the_same_functions():
    ax = overview(metrics(("dense", "few-neurons")), ["dense", "few-neurons"]).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["dense", "few-neurons"]


# Hierarchy and histories


def test_hierarchy_has_a_panel_for_each_unit_of_length():
    axes = hierarchy(magnitudes()).axes
    assert [ax.get_title() for ax in axes] == ["parameters 1 in Å", "parameters 1 in Bohr"]
    assert axes[0].get_xlabel() == "cutoff $R_c$ (Å)"
    assert axes[0].get_yscale() == "log"
    third = axes[0].get_lines()[2]
    assert third.get_xydata() == pytest.approx(np.array([[3, 0.03], [6, 0.06], [9, 0.09]]))
    assert third.get_color() == style.TYPES["G3"]


def test_histories_have_a_panel_for_each_experiment_and_a_line_for_each_seed():
    names = ["strided", "dense", "few-neurons", "short-cutoff"]
    figure = histories(history(), names, dict.fromkeys(names, 1e-3))
    panels = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in panels] == names
    *runs, target = panels[0].get_lines()
    assert [line.get_ydata() for line in runs] == [
        pytest.approx([1, 0.1, 0.01, 0.001]),
        pytest.approx([2, 0.2, 0.02, 0.002, 0.0002]),
    ]
    assert target.get_ydata() == pytest.approx([1e-3, 1e-3])
    assert "(eV per cell)²" in figure.get_supylabel()


# Tables that are refused

DRAWINGS = {
    "thermo": lambda t: energy_over_time(t),
    "unit_functions": lambda t: unit_sums(t, scatter()),
    "scatter": lambda t: unit_sums(unit_functions(), t),
    "sums": lambda t: energy_against_sum(t),
    "predictions": lambda t: predictions({0: t}, metrics(errors_ev=(0.01,)), "dense"),
    "metrics": lambda t: overview(t, ["dense"]),
    "hierarchy": lambda t: hierarchy(t),
    "histories": lambda t: histories(t, ["dense"], {"dense": 0.0}),
}
TABLES = {
    "thermo": (thermo, "potential_ev"),
    "unit_functions": (unit_functions, "G3"),
    "scatter": (scatter, "scatter"),
    "sums": (sums, "sum"),
    "predictions": (lambda: prediction_tables((0.01,))[0], "energy_nn_ev"),
    "metrics": (metrics, "rmse_mev_per_atom"),
    "hierarchy": (magnitudes, "magnitude"),
    "histories": (history, "mse_ev2"),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_missing_column_is_named(name):
    make, column = TABLES[name]
    with pytest.raises(TableError, match=f"{name}.*{column} is missing; it has "):
        DRAWINGS[name](make().drop(columns=column))


@pytest.mark.parametrize("name", DRAWINGS)
def test_an_empty_table_is_refused(name):
    make, _ = TABLES[name]
    with pytest.raises(TableError, match=f"{name}.*has no rows"):
        DRAWINGS[name](make().iloc[:0])


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_refused_with_its_row(name, value):
    make, column = TABLES[name]
    table = make()
    table.loc[1, column] = value
    with pytest.raises(TableError, match=rf"{name}.*{column} is .*{value} in row 1"):
        DRAWINGS[name](table)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: unit_sums(unit_functions(), scatter().replace("G1+G2", "G1+G7")), "'G7' does not exist"),
        (lambda: hierarchy(magnitudes().replace("bohr", "nm")), "length_unit: 'nm' does not exist.*angstrom, bohr"),
        (lambda: hierarchy(magnitudes().replace("G5", "G6")), "function: 'G6' does not exist"),
        (lambda: overview(metrics(), ["sparse"]), "'sparse' does not exist; available: dense"),
        (lambda: overview(metrics(), []), "no experiments given"),
        (lambda: histories(history(), ["sparse"], {}), "'sparse' does not exist; available: dense, few-neurons"),
        (lambda: histories(history(), [], {}), "no experiments given"),
        (lambda: predictions({}, metrics(), "dense"), "predictions of dense: no seed"),
        (lambda: predictions(prediction_tables(), metrics(), "sparse"), "no training errors of sparse, seed 0, 1, 2"),
        (
            lambda: predictions(prediction_tables((0.1,) * 4), metrics(), "dense"),
            "no training errors of dense, seed 3",
        ),
        (
            lambda: predictions(prediction_tables(sets=("independent",)), metrics(), "dense"),
            "no frames in the set train",
        ),
        (
            lambda: predictions({0: prediction_tables()[0], 1: prediction_tables(frames=9)[1]}, metrics(), "dense"),
            "seed 1, set train: other frames than those of seed 0",
        ),
    ],
)
def test_what_does_not_fit_is_refused(draw, message):
    with pytest.raises(TableError, match=message):
        draw()


# The choice of functions


def chosen_sets():
    """Two methods at two budgets and three combinations, networks and linear potentials."""
    rows = [("method", method, budget) for method in ("second-order", "random") for budget in (12, 24)]
    rows += [("combination", f"types-{name}", 24) for name in ("a", "b", "c")]
    table = pd.DataFrame(
        [(*row, model) for row in rows for model in ("network", "linear")],
        columns=["kind", "method", "budget", "model"],
    )
    errors = 1 + 0.1 * np.arange(len(table))
    for key in ("energy_rmse_mev_per_atom", "force_rmse_ev_per_angstrom", "score"):
        table = table.assign(**{key: errors, f"{key}_low": 0.9 * errors, f"{key}_high": 1.2 * errors})
    return table.assign(cost_us_per_atom=10 * errors, pareto=errors < 1.3, recommended=errors < 1.15)


def candidates():
    kinds = ["G1", "G2", "G2", "G5"]
    table = pd.DataFrame({"type": kinds, "cutoff_angstrom": [5.0, 5.0, 8.0, 8.0], "chosen_by": [0, 1, 3, 2]})
    return table.assign(recommended=[False, False, True, True])


def test_combinations_of_types_are_points_and_methods_lines():
    axes = errors_by_size(chosen_sets()).axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert sorted(label for label in labels if "combinations" in label) == [
        "combinations of types, linear",
        "combinations of types, network",
    ]
    assert not any("types-a" in label for label in labels)
    assert len([line for line in axes.lines if len(line.get_xdata()) == 2]) == 4  # two methods, two models


# All of them


FIGURES = {
    "errors_by_size": lambda: errors_by_size(chosen_sets()),
    "pareto": lambda: pareto(chosen_sets()),
    "pool_map": lambda: pool_map(candidates()),
    "energy": lambda: energy_over_time(thermo()),
    "unit_sums": lambda: unit_sums(unit_functions(), scatter()[-7:]),
    "sums": lambda: energy_against_sum(sums()),
    "predictions": lambda: predictions(prediction_tables(), metrics(), "dense"),
    "overview": lambda: overview(metrics(("a", "b")), ["a", "b"]),
    "hierarchy": lambda: hierarchy(magnitudes()),
    "histories": lambda: histories(history(), ["dense", "strided"], {"dense": 1e-3, "strided": 0.0}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_equal_tables_give_equal_bytes(name, tmp_path):
    paths = [tmp_path / "first.svg", tmp_path / "second.svg"]
    for path in paths:
        style.save(FIGURES[name](), [path])
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_reaches_out_of_the_figure(name):
    figure = FIGURES[name]()
    with style.theme():
        figure.draw_without_rendering()
        width, height = figure.bbox.size
        for ax in figure.axes:
            box = ax.get_tightbbox()
            if ax.axison or box is not None:
                assert box.x0 >= -1
                assert box.y0 >= -1
                assert box.x1 <= width + 1, ax.get_title()
                assert box.y1 <= height + 1, ax.get_title()
        for legend in figure.legends:
            box = legend.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= width


@pytest.mark.parametrize("name", FIGURES)
def test_the_width_in_print_can_be_chosen(name):
    assert FIGURES[name]().get_figwidth() * 2.54 == pytest.approx(16.0)


def test_the_width_of_a_column():
    assert hierarchy(magnitudes(), width_cm=12.0).get_figwidth() * 2.54 == pytest.approx(12.0)


# Frames of several sizes: energies per atom, as points


SIZES = np.resize([12, 64, 32], 50)


def test_energies_of_several_sizes_are_per_atom():
    table = thermo(50).assign(source_n_atoms=SIZES)
    ax = energy_over_time(table).axes[0]
    assert _dots(ax) == pytest.approx(np.c_[table["step"], table["potential_ev"] / SIZES])
    assert ax.get_ylabel() == "$E$ (eV per atom)"
    assert not ax.get_lines()


def test_predictions_of_several_sizes_are_per_atom():
    tables = {seed: table.assign(time_fs=np.nan, n_atoms=SIZES) for seed, table in prediction_tables().items()}
    energy, residual = predictions(tables, metrics(), "dense").axes
    assert energy.get_ylabel() == "$E$ − mean (eV per atom)"
    dft = tables[0]["energy_dft_ev"] / SIZES
    assert _line(energy, "DFT")[:, 1] == pytest.approx(dft - dft.mean())
    away = 1000 * (tables[2]["energy_nn_ev"] - tables[2]["energy_dft_ev"]) / SIZES  # the seed of the median error
    shown = [line.get_ydata() for line in residual.get_lines() if len(line.get_ydata()) == 50]
    assert any(np.allclose(values, away) for values in shown)
    assert all(line.get_linestyle() == "None" for line in energy.get_lines())


def test_sums_of_several_sizes_are_per_atom():
    ax = energy_against_sum(sums(50).assign(n_atoms=SIZES)).axes[0]
    assert ax.get_ylabel() == "$E$ − mean (eV per atom)"
    assert "per atom" in ax.get_xlabel()
    figure = unit_sums(unit_functions(50).assign(n_atoms=SIZES), scatter())
    assert figure.get_supylabel() == "$E$ − mean (meV per atom)"
