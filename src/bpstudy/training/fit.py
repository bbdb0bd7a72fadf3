"""The one entry to all optimizers."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpstudy.network.model import AtomicNetwork
from bpstudy.training import adam, lbfgs, levenberg_marquardt
from bpstudy.training.forces import ForceData
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
    features: Mapping[str, ArrayLike],
    energies_ev: ArrayLike,
    settings: TrainingSettings,
    validation: tuple[Mapping[str, ArrayLike], ArrayLike] | None = None,
    forces: ForceData | None = None,
    validation_forces: ForceData | None = None,
) -> TrainingResult:
    """Fit `network`, in place, to cell energies (n_frames,) in eV, and to forces.

    `features` are raw, {element: (n_frames, n_atoms, n_functions)}; `validation` is a pair like the two. With forces,
    every MSE is that of the energies plus weight · var(E) / F_scale² times that of the forces (`ForceData`). The number
    of threads is the caller's to fix, see `set_threads`. Equal arguments and threads give equal bits on one machine.

    Raises:
        ModelMismatchError: features of other elements or another number of functions than the network's.
        ValueError: numbers that are not finite, or not one energy a frame.
        TrainingDivergedError: the error grew beyond all bounds; the network then keeps its weights.
    """
    objective = Objective(network, features, energies_ev, settings.weight_decay, forces)
    held_out = None if validation is None else Objective(network, *validation, forces=validation_forces).mse_ev2
    monitor = Monitor(settings, held_out)
    reason = MINIMIZERS[settings.name](objective, network.get_weights(), monitor, settings)
    network.set_weights(monitor.best_weights)
    return monitor.result(reason)
