"""One worker for all heavy work, and a store for what it makes.

Sessions are threads that share two things: the processor and the dense model. So everything that takes longer than a
moment is a *job* on one worker thread, every job's result is kept under a key, and sessions that want the same key wait
for the same job. A waiting session keeps reporting progress, which is where Streamlit may interrupt it; a job that
nobody waits for any more is told to stop at its next report.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
Progress = Callable[[float, str], None]
POLL = 0.05


class Abandoned(BaseException):
    """Raised inside a job that nobody waits for any more."""


class _Job:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None
        self.state: tuple[float, str] = (0.0, "waiting for other work to finish")
        self.waiters = 0
        self.cancelled = False

    def report(self, fraction: float, message: str) -> None:
        if self.cancelled:
            raise Abandoned
        self.state = (fraction, message)


class Store:
    """Results by (room, key); a room keeps its `capacity` most recently used ones.

    >>> store = Store({"squares": 2})
    >>> store.get("squares", 7, lambda report: 49)
    49
    >>> ("squares", 7) in store
    True
    """

    def __init__(self, capacity: dict[str, int]):
        self._capacity = capacity
        self._rooms: dict[str, OrderedDict[Hashable, Any]] = {room: OrderedDict() for room in capacity}
        self._jobs: dict[tuple[str, Hashable], _Job] = {}
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="multiflow")
        self._inside = threading.local()

    def __contains__(self, place: tuple[str, Hashable]) -> bool:
        return place[1] in self._rooms[place[0]]

    def get(self, room: str, key: Hashable, make: Callable[[Progress], T], progress: Progress | None = None) -> T:
        """What is kept under the key, made by `make(report)` on the worker if it is not there.

        `progress(fraction, message)` is called about twenty times a second while waiting and may raise. An error
        raised by `make` is raised here, and not kept. Inside a job, `get` makes what is missing at once.
        """
        report = getattr(self._inside, "report", None)
        if report is not None:
            return self._made(room, key, make, report)
        with self._lock:
            if key in self._rooms[room]:
                self._rooms[room].move_to_end(key)
                return self._rooms[room][key]
            job = self._jobs.get((room, key))
            if job is None:
                job = self._jobs[room, key] = _Job()
                self._worker.submit(self._run, job, room, key, make)
            job.waiters += 1
        try:
            while not job.done.wait(POLL):
                if progress is not None:
                    progress(*job.state)
        finally:
            with self._lock:
                job.waiters -= 1
                if not job.waiters and not job.done.is_set():
                    job.cancelled = True
                    self._forget(job, room, key)
        if job.error is not None:
            raise job.error
        return job.value

    def clear(self) -> None:
        """Forget everything that is kept."""
        with self._lock:
            for room in self._rooms.values():
                room.clear()

    def _run(self, job: _Job, room: str, key: Hashable, make: Callable[[Progress], Any]) -> None:
        self._inside.report = job.report
        try:
            job.report(0.0, "starting")
            job.value = self._made(room, key, make, job.report)
        except BaseException as error:  # handed to whoever waits
            job.error = error
        finally:
            self._inside.report = None
            with self._lock:
                job.done.set()
                self._forget(job, room, key)

    def _forget(self, job: _Job, room: str, key: Hashable) -> None:
        if self._jobs.get((room, key)) is job:
            del self._jobs[room, key]

    def _made(self, room: str, key: Hashable, make: Callable[[Progress], T], report: Progress) -> T:
        with self._lock:
            if key in self._rooms[room]:
                self._rooms[room].move_to_end(key)
                return self._rooms[room][key]
        value = make(report)
        with self._lock:
            kept = self._rooms[room]
            kept[key] = value
            kept.move_to_end(key)
            while len(kept) > self._capacity[room]:
                kept.popitem(last=False)
        return value


STORE = Store(
    {
        "models": 2, "statistics": 4, "orders": 12, "masks": 8, "pruned": 4, "overlaps": 32,
        "spreads": 6, "quantiles": 2, "paths": 16,
        "fates": 4096, "spots": 64, "matrices": 6,
        "curves": 12, "profiles": 12, "layer profiles": 4096, "dead neurons": 24,
        "passing": 1,  # a model that only a ladder asks
        "gallery": 2, "image embeddings": 128, "caption embeddings": 128, "own embeddings": 4096, "answers": 4096,
    }
)  # fmt: skip
