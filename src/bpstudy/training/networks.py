"""The network of one seed: fitted to the training frames, chosen on the validation frames, tested on all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bpstudy.config.experiments import Experiment, Optimizer
from bpstudy.descriptors.features import Features
from bpstudy.network.element import predict
from bpstudy.network.model import AtomicNetwork, build_network
from bpstudy.network.normalization import EnergyScale, Scaler
from bpstudy.training.direct import start_at_ridge
from bpstudy.training.fit import train
from bpstudy.training.result import TrainingResult
from bpstudy.training.ridge import LinearModel
from bpstudy.training.sets import TRAIN, VALIDATION, FrameSet, training_forces, training_stress
from bpstudy.training.settings import TrainingSettings


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted network, its history, and the weight decay that it was fitted with."""

    network: AtomicNetwork
    result: TrainingResult
    weight_decay: float


@dataclass(frozen=True)
class FitSettings:
    """How the networks are built and fitted.

    Attributes:
        hidden: neurons of the hidden layers.
        training: one for each weight decay among which the validation error chooses.
        force_weight: of the relative mean squared error of the forces in the loss; 0 where the energies count alone.
        activation: of the hidden layers.
        direct: whether a direct layer starts at ridge (`training.direct`).
        atomic_energies_ev: of each element, where they are given; None: by least squares over the compositions.
        stress_weight: of the relative mean squared error of the virials per atom in the loss; 0: not fitted.
    """

    hidden: tuple[int, ...]
    training: tuple[TrainingSettings, ...]
    force_weight: float = 0.0
    activation: str = "tanh"
    direct: bool = False
    atomic_energies_ev: Mapping[str, float] | None = None
    stress_weight: float = 0.0

    @classmethod
    def of(
        cls, experiment: Experiment, optimizer: Optimizer, atomic_energies_ev: Mapping[str, float] | None = None
    ) -> FitSettings:
        """As the configuration says."""
        shared = optimizer.model_dump(exclude={"weight_decay"})
        training = tuple(TrainingSettings(**shared, weight_decay=decay) for decay in optimizer.weight_decays)
        weight = experiment.forces.weight if experiment.forces else 0.0
        stress = experiment.stress.weight if experiment.stress else 0.0
        return cls(
            experiment.hidden, training, weight, experiment.activation, experiment.direct, atomic_energies_ev, stress
        )


def fit_scalers(features: Features) -> dict[str, Scaler]:
    """Mean and scale of each function, for the atoms of each element.

    Raises:
        ValueError: all functions of all elements are dead.
    """
    scalers = {element: Scaler.fit(of.values, features.labels[element]) for element, of in features.rows.items()}
    if all(scaler.dead.all() for scaler in scalers.values()):
        raise ValueError(
            f"all {sum(len(s.labels) for s in scalers.values())} functions are dead: they do not change from atom to "
            "atom and frame to frame of the training set, so nothing can be learned; give them a cutoff beyond the "
            "nearest neighbours, or frames that differ"
        )
    return scalers


def check_sets(sets: Mapping[str, FrameSet]) -> None:
    """Raises ValueError for sets that no network can be fitted to, or chosen on."""
    known = sets[TRAIN]
    if VALIDATION in sets:
        checked = sets[VALIDATION]
        if checked.features.n_frames < 2:
            raise ValueError(
                "validation: one frame says nothing of the error; give at least two, or leave the validation set out"
            )
        if known.forces is not None and checked.forces is None:
            raise ValueError(
                "validation: no forces, but those of the training frames are fitted; give validation frames with forces"
            )
        if known.stress is not None and checked.stress is None:
            raise ValueError(
                "validation: no stress, but that of the training frames is fitted; give validation frames with stress"
            )
    for name, of in sets.items():
        if foreign := sorted(set(of.features.rows) - set(known.features.rows)):
            raise ValueError(f"{name}: has {', '.join(foreign)}, which no training frame has; add such frames to train")


def fit_network(
    settings: FitSettings,
    seed: int,
    scalers: Mapping[str, Scaler],
    sets: Mapping[str, FrameSet],
    ridge: LinearModel | None = None,
) -> Fit:
    """The network of `seed`: of several weight decays, the one with the least validation error.

    Args:
        ridge: what networks with a direct layer start at, fitted with the same weights of forces and stress.
    """
    if settings.direct != (ridge is not None):
        raise ValueError(f"ridge: {'needed' if settings.direct else 'of no use'} where direct is {settings.direct}")
    known = sets[TRAIN]
    scale = EnergyScale.fit(known.energies_ev, known.features.counts(), settings.atomic_energies_ev)
    checked = sets.get(VALIDATION)
    validation = None if checked is None else (checked.features, checked.energies_ev)
    forces = training_forces(sets, settings.force_weight)
    stress = training_stress(sets, settings.stress_weight)
    fits = []
    for training in settings.training:
        network = build_network(
            scalers,
            scale,
            hidden=settings.hidden,
            activation=settings.activation,
            direct=settings.direct,
            seed=seed,
        )
        for of in sets.values():
            network.check_labels(of.features.labels)
        direct_decay = None if ridge is None else start_at_ridge(network, ridge)
        result = train(
            network,
            known.features,
            known.energies_ev,
            training,
            validation,
            forces.get(TRAIN),
            forces.get(VALIDATION),
            direct_decay,
            stress.get(TRAIN),
            stress.get(VALIDATION),
        )
        fits.append(Fit(network, result, training.weight_decay))
    if len(fits) == 1:
        return fits[0]
    return min(fits, key=lambda fit: fit.result.history["validation_mse_ev2"].min())


def predict_network(network: AtomicNetwork, of: FrameSet) -> dict[str, np.ndarray]:
    """Columns of the table of predictions."""
    energies, forces = predict(network, of.features, of.forces)
    columns = {"energy_nn_ev": energies}
    if forces is not None:
        columns["force_error_nn_ev_per_angstrom"] = of.force_errors(forces)
    if of.stress is not None:
        virials = predict(network, of.features, of.stress)[1]
        assert virials is not None
        columns["stress_error_nn_gpa"] = of.stress_errors(virials)
    return columns
