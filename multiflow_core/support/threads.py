"""Threads: as many as torch uses, and progress that may end the work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Progress = Callable[[float, str], None]
T = TypeVar("T")
R = TypeVar("R")
_RANDOM = threading.RLock()


@contextmanager
def own_random_state(devices: Sequence[int] = ()) -> Iterator[None]:
    """Inside, PyTorch's random numbers are this thread's alone; afterwards their state is what it was.

    >>> import torch
    >>> before = torch.get_rng_state()
    >>> with own_random_state():
    ...     drawn = torch.rand(2)
    >>> torch.equal(torch.get_rng_state(), before)
    True
    """
    import torch

    with _RANDOM, torch.random.fork_rng(devices=devices):
        yield


def parallel_map(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    threads: bool = True,
    progress: Progress | None = None,
    message: str = "",
) -> list[R]:
    """`[function(item) for item in items]` on as many threads as torch uses (NumPy's sorts release the GIL).

    >>> parallel_map(abs, [-1, 2])
    [1, 2]

    `progress` is called from the calling thread, so that whatever it raises (Streamlit's stop is a
    BaseException) ends the work at once.
    """
    import torch  # here, so that `Progress` can be had without it

    results: list[R] = []

    def collect(stream: Iterable[R]) -> list[R]:
        for result in stream:
            results.append(result)
            if progress is not None:
                progress(len(results) / len(items), message)
        return results

    own = torch.get_num_threads()
    workers = min(own, len(items))
    if not threads or workers <= 1:
        return collect(map(function, items))
    # one thread each: those that torch would start in every worker only wait for one another
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        return collect(pool.map(function, items))
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(own)  # what threads that begin later start with
