"""`compiled`: numba's jit as every kernel here uses it; and a kernel of general use."""

import logging
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

log = logging.getLogger(__name__)
# Sums may be reordered into SIMD lanes; the order is fixed when compiled, so results repeat. NaN never gets here.
_FLAGS = frozenset({"reassoc", "contract", "nsz", "arcp", "nnan"})


def compiled(function: Callable, fastmath: frozenset[str] = _FLAGS) -> Callable:
    """Compile without the GIL and keep the machine code on disk where a folder can be written.

    numba writes its cache files by atomic rename, so that jobs which start together do not harm each other. Where
    neither the package's folder nor the user's cache folder can be written, each process compiles anew (a few seconds):
    set NUMBA_CACHE_DIR.
    """
    # Python's error model tests each divisor for zero, so that no loop with a division runs in SIMD lanes.
    options: dict[str, Any] = {"nogil": True, "fastmath": set(fastmath), "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError as error:  # numba: "cannot cache function ...: no locator available"
        log.warning("no folder for compiled code, compiling anew in this process: %s", error)
        return numba.njit(**options)(function)


@compiled
def row_products(a, b):
    """a (n, m) times b (m, k), each row in the same way: how BLAS and einsum sum depends on the number of rows."""
    out = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for m in range(a.shape[1]):
            for k in range(b.shape[1]):
                out[i, k] += a[i, m] * b[m, k]
    return out
