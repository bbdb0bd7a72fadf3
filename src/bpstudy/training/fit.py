"""The one entry to all optimizers."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpstudy.descriptors.features import Features
from bpstudy.network.model import AtomicNetwork
from bpstudy.training import adam, lbfgs, levenberg_marquardt
from bpstudy.training.forces import ForceData
from bpstudy.training.layers import direct_places
from bpstudy.training.objective import Objective
from bpstudy.training.result import Monitor, TrainingResult
from bpstudy.training.settings import TrainingSettings

Minimizer = Callable[[Objective, NDArray[np.float64], Monitor, TrainingSettings], str]
MINIMIZERS: dict[str, Minimizer] = {
    "levenberg-marquardt": levenberg_marquardt.minimize,
    "lbfgs": lbfgs.minimize,
    "adam": adam.minimize,
}


def train(
    network: AtomicNetwork,
    features: Features,
    energies_ev: ArrayLike,
    settings: TrainingSettings,
    validation: tuple[Features, ArrayLike] | None = None,
    forces: ForceData | None = None,
    validation_forces: ForceData | None = None,
    direct_decay: NDArray[np.float64] | None = None,
    stress: ForceData | None = None,
    validation_stress: ForceData | None = None,
) -> TrainingResult:
    """Fit `network`, in place, to the energies (n_frames,), eV, of frames of any size, and to forces and stress.

    `validation` is a pair like `features` and `energies_ev`. With forces, every MSE is that of the energies plus weight
    · spread² / F_scale² times that of the forces (`ForceData`), and likewise for the stress. The number of
    threads is the caller's to fix, see `set_threads`. Equal arguments and threads give equal bits on one machine.

    Args:
        direct_decay: decay of the weights of the direct layers, in the order of the flat vector, in the place of the
            settings' (`direct.start_at_ridge`).

    Raises:
        ModelMismatchError: features of other elements or other functions than the network's.
        ValueError: numbers that are not finite, or not one energy per frame.
        TrainingDivergedError: the error grew beyond all bounds; the network then keeps its weights.
    """
    decay = np.full(network.get_weights().size, settings.weight_decay)
    if direct_decay is not None:
        decay[direct_places(network)] = direct_decay
    objective = Objective(network, features, energies_ev, decay, forces, stress)
    held_out = None
    if validation is not None:
        held_out = Objective(network, *validation, forces=validation_forces, stress=validation_stress).mse_ev2
    monitor = Monitor(settings, held_out, lambda: objective.operations)
    reason = MINIMIZERS[settings.name](objective, network.get_weights(), monitor, settings)
    network.set_weights(monitor.best_weights)
    return monitor.result(reason)
