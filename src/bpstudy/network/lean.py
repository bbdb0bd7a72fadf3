"""Keras without what it imports for wrappers and plots that are not used here."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

OPTIONAL = ("sklearn", "matplotlib")  # Keras does without them where they are not installed


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Packages that cannot be imported in the meantime, unless they have been: they would take a third of the time that
    `import keras` takes, in every job with a network."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: Python's way to say that there is none
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
