"""Applications of a potential: molecular dynamics in NVE and NVT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms

from bpstudy.config.analysis import PotentialRuns
from bpstudy.config.checks import Thermal
from bpstudy.potential.calculator import Potential
from bpstudy.potential.md import BrokenRunError, Run, drift, run, supercell
from bpstudy.thermal.rdf import radial_distribution
from bpstudy.thermal.reference import check_reference
from bpstudy.thermal.transport import motion

DFT, NETWORK = "DFT", "network"
CELL, SUPERCELL, BATH = "NVE", "NVE, supercell", "NVT"
ROWS = 1000  # at most, of the energies kept of each run
LEAST_ROWS = 3  # for a slope of the energy
BROKEN_EV = 0.01  # of the total energy per atom; a third of k_B T at 300 K: the temperature means nothing from then on
HOT = 3.0  # times the temperature at the start or of the bath: the structure falls apart, its energy conserved or not


@dataclass(frozen=True, eq=False)
class Results:
    """Result tables of the runs.

    Attributes:
        energies: run, atoms, broke, and the columns of `bpstudy.potential.md.run`.
        summary: one row per run: drift of the total energy and RMS deviation from it (NaN for NVT), temperature, speed,
            extrapolations, and the time at which it broke (NaN if it did not): atoms lie on one another, or in NVE the
            total energy is off by more than `BROKEN_EV` an atom, or the temperature above `HOT` times that at the
            start. Rows from then on are left out.
        rdf: g(r) of `source` DFT and network, the latter in NVT.
        motion: velocity autocorrelation and mean square displacement of the two.
    """

    energies: pd.DataFrame
    summary: pd.DataFrame
    rdf: pd.DataFrame
    motion: pd.DataFrame


def all_runs(
    potential: Potential, reference: Sequence[Atoms], step_fs: float, settings: PotentialRuns, thermal: Thermal
) -> Results:
    """Run the potential from the last frame of a DFT trajectory, and compare with the trajectory.

    Args:
        reference: frames of the DFT, `step_fs` apart, after equilibration.
        thermal: settings of g(r).

    Raises:
        ValueError: see `check_reference`; or a structure for which the potential was not made.
    """
    check_reference(reference, step_fs, settings)
    energies, summary = [], []
    bath: list[Atoms] = []
    for name, repeat, steps, friction in (
        (CELL, (1, 1, 1), settings.nve_steps, None),
        (SUPERCELL, settings.supercell, settings.supercell_steps, None),
        (BATH, (1, 1, 1), settings.nvt_steps, settings.friction_per_fs),
    ):
        atoms = supercell(reference[-1].copy(), repeat)
        every = 1 if name == BATH else max(1, steps // ROWS)
        asked = Run(steps, settings.timestep_fs, settings.temperature_kelvin, friction, every, settings.seed)
        before = potential.extrapolations
        table, broke_fs = whole_or_broken(atoms, potential, asked, bath.append if name == BATH else None)
        slope, scatter = drift(table, len(atoms)) if friction is None else (np.nan, np.nan)
        row = {"run": name, "atoms": len(atoms), "steps": steps, "timestep_fs": settings.timestep_fs}
        row |= {"drift_mev_per_atom_per_ps": slope, "rms_about_it_mev_per_atom": scatter}
        row |= {"temperature_kelvin": table["temperature_kelvin"].mean()}
        row |= {"atom_steps_per_second": len(atoms) * table["step"].iloc[-1] / table["seconds"].iloc[-1]}
        row |= {"broke_after_fs": broke_fs}
        summary.append(row | {"extrapolations": potential.extrapolations - before})
        kept = table.iloc[:: max(1, len(table) // ROWS)]
        energies.append(kept.assign(run=name, atoms=len(atoms), broke=not np.isnan(broke_fs)))
    sources = {DFT: (reference, step_fs), NETWORK: (bath, settings.timestep_fs)}
    shells = [
        radial_distribution(
            frames[:: max(1, len(frames) // thermal.rdf_frames)],
            thermal.rdf_cutoff_angstrom,
            thermal.rdf_bin_angstrom,
        ).assign(source=name)
        for name, (frames, _) in sources.items()
    ]
    moved = [motion(frames, step, settings.longest_fs).assign(source=name) for name, (frames, step) in sources.items()]
    return Results(pd.concat(energies), pd.DataFrame(summary), pd.concat(shells), pd.concat(moved))


def whole_or_broken(
    atoms: Atoms, potential: Potential, settings: Run, keep: Callable[[Atoms], None] | None
) -> tuple[pd.DataFrame, float]:
    """The table of a run up to where it broke, and when that was, fs; NaN for a whole one."""
    broke_fs = np.nan
    try:
        table = run(atoms, potential, settings, keep)
    except BrokenRunError as error:
        if settings.friction_per_fs is not None or len(error.table) < LEAST_ROWS:
            raise
        table, broke_fs = error.table, float(error.table["time_fs"].iloc[-1])
    if settings.friction_per_fs is None:
        kelvin = table["temperature_kelvin"]
        off = (table["total_ev"] - table["total_ev"].iloc[0]).abs() > BROKEN_EV * len(atoms)
        off |= kelvin > HOT * max(kelvin.iloc[0], settings.temperature_kelvin)
        if off.any():
            whole = max(int(off.to_numpy().argmax()), LEAST_ROWS)
            table, broke_fs = table.iloc[:whole], float(table["time_fs"].iloc[whole])
    return table, broke_fs
