"""Networks that start at ridge: a direct layer from the inputs to the output, beside hidden layers of zero output.

The start is the minimum of the loss over all linear models, so where validation frames choose the iterate, its error on
them is at most that of ridge.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpstudy.network.model import AtomicNetwork, numbers
from bpstudy.training.ridge import LinearModel


def start_at_ridge(network: AtomicNetwork, model: LinearModel) -> NDArray[np.float64]:
    """Give a network with direct layers the energies of `model`, in place.

    Returns:
        The decay of the direct layers' weights that stands for ridge's own penalty, for `train`.

    Raises:
        ValueError: the network has no direct layer, or its hidden layers contribute already.
    """
    scale, decays = network.energy_scale, []
    for element in network.labels:
        direct, output = network.direct(element), network.dense(element)[-1]
        if direct is None:
            raise ValueError(f"{element}: the network has no direct layer; build it with direct=True")
        kernel, bias = numbers(output)
        if kernel.any() or bias.any():
            raise ValueError(f"{element}: the output layer is not zero; start with a network that is not trained yet")
        factor, shift = network.standardise(element)
        slopes = model.coefficients[element] / factor  # of the standardised functions, eV
        # G = (z - shift) / factor
        constant = model.offsets_ev[element] - scale.offsets_ev[element] - shift @ slopes
        direct.set_weights([slopes[:, None] / scale.scale_ev])
        output.set_weights([kernel, np.array([constant / scale.scale_ev])])
        decays.append(model.penalty[element] * (scale.scale_ev * factor) ** 2)
    return np.concatenate(decays)
