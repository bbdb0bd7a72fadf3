"""Work that threads share; compiled loops release the GIL."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def in_threads(threads: int, work: Callable[[Any], Any], parts: Sequence[Any]) -> Iterator[Any]:
    """`work` of each part, in order, each in a thread of its own where there are several."""
    if len(parts) == 1:
        yield work(parts[0])
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, parts)
