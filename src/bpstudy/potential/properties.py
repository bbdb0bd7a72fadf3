"""Properties of an ideal crystal by all networks of an experiment, and beside those of the DFT."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from bpstudy.config.analysis import Properties, ThermalVolume
from bpstudy.config.systems import Crystal
from bpstudy.dynamics.convergence import even_frames
from bpstudy.dynamics.crystals import build_crystal
from bpstudy.dynamics.properties import crystal_properties, crystals
from bpstudy.potential.calculator import Potential
from bpstudy.potential.md import Run, run


def properties_of_networks(
    folders: Mapping[int, Path], crystal: Crystal, settings: Properties
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`crystal_properties` of each seed's network, with `seed`; in the curve also `outside`: whether the crystal at
    this volume lies outside the training domain."""
    curves, tables = [], []
    for seed, folder in folders.items():
        curve, table = crystal_properties(crystal, partial(Potential, folder, on_extrapolation="ignore"), settings)
        watch = Potential(folder, on_extrapolation="warn")
        outside = []
        for atoms in crystals(crystal, settings.volumes):
            before = watch.extrapolations
            watch.get_potential_energy(atoms)
            outside.append(watch.extrapolations > before)
        curves.append(curve.assign(outside=outside, seed=seed))
        tables.append(table.assign(seed=seed))
    return pd.concat(curves, ignore_index=True), pd.concat(tables, ignore_index=True)


def compare(dft: pd.DataFrame, networks: pd.DataFrame, goal: float) -> pd.DataFrame:
    """The networks beside the DFT: property, unit, dft, median, lowest, highest over the seeds, deviation (of the
    median, relative to the DFT), and the `goal` for it."""
    by = networks.groupby("property", sort=False)["value"]
    table = dft.rename(columns={"value": "dft"})[["property", "unit", "dft"]]
    for name, of in (("median", by.median()), ("lowest", by.min()), ("highest", by.max())):
        table[name] = table["property"].map(of)
    return table.assign(deviation=table["median"] / table["dft"] - 1, goal=goal)


def run_at_zero_pressure(folder: Path, crystal: Crystal, settings: ThermalVolume) -> tuple[pd.DataFrame, list[Atoms]]:
    """A run of one network at the pressure 0 (`bpstudy.potential.md.run`): its table, and evenly spaced frames with the
    stress of the network. The first tenth is left out."""
    kept: list[Atoms] = []
    every = 10
    run_settings = Run(
        settings.steps, settings.timestep_fs, settings.temperature_kelvin, None, every, settings.seed, pressure_gpa=0.0
    )
    potential = Potential(folder, on_extrapolation="ignore")
    table = run(build_crystal(crystal), potential, run_settings, kept.append)
    start = len(kept) // 10
    frames = [atoms.copy() for atoms in kept[start:][even_frames(len(kept) - start, settings.frames)]]
    for atoms in frames:
        potential.calculate(atoms)
        atoms.calc = SinglePointCalculator(atoms, **potential.results)
    return table.iloc[start:], frames
