"""Fits straight from `ase.Atoms`: networks and ridge for given functions, training and validation frames.

What the workflow does from files, in memory: for the selection of functions, and for use from Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from numpy.typing import NDArray

from bpstudy.descriptors.compute import FunctionSets, by_element, compute_features
from bpstudy.descriptors.gradients import force_set
from bpstudy.descriptors.strains import stress_set
from bpstudy.network.description import DESCRIPTION, MODEL, describe
from bpstudy.network.element import ElementNetwork, element_networks
from bpstudy.symmetry import SymmetryFunctions
from bpstudy.training.baselines import fit_ridge
from bpstudy.training.networks import Fit, FitSettings, check_sets, fit_network, fit_scalers
from bpstudy.training.ridge import LinearModel
from bpstudy.training.sets import TRAIN, VALIDATION, FrameSet
from bpstudy.training.settings import TrainingSettings
from bpstudy.training.threads import set_threads

Array = NDArray[np.float64]
RIDGE = "ridge"


@dataclass(frozen=True, eq=False)
class Prediction:
    """Of one model: energies (n_frames,), eV, and forces of each frame, (n_atoms, 3), eV/Å."""

    energies_ev: Array
    forces_ev_per_angstrom: list[Array]


@dataclass(frozen=True, eq=False)
class FrameFits:
    """Networks by seed, and ridge on the same functions, frames and loss.

    Attributes:
        functions: of each element's atoms.
        fits: {seed: `Fit`}.
        ridge: the linear model; its strength is chosen by contiguous folds of the training frames.
        training: functions, energies, forces and stress of the training frames.
        pbc: along which axes the training frames are periodic, each combination once.
    """

    functions: dict[str, SymmetryFunctions]
    fits: dict[int, Fit]
    ridge: LinearModel
    training: FrameSet
    pbc: list[tuple[bool, ...]]

    def predict(self, frames: Sequence[Atoms], threads: int = 1) -> dict[int | str, Prediction]:
        """Energies and forces by the network of each seed, and by "ridge".

        Raises:
            ValueError: an unusable frame, or an element that was not trained on.
        """
        models: dict[int | str, dict[str, ElementNetwork]] = {
            seed: element_networks(fit.network) for seed, fit in self.fits.items()
        }
        models[RIDGE] = {element: self.ridge.element_network(element) for element in self.functions}

        def one(number: int) -> dict[int | str, tuple[float, Array]]:
            try:
                return predict_frame(models, self.functions, frames[number])
            except ValueError as error:
                raise ValueError(f"frame {number}: {error}") from error

        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(one, range(len(frames))))
        return {
            name: Prediction(np.array([of[name][0] for of in found]), [of[name][1] for of in found]) for name in models
        }

    def save(self, seed: int, folder: str | Path) -> None:
        """Write the network of a seed as a potential (`bpstudy.potential.calculator.Potential`)."""
        self.fits[seed].network.save(Path(folder) / MODEL)
        describe(Path(folder) / DESCRIPTION, self.functions, self.training.features, "free", self.pbc)


def predict_frame(
    models: Mapping[int | str, Mapping[str, ElementNetwork]], functions: Mapping[str, SymmetryFunctions], atoms: Atoms
) -> dict[int | str, tuple[float, Array]]:
    """Energy (eV) and forces (eV/Å) of one frame by several models of the same functions."""
    symbols = np.array(atoms.get_chemical_symbols())
    shared: dict[SymmetryFunctions, list[str]] = {}
    for element in np.unique(symbols).tolist():
        if element not in functions:
            raise ValueError(f"{element} was not trained on; the models know {', '.join(functions)}")
        shared.setdefault(functions[element], []).append(element)
    energy = dict.fromkeys(models, 0.0)
    forces: dict[int | str, Array] = {name: np.zeros((len(atoms), 3)) for name in models}
    for of, elements in shared.items():
        near = of.neighbors(atoms)
        values = of.compute(atoms, near=near)
        for name, networks in models.items():
            slopes = np.zeros_like(values)
            for element in elements:
                own = symbols == element
                atomic, slopes[own] = networks[element].energies(values[own])
                energy[name] += float(atomic.sum())
            forces[name] += of.contract(atoms, slopes, near=near)[0]
    return {name: (energy[name], forces[name]) for name in models}


def frame_set(
    functions: FunctionSets,
    frames: Sequence[Atoms],
    components: int | None = None,
    with_forces: bool = True,
    threads: int = 1,
    seed: int = 0,
    with_stress: bool = False,
) -> FrameSet:
    """Functions, energies, forces and, of the frames that have one, stress of frames of any size and composition.

    Args:
        components: of the 3N forces of each frame, drawn at random with `seed`; None takes all.

    Raises:
        ValueError: a frame is unusable, has no energy, or no forces where they are asked for; its number is named.
    """
    features = compute_features(functions, frames, threads)
    energies = pd.DataFrame(
        {
            "frame": np.arange(len(frames)),
            "n_atoms": features.n_atoms,
            "energy_dft_ev": [_energy(atoms, number) for number, atoms in enumerate(frames)],
        }
    )
    forces = force_set(functions, frames, features, None, components, seed, threads) if with_forces else None
    stress = stress_set(functions, frames, features, None, threads) if with_stress else None
    return FrameSet(features, energies, forces, stress)


def fit_sets(
    functions: FunctionSets,
    training: FrameSet,
    validation: FrameSet | None,
    settings: FitSettings,
    seeds: Sequence[int] = (0,),
    threads: int = 1,
    pbc: Sequence[tuple[bool, ...]] = ((True, True, True),),
) -> FrameFits:
    """Fit ridge, and a network for each seed, to functions, energies and forces that are there already.

    Raises:
        ValueError: sets that no network can be fitted to (`networks.check_sets`), or dead functions alone.
    """
    sets = {TRAIN: training} | ({} if validation is None else {VALIDATION: validation})
    check_sets(sets)
    scalers = fit_scalers(training.features)
    with set_threads(threads):
        ridge = fit_ridge(training, settings.force_weight, settings.stress_weight)
        start = ridge if settings.direct else None
        fits = {seed: fit_network(settings, seed, scalers, sets, start) for seed in seeds}
    return FrameFits(by_element(functions, list(training.features.rows)), fits, ridge, training, list(pbc))


def fit_frames(
    functions: FunctionSets,
    training: Sequence[Atoms],
    validation: Sequence[Atoms] | None = None,
    *,
    hidden: Sequence[int] = (20, 20),
    seeds: Sequence[int] = (0,),
    force_weight: float = 1.0,
    components: int | None = 48,
    weight_decay: float | Sequence[float] = 1e-5,
    max_iterations: int = 25,
    patience: int = 10,
    activation: str = "tanh",
    direct: bool = True,
    threads: int = 1,
    stress_weight: float = 0.0,
) -> FrameFits:
    """Fit a network for each seed, and ridge, to frames of any size and composition with energies and forces.

    The loss is mean (ΔE / n_atoms)² / spread² + force_weight · mean ΔF² / mean F² + stress_weight · mean ΔW² / mean W²
    + weight_decay · |w|², W = −V σ / n_atoms, minimised by Levenberg-Marquardt; spread is that of the energies
    an atom after the atoms' energies (`EnergyScale`). With validation frames the iterate, and the weight decay, with
    the least loss on them are kept.

    Args:
        functions: of all atoms, or of each element's.
        training, validation: with an ASE calculator that holds energy (the free energy, where there is one) and forces.
        components: of the 3N forces of each frame that are fitted, drawn at random; None takes all.
        force_weight: 0 fits the energies alone and needs no forces.
        stress_weight: above 0 needs a stress (ASE's, eV/Å³) in some of the frames; the others count without.
        weight_decay: in units of the variance of the energies; of several the validation error chooses.
        direct: start at ridge (`training.direct`), so that the validation error is at most ridge's.

    Raises:
        ValueError: a frame is unusable or lacks energy or forces; a set that no network can be fitted to.
    """
    decays = tuple(np.atleast_1d(weight_decay).tolist())
    if len(decays) > 1 and validation is None:
        raise ValueError(f"weight_decay: {decays}; to choose among several, give validation frames")
    how = tuple(
        TrainingSettings(max_iterations=max_iterations, patience=patience, weight_decay=decay) for decay in decays
    )
    settings = FitSettings(tuple(hidden), how, force_weight, activation, direct, stress_weight=stress_weight)
    known, checked = (
        None
        if frames is None
        else frame_set(functions, frames, components, force_weight > 0, threads, with_stress=stress_weight > 0)
        for frames in (training, validation)
    )
    assert known is not None
    pbc = sorted({tuple(atoms.pbc.tolist()) for atoms in training})
    return fit_sets(functions, known, checked, settings, seeds, threads, pbc)


def _energy(atoms: Atoms, number: int) -> float:
    """The free energy, which forces belong to; without one, the potential energy."""
    try:
        results = atoms.calc.results if atoms.calc is not None else {}
        energy = results["free_energy"] if "free_energy" in results else atoms.get_potential_energy()
    except (RuntimeError, PropertyNotImplementedError):
        raise ValueError(f"frame {number} has no energy; each frame needs one, in eV") from None
    if not np.isfinite(energy):
        raise ValueError(f"frame {number}: its energy is {energy}; leave the frame out or compute it again")
    return float(energy)
