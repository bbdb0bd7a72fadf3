"""Arrays of finite numbers in the expected shape."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def finite_features(features: ArrayLike, name: str) -> NDArray[np.float64]:
    """`features` as float64 (n_atoms, n_functions), one row per atom. Raises ValueError naming the first bad number."""
    values = np.ascontiguousarray(features, dtype=np.float64)
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"{name}: shape {values.shape}, expected a non-empty (n_atoms, n_functions)")
    _refuse_non_finite(values, name, ("row", "function"))
    return values


def finite_energies(energies_ev: ArrayLike, name: str) -> NDArray[np.float64]:
    """`energies_ev` as float64 (n_frames,), eV a cell. Raises ValueError, naming the first bad frame."""
    values = np.ascontiguousarray(energies_ev, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name}: shape {values.shape}, expected a non-empty (n_frames,)")
    _refuse_non_finite(values, name, ("frame",))
    return values


def _refuse_non_finite(values: NDArray[np.float64], name: str, axes: tuple[str, ...]) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        place = ", ".join(f"{axis} {index}" for axis, index in zip(axes, bad[0], strict=True))
        value = values[tuple(bad[0])]
        raise ValueError(
            f"{name}: {len(bad)} value(s) not finite, the first {value} at {place}; remove or recompute it"
        )
