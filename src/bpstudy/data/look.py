"""A look at data before anything is fitted to them: what they contain, and what would spoil a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from ase import units as ase_units
from ase.data import atomic_numbers
from ase.formula import Formula

from bpstudy.config.datasets import Imported
from bpstudy.data.agreement import LEAST, MOST, ratio
from bpstudy.data.copies import copies, kind
from bpstudy.data.dataset import DataSet, table_of
from bpstudy.data.units import ENERGY_EV

OFFSET_EV = 0.5  # per atom, by which the energies of a file differ from those of the others
OUTLIER_EV, OUTLIER_SPREADS = 1.0, 20.0  # per atom, and in robust standard deviations
FORCE_RATIO = 100.0  # of a frame's or a file's RMS force and the median: another unit, or nonsense
LARGEST_FORCE = 300.0  # eV/Å, RMS; no structure of use has it
TOUCHING, STRETCHED = 0.5, 1.5  # shortest distance / sum of the covalent radii
LARGE = 100.0  # atoms of a frame / median
SHOWN = 6  # frames that a finding names


@dataclass(frozen=True)
class Finding:
    """Something about the data. `spoils`: a fit to them would be wrong."""

    spoils: bool
    text: str


@dataclass(frozen=True, eq=False)
class Look:
    """What a data set holds.

    Attributes:
        table: one row per frame: of `bpstudy.data.dataset.table_of`, residual_ev (energy per atom without the energies
            of its atoms), first_copy, first_alike (the same, with other axes).
        atomic_energies_ev: of each element, by least squares over the compositions.
    """

    table: pd.DataFrame
    atomic_energies_ev: dict[str, float]

    @cached_property
    def findings(self) -> list[Finding]:
        checks = (_copies, _energies, _forces, _work, _distances, _sizes, _periodicity)
        return [finding for check in checks for finding in check(self.table)]

    @property
    def wrong(self) -> list[str]:
        """What spoils a fit; periodic axes that differ are an error where the data are read."""
        checks = (_copies, _energies, _forces, _work, _distances)
        return [finding.text for check in checks for finding in check(self.table) if finding.spoils]

    @property
    def spoiled(self) -> bool:
        return any(finding.spoils for finding in self.findings)


def look(declared: Imported, folder: Path | None = None) -> Look:
    """Read the data, one frame in memory at a time.

    Raises:
        TrajectoryError: a frame that cannot be read, or without what each frame needs.
    """
    everything = declared.model_copy(update={"mixed_periodicity": True}) if declared.files else declared
    return look_at(*table_of(iter(DataSet(everything, folder or Path()))))


def look_at(table: pd.DataFrame, fingerprints: np.ndarray) -> Look:
    """What `bpstudy.data.dataset.table_of` says of frames, looked at."""
    atomic, residuals = atomic_energies(table["formula"].tolist(), table["energy_ev"].to_numpy())
    kinds = [kind(*of) for of in zip(table["formula"], table["pbc"], strict=True)]
    n_atoms = table["n_atoms"].to_numpy()
    found, turned = (copies(kinds, fingerprints, n_atoms, other_axes) for other_axes in (False, True))
    return Look(table.assign(residual_ev=residuals, first_copy=found, first_alike=turned), atomic)


def atomic_energies(formulas: Sequence[str], energies_ev: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """Energies of the atoms of each element, eV, by least squares over compositions; what is left per atom.

    minimises Σ_frames (E/N − Σ_el x_el ε_el)², x the mole fractions. Where compositions do not tell elements apart, the
    solution of least norm is taken.
    """
    counts = pd.DataFrame([dict(Formula(formula).count()) for formula in formulas]).fillna(0)
    n_atoms = counts.sum(axis=1).to_numpy()
    fractions = counts.to_numpy() / n_atoms[:, None]
    per_atom = energies_ev / n_atoms
    found = np.linalg.lstsq(fractions, per_atom, rcond=None)[0]
    by_element = dict(zip(map(str, counts.columns), found.tolist(), strict=True))
    elements = {symbol: by_element[symbol] for symbol in sorted(by_element, key=lambda symbol: atomic_numbers[symbol])}
    return elements, per_atom - fractions @ found


def _named(table: pd.DataFrame) -> str:
    """Frames as findings name them."""
    names = [
        f"{file}, frame {frame}" for file, frame in zip(table["file"][:SHOWN], table["frame"][:SHOWN], strict=True)
    ]
    return "; ".join(names) + (f"; and {len(table) - SHOWN} more" if len(table) > SHOWN else "")


def _copies(table: pd.DataFrame) -> list[Finding]:
    copied = table[table["first_copy"] != np.arange(len(table))]
    turned = table[(table["first_alike"] != np.arange(len(table))) & (table["first_copy"] == np.arange(len(table)))]
    found = []
    if not turned.empty:
        text = f"{len(turned)} frames are earlier ones with other axes, which functions do not tell apart: "
        found.append(Finding(False, text + _named(turned)))
    if copied.empty:
        return found
    originals = table.iloc[copied["first_copy"]]
    per_atom = (of["energy_ev"].to_numpy() / of["n_atoms"].to_numpy() for of in (copied, originals))
    apart = pd.Series(np.abs(np.subtract(*per_atom)), copied.index)
    found += [Finding(False, f"{len(copied)} frames are copies of earlier ones: {_named(copied)}")]
    if (apart > 1e-3).any():
        text = f"copies with other energies, by {apart.max():.3g} eV/atom at the most: {_named(copied[apart > 1e-3])}"
        found.append(Finding(True, text))
    return found


def _spread(values: pd.Series) -> float:
    """Robust standard deviation: 1.4826 times the median absolute deviation."""
    return float(1.4826 * (values - values.median()).abs().median())


def _energies(table: pd.DataFrame) -> list[Finding]:
    found = []
    centred = table["residual_ev"] - table.groupby("file")["residual_ev"].transform("median")
    spread = _spread(centred)
    by_file = table.groupby("file", sort=False)["residual_ev"].median()
    if len(by_file) > 1:
        axes = table.groupby("file", sort=False)["pbc"].agg(lambda pbc: pbc.mode()[0])
        for file, median in by_file.items():
            alike = by_file[axes == axes.loc[str(file)]].drop(file)  # molecules are not as bound as a crystal
            offset = median - alike.median()
            if abs(offset) > max(OFFSET_EV, 10 * spread):
                text = f"{file}: its energies are {offset:+.3g} eV/atom off those of the other files"
                found.append(Finding(True, text + "; energies of the atoms counted otherwise?"))
    far = table[centred.abs() > max(OUTLIER_EV, OUTLIER_SPREADS * spread)]
    if not far.empty and len(table) > 4:
        found.append(Finding(True, f"energies far from all others (eV/atom): {_named(far)}"))
    if len(table) > 2 and np.ptp(table["energy_ev"] / table["n_atoms"]) < 1e-9:
        found.append(Finding(True, "all energies per atom are equal: there is nothing to learn"))
    return found


def _forces(table: pd.DataFrame) -> list[Finding]:
    rms = table["force_rms_ev_per_angstrom"]
    if rms.isna().all():
        return [Finding(False, "no forces: energies alone can be fitted")]
    found = []
    moved = table[rms > 0]
    median = moved["force_rms_ev_per_angstrom"].median() if len(moved) else 0.0
    by_file = moved.groupby("file", sort=False)["force_rms_ev_per_angstrom"].median()
    for file, own in by_file.items():
        others = by_file.drop(file).median()
        if own > FORCE_RATIO * others:
            found.append(
                Finding(True, f"{file}: its forces are {own / others:.0f} times those of the others; their unit?")
            )
        elif own > LARGEST_FORCE:
            found.append(Finding(True, f"{file}: forces of {own:.3g} eV/Å RMS; another unit?"))
    far = moved[(moved["force_rms_ev_per_angstrom"] > FORCE_RATIO * median) & ~moved["file"].isin(_first_words(found))]
    if not far.empty:
        found.append(Finding(True, f"forces more than {FORCE_RATIO:g} times the median: {_named(far)}"))
    if len(moved) == 0:
        found.append(Finding(False, "all forces are zero"))
    return found


def _first_words(findings: Sequence[Finding]) -> list[str]:
    """Files that findings begin with."""
    return [finding.text.split(": ")[0] for finding in findings]


def _work(table: pd.DataFrame) -> list[Finding]:
    found = []
    named: set[str] = set()
    groups = [*table.groupby("file", sort=False), *table.groupby(["file", "n_atoms"], sort=False)]
    for key, rows in groups:  # of each size too: energies per atom are off by another factor for each
        file = key[0] if isinstance(key, tuple) else key
        forces, stress = (
            ratio(rows[change] / rows["n_atoms"], rows[work] / rows["n_atoms"])
            for change, work in (("change_ev", "work_ev"), ("strain_change_ev", "strain_work_ev"))
        )
        text = ""
        if forces is not None and not LEAST < forces < MOST:
            text = f"energies change by {forces:.3g} times the work of the forces; "
            text += _suspicion(forces, rows["n_atoms"].median())
        elif stress is not None and not LEAST < stress < MOST:
            text = f"energies change by {stress:.3g} times the work of the stress; another "
            text += "sign (a pressure, or VASP's)?" if stress < 0 else "unit?"
        if text and file not in named:
            named.add(file)
            found.append(Finding(True, f"{file}: {text}"))
    return found


def _suspicion(times: float, n_atoms: float) -> str:
    """What a ratio of energies to forces looks like."""
    if times < 0:
        return "do the forces have the wrong sign?"
    known = {
        1 / n_atoms: "are the energies per atom?",
        1 / ase_units.Bohr: "are positions in Bohr, or forces per Bohr?",
    }
    for unit, value in ENERGY_EV.items():
        if unit != "eV":
            known |= {1 / value: f"are the energies in {unit}?", value: f"are the forces in {unit}/Å?"}
            known |= {value / ase_units.Bohr: f"are the forces in {unit}/Bohr?"}
    nearest = min(known, key=lambda value: abs(np.log(times / value)))
    return known[nearest] if abs(np.log(times / nearest)) < 0.3 else "have both the same unit and sign?"


def _distances(table: pd.DataFrame) -> list[Finding]:
    found = []
    ratio = table["shortest_bond"]
    if (near := table[ratio < TOUCHING]).size:
        found.append(
            Finding(True, f"atoms closer than half a bond, {near['shortest_angstrom'].min():.3g} Å: {_named(near)}")
        )
    if ratio.median() > STRETCHED:
        text = f"shortest distances of {table['shortest_angstrom'].median():.3g} Å are long for these elements; Bohr?"
        found.append(Finding(False, text))
    bare = table[(table["alone"] == table["n_atoms"]) & (table["n_atoms"] > 0)]
    if not bare.empty:
        found.append(Finding(False, f"frames without neighbours within 6 Å, all functions are zero: {_named(bare)}"))
    some = table[(table["alone"] > 0) & (table["alone"] < table["n_atoms"])]
    if not some.empty:
        found.append(Finding(False, f"single atoms without neighbours within 6 Å: {_named(some)}"))
    return found


def _periodicity(table: pd.DataFrame) -> list[Finding]:
    counts = table["pbc"].value_counts()
    if len(counts) == 1:
        return []
    usual = counts.index[0]
    odd = table[table["pbc"] != usual]
    text = f"periodic axes differ: {counts.iloc[0]} frames are {usual}, not so {_named(odd)}"
    alike = odd["formula"].isin(table.loc[table["pbc"] == usual, "formula"])
    remedy = "; set `mixed_periodicity: true` if that is meant"
    return [Finding(bool(alike.any()), text + remedy)]


def _sizes(table: pd.DataFrame) -> list[Finding]:
    large = table[table["n_atoms"] > LARGE * table["n_atoms"].median()]
    if large.empty:
        return []
    return [Finding(False, f"frames of up to {large['n_atoms'].max()} atoms among small ones: {_named(large)}")]


def summary(of: Look) -> pd.DataFrame:
    """Least, median and greatest of what the frames hold: a row a quantity."""
    table = of.table.assign(energy_ev_per_atom=of.table["energy_ev"] / of.table["n_atoms"])
    columns = {
        "n_atoms": "atoms",
        "energy_ev_per_atom": "energy (eV/atom)",
        "residual_ev": "energy without that of the atoms (eV/atom)",
        "force_rms_ev_per_angstrom": "RMS force (eV/Å)",
        "force_max_ev_per_angstrom": "largest force (eV/Å)",
        "shortest_angstrom": "shortest distance (Å)",
    }
    rows = [(label, *table[column].quantile([0, 0.5, 1])) for column, label in columns.items()]
    return pd.DataFrame(rows, columns=["quantity", "least", "median", "greatest"])


def compositions(of: Look) -> pd.DataFrame:
    """Number of frames of each file, reduced formula and periodic axes."""
    reduced = of.table["formula"].map(lambda formula: str(Formula(formula).reduce()[0]))
    return (
        of.table.assign(composition=reduced)
        .groupby(["file", "composition", "pbc"], sort=False)
        .agg(frames=("frame", "size"), atoms_least=("n_atoms", "min"), atoms_greatest=("n_atoms", "max"))
        .reset_index()
    )
