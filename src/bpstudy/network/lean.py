"""Keras on its NumPy backend, without what it imports for layers, wrappers and plots that are not used here.

The networks are Keras models, but the fits do their arithmetic in NumPy: TensorFlow would take most of the start of
every job and do nothing. Keras' NumPy backend imports JAX, for convolutions and Fourier transforms alone.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

BACKEND = "numpy"
OPTIONAL = ("sklearn", "matplotlib", "tensorflow")  # Keras does without them where they are not installed
UNUSED = ("jax", "keras.src.backend.jax", "keras.src.backend.jax.math")  # without them it does not start


class _Unused(ModuleType):
    """A module that can be imported, and whose functions cannot be called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Unused(f"{self.__name__}.{name}")


@contextmanager
def replaced(*modules: ModuleType, absent: tuple[str, ...] = ()) -> Iterator[None]:
    """In the meantime, `modules` are imported in the place of those of their names, and those of the names `absent`
    cannot be; what has been imported before stays."""
    wanted: dict[str, Any] = {module.__name__: module for module in modules} | dict.fromkeys(absent)
    mine = {name: module for name, module in wanted.items() if name not in sys.modules}
    sys.modules.update(mine)  # None: Python's way to say that there is none
    try:
        yield
    finally:
        for name in mine:
            sys.modules.pop(name, None)


@contextmanager
def lean_keras() -> Iterator[None]:
    """`import keras` inside takes a third of the time it takes elsewhere."""
    os.environ["KERAS_BACKEND"] = BACKEND  # not a default: the others would take their time, or are not installed
    with replaced(*map(_Unused, UNUSED), absent=OPTIONAL):
        yield
