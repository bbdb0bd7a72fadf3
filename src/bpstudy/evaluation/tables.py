"""Small tables that figures are drawn from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from bpstudy.config.analysis import FITS, WithForces
from bpstudy.config.experiments import Experiment
from bpstudy.descriptors.features import labelled_energies, read_blocks
from bpstudy.statistics.metrics import errors, rms
from bpstudy.statistics.smoothness import band_edge, rms_above

SMOOTHNESS = (
    "experiment",
    "seed",
    "set",
    "timestep_fs",
    "band_edge_per_fs",
    "rms_above_mev_per_atom",
    "floor_mev_per_atom",
)


def metrics(
    experiments: Mapping[str, Experiment],
    runs: Sequence[tuple[str, Path, Path]],
    baselines: Mapping[str, Path],
    noise_floor: Mapping[str, float],
) -> pd.DataFrame:
    """Errors of each network on each of its sets of frames, and beside them those of the baselines on the same frames.

    Args:
        runs: (experiment, its predictions.csv, its metrics.json) of each network.
        baselines: baselines.csv of each experiment.
        noise_floor: noise of the DFT's energies in meV/atom of the experiments for which it is known.
    """
    tables = {name: pd.read_csv(path) for name, path in baselines.items()}
    compared = {name: _baseline_errors(table) for name, table in tables.items()}
    rows = []
    for name, predictions, fit in runs:
        experiment = experiments[name]
        summary = json.loads(fit.read_text())
        table = pd.read_csv(predictions)
        described = {
            "experiment": name,
            "functions": functions_label(experiment),
            "cutoff_angstrom": max(block.cutoff_angstrom for block in experiment.functions),
            "hidden": "-".join(map(str, experiment.hidden)),
            "trained_on": _frames_label(table.loc[table["set"] == "train", "frame"]),
            "seed": summary["seed"],
        }
        ended = {
            key: summary[key]
            for key in ("optimizer", "weight_decay", "iterations", "seconds", "operations", "stop_reason")
        }
        for chosen, frames in table.groupby("set", sort=False):
            scores = asdict(errors(frames["energy_dft_ev"], frames["energy_nn_ev"], frames["n_atoms"]))
            beside = compared[name][str(chosen)] | _force_errors(frames, tables[name].query("set == @chosen"))
            beside["noise_floor_mev_per_atom"] = noise_floor.get(name, np.nan)
            rows.append({**described, "set": chosen, "n_atoms": frames["n_atoms"].mean(), **scores, **beside, **ended})
    return pd.DataFrame(rows)


def _baseline_errors(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """RMSE of each baseline, meV per atom, on each set of frames."""
    return {
        str(chosen): {
            f"{model}_rmse_mev_per_atom": 1000
            * rms((frames[f"energy_{model}_ev"] - frames["energy_dft_ev"]) / frames["n_atoms"])
            for model in ("mean", "ridge")
        }
        for chosen, frames in table.groupby("set", sort=False)
    }


def _force_errors(network: pd.DataFrame, baselines: pd.DataFrame) -> dict[str, float]:
    """RMS error of the forces (meV/Å) of the network and of ridge, and the RMS force; NaN where none was looked at.

    Where the stress was looked at, the same of it (GPa)."""
    columns = {
        "force_rmse_mev_per_angstrom": (network, "force_error_nn_ev_per_angstrom"),
        "force_ridge_rmse_mev_per_angstrom": (baselines, "force_error_ridge_ev_per_angstrom"),
        "force_rms_mev_per_angstrom": (baselines, "force_error_mean_ev_per_angstrom"),
    }
    found = {
        key: 1000 * rms(table[column].dropna()) if column in table else np.nan
        for key, (table, column) in columns.items()
    }
    ratio = found["force_rmse_mev_per_angstrom"] / found["force_rms_mev_per_angstrom"]
    stress = {
        "stress_rmse_gpa": (network, "stress_error_nn_gpa"),
        "stress_ridge_rmse_gpa": (baselines, "stress_error_ridge_gpa"),
        "stress_rms_gpa": (baselines, "stress_error_mean_gpa"),
    }
    seen = {key: rms(table[column].dropna()) for key, (table, column) in stress.items() if column in table}
    return found | {"force_rmse_over_rms": ratio} | seen


COMPARED = ("rmse_mev_per_atom", "force_rmse_mev_per_angstrom")


def with_forces(metrics: pd.DataFrame, settings: WithForces) -> pd.DataFrame:
    """Errors on the frames that decide of each pair of experiments, energies alone and with forces: a row each seed.

    Raises:
        ValueError: an experiment has no errors of forces there.
    """
    columns = {"rmse_mev_per_atom", "ridge_rmse_mev_per_atom", "force_rmse_mev_per_angstrom"}
    columns |= {"force_ridge_rmse_mev_per_angstrom", "force_rms_mev_per_angstrom", "force_rmse_over_rms"}
    found = []
    for section in ("types", "others"):
        for pair, names in getattr(settings, section).items():
            for fit, name in zip(FITS, names, strict=True):
                rows = metrics[(metrics["experiment"] == name) & (metrics["set"] == settings.held_out)]
                if rows.empty or rows["force_rmse_mev_per_angstrom"].isna().any():
                    raise ValueError(f"{name} has no errors of forces on the frames {settings.held_out}")
                kept = rows[["experiment", "seed", "seconds", *sorted(columns)]]
                found.append(kept.assign(section=section, pair=pair, fit=fit))
    return pd.concat(found, ignore_index=True)


def with_forces_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Of `with_forces`: median, least and greatest of the seeds, and ridge on the same functions with the same loss."""
    rows = []
    for (section, pair, fit), seeds in table.groupby(["section", "pair", "fit"], sort=False):
        row: dict[str, object] = {"section": section, "pair": pair, "fit": fit}
        for column in COMPARED:
            values = seeds[column]
            row |= {column: values.median(), f"{column}_least": values.min(), f"{column}_greatest": values.max()}
        ridge = ["ridge_rmse_mev_per_atom", "force_ridge_rmse_mev_per_angstrom"]
        row |= {column: seeds[column].iloc[0] for column in [*ridge, "force_rms_mev_per_angstrom"]}
        rows.append(row)
    return pd.DataFrame(rows)


def _frames_label(frames: pd.Series) -> str:
    """372 frames, every 64th from 0."""
    stride = int(frames.iloc[1] - frames.iloc[0]) if len(frames) > 1 else 1
    return f"{len(frames)} frames, step {stride}, from {frames.iloc[0]}"


def functions_label(experiment: Experiment) -> str:
    """Its functions as the paper writes them: 12G2+6G4+6G5."""
    return "+".join(f"{block.count}{block.type}" for block in experiment.functions)


def histories(runs: Sequence[tuple[str, int, Path]]) -> pd.DataFrame:
    """The histories of all fits, one after the other, from (experiment, seed, its history.csv)."""
    return pd.concat(
        [pd.read_csv(path).assign(experiment=name, seed=seed) for name, seed, path in runs], ignore_index=True
    )


def smoothness(runs: Sequence[tuple[str, int, Path]], n_atoms: Mapping[str, int]) -> pd.DataFrame:
    """Spikes of each network on the frames it was trained on, where these follow each other evenly in time.

    `rms_above_mev_per_atom` is of the residual above the band that holds 99.9 % of the power of the DFT's E(t),
    `floor_mev_per_atom` that of the DFT's E(t) itself. Series of fewer than 16 frames
    and those without times are left out.

    Args:
        runs: (experiment, seed, its predictions.csv) of each network.
        n_atoms: of each experiment's cell.
    """
    rows = []
    for name, seed, path in runs:
        table = pd.read_csv(path).query("set == 'train'")
        steps = np.diff(table["time_fs"])
        if len(table) < 16 or not np.ptp(steps) <= 1e-6:  # or times are not known
            continue
        dft, residual = table["energy_dft_ev"], table["energy_nn_ev"] - table["energy_dft_ev"]
        edge = band_edge(dft, steps[0])
        above = [1000 / n_atoms[name] * rms_above(series, steps[0], edge) for series in (residual, dft)]
        rows.append((name, seed, "train", steps[0], edge, *above))
    return pd.DataFrame(rows, columns=list(SMOOTHNESS))


def sums(blocks: Sequence[str], thermo: str, energy: str, atom: int | None) -> pd.DataFrame:
    """Energy of the cell and the sum of all functions, over all atoms or of one, for each frame.

    Where frames have several sizes, energy and sum are per atom: totals would tell sizes above all.

    Raises:
        ValueError: there is no such atom.
    """
    features = read_blocks(blocks)
    if atom is not None and atom >= features.n_atoms.min():
        raise ValueError(f"atom {atom} does not exist: the smallest frame has {features.n_atoms.min()}")
    total = np.zeros(features.n_frames)
    for of in features.rows.values():
        each = of.values.sum(axis=1)
        total += np.bincount(of.frame, each if atom is None else each * (of.atom == atom), features.n_frames)
    energies = labelled_energies(features, thermo, energy)
    mixed = len(np.unique(features.n_atoms)) > 1
    energy_ev = energies["energy_dft_ev"] / (features.n_atoms if mixed else 1)
    total /= features.n_atoms if mixed and atom is None else 1
    return pd.DataFrame({"frame": energies["frame"], "energy_ev": energy_ev, "sum": total, "n_atoms": features.n_atoms})
