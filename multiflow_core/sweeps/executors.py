"""Who does the jobs: processes of this machine, or the workers of a Dask cluster. Both are executors of Python's own kind."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any

LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class _Worker(SpawnProcess):
    """A process that does not run its parent's program again, as spawned ones do: that may be a page of the dashboard."""

    @staticmethod
    def _Popen(process: Any) -> Any:
        program = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return SpawnProcess._Popen(process)
        finally:
            sys.modules["__main__"] = program


class _Spawn(SpawnContext):
    Process = _Worker


def shared_out(cores: int, threads: int, jobs: int, workers: int = 0) -> int:
    """How many workers at once: as many as the cores give their threads to, and never more than there are jobs.

    >>> shared_out(16, 2, 100), shared_out(16, 2, 3), shared_out(1, 2, 5), shared_out(16, 2, 100, workers=4)
    (8, 3, 1, 4)
    """
    return max(1, min(workers or cores // threads, jobs))


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def processes(workers: int, threads: int) -> Iterator[Executor]:
    """So many processes of this machine, with so many threads each. However this ends, they end, too.

    >>> with processes(1, 1) as executor:
    ...     executor.submit(abs, -1).result()
    1
    """
    before = set(multiprocessing.active_children())
    held = {name: os.environ.get(name) for name in LIMITS}
    os.environ.update(dict.fromkeys(LIMITS, str(threads)))  # read when a process imports what computes
    try:
        pool = ProcessPoolExecutor(workers, _Spawn(), initializer=_begin)
        try:
            yield pool
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - before:
                process.terminate()
                process.join()
    finally:
        for name, value in held.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _begin() -> None:
    """A worker begins: its parent alone is told to stop, and it does not outlive it, not even one that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


@contextmanager
def dask(scheduler: str, threads: int) -> Iterator[Executor]:
    """The workers of a Dask cluster. A job whose worker is lost goes to another one; Dask sees to that.

    Raises:
        ValueError: `distributed` is not installed, there is no scheduler, or its workers lack the lab; the text is a sentence.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("a Dask cluster needs the package distributed: pip install distributed") from None
    try:
        client = Client(scheduler, timeout="15s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"there is no Dask scheduler at {scheduler} ({type(error).__name__})") from None
    with client:
        if not all(client.run(lambda: importlib.util.find_spec("multiflow_core") is not None).values()):
            raise ValueError(
                f"workers at {scheduler} do not find the lab: start them in its folder, by python -m distributed.cli.dask_worker "
                f"{scheduler} --nthreads 1"
            )
        executor = client.get_executor()
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)
