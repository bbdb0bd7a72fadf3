"""Fixed numbers of threads: the order of floating-point sums, and so the last digits of a fit, depend on them."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf
from threadpoolctl import threadpool_limits


@contextmanager
def set_threads(threads: int) -> Iterator[None]:
    """Let TensorFlow and BLAS use `threads` threads; TensorFlow for the rest of the process, BLAS inside the context.

    Raises:
        ValueError: less than one thread.
        RuntimeError: TensorFlow already runs with another number, which it cannot change within a process.
    """
    if threads < 1:
        raise ValueError(f"threads: {threads}; at least 1 is needed")
    wanted = (threads, 1)
    config = tf.config.threading
    if (config.get_intra_op_parallelism_threads(), config.get_inter_op_parallelism_threads()) != wanted:
        try:
            config.set_intra_op_parallelism_threads(threads)
            config.set_inter_op_parallelism_threads(1)
        except RuntimeError as error:
            raise RuntimeError(
                f"threads: {threads} asked for, but TensorFlow already runs with another number; "
                "call set_threads before anything else uses TensorFlow, once a process"
            ) from error
    with threadpool_limits(threads):
        yield
