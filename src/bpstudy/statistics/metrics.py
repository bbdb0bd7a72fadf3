"""Error metrics of predicted cell energies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bpstudy.statistics.finite import finite_energies


@dataclass(frozen=True)
class Errors:
    """Errors on a set of frames; the field names give the units.

    `rmse_over_sd` is the RMSE per atom divided by the standard deviation of the reference energies per atom on the same
    frames (1: no better than predicting their mean), `r2` = 1 - rmse_over_sd². `bias_mev_per_atom` is the mean of
    predicted - reference.
    """

    n_frames: int
    mse_ev2: float
    rmse_mev_per_cell: float
    mae_mev_per_cell: float
    max_mev_per_cell: float
    rmse_mev_per_atom: float
    mae_mev_per_atom: float
    max_mev_per_atom: float
    bias_mev_per_atom: float
    rmse_over_sd: float
    r2: float


def rms(values: ArrayLike) -> float:
    """√(mean x²), in the unit given."""
    return float(np.sqrt(np.mean(np.square(values))))


def errors(reference_ev: ArrayLike, predicted_ev: ArrayLike, n_atoms: ArrayLike) -> Errors:
    """Errors of predicted against reference cell energies (n_frames,), eV, of cells of `n_atoms`, one for all or each.

    Raises:
        ValueError: lengths differ, a value is not finite, or the reference energies are all equal.
    """
    reference = finite_energies(reference_ev, "reference")
    predicted = finite_energies(predicted_ev, "predicted")
    if reference.size != predicted.size:
        raise ValueError(f"predicted: {predicted.size} energies for {reference.size} reference energies")
    atoms = np.broadcast_to(np.asarray(n_atoms, dtype=float), reference.shape)
    if atoms.min() < 1:
        raise ValueError(f"n_atoms: {atoms.min():g}; at least 1 is needed")
    spread = float((reference / atoms).std())
    if spread == 0:
        raise ValueError("reference: energies are all equal, so that R² is not defined; more frames are needed")
    residual = predicted - reference
    mse = float(np.mean(residual**2))
    size = 1000 * np.abs(residual)
    ratio = rms(residual / atoms) / spread
    return Errors(
        n_frames=reference.size,
        mse_ev2=mse,
        rmse_mev_per_cell=1000 * mse**0.5,
        mae_mev_per_cell=float(size.mean()),
        max_mev_per_cell=float(size.max()),
        rmse_mev_per_atom=rms(size / atoms),
        mae_mev_per_atom=float((size / atoms).mean()),
        max_mev_per_atom=float((size / atoms).max()),
        bias_mev_per_atom=1000 * float((residual / atoms).mean()),
        rmse_over_sd=ratio,
        r2=1 - ratio**2,
    )
