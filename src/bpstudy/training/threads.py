"""Fixed numbers of threads: the order of floating-point sums, and so the last digits of a fit, depend on them."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def set_threads(threads: int) -> Iterator[None]:
    """Let BLAS use `threads` threads inside the context.

    Raises:
        ValueError: less than one thread.
    """
    if threads < 1:
        raise ValueError(f"threads: {threads}; at least 1 is needed")
    with threadpool_limits(threads):
        yield
