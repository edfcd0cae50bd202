"""One worker for all heavy work, and a store for what it makes.

Sessions are threads that share two things: the processor and the dense model. So everything that takes longer than a
moment is a *job* on one worker thread, every job's result is kept under a key, and sessions that want the same key wait
for the same job. A waiting session keeps reporting progress, which is where Streamlit may interrupt it; a job that
nobody waits for any more is told to stop at its next report.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from .memory import Buffers, buffers, machine, total

T = TypeVar("T")
Place = tuple[str, Hashable]  # room and key
Progress = Callable[[float, str], None]
POLL = 0.05
LARGE = 1 << 20  # bytes; smaller results do not fill a machine


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

    Args:
        capacity: how many results each room keeps.
        limits: bytes that the results of a room take together; beyond, the least recently used go, all but the last.
        limit: bytes that all results take together; beyond, the least recently used go, but none of a room with a
            limit of its own.
    """

    def __init__(self, capacity: Mapping[str, int], limits: Mapping[str, int] | None = None, limit: int | None = None):
        self._capacity, self._limits, self._limit = capacity, limits or {}, limit
        # the least recently used first, in each room and of all large results
        self._rooms: dict[str, OrderedDict[Hashable, Any]] = {room: OrderedDict() for room in capacity}
        self._large: OrderedDict[Place, None] = OrderedDict()
        self._jobs: dict[Place, _Job] = {}
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="multiflow")
        self._inside = threading.local()

    def __contains__(self, place: Place) -> bool:
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
            if (room, key) in self:
                return self._used(room, key)
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
            for kept in (*self._rooms.values(), self._large):
                kept.clear()

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
            if (room, key) in self:
                return self._used(room, key)
        value = make(report)
        with self._lock:
            kept = self._rooms[room]
            kept[key] = value
            self._used(room, key)
            while len(kept) > self._capacity[room]:
                self._drop(room, next(iter(kept)))
            if total(buffers(value)) >= LARGE:
                self._large[room, key] = None
                self._fit()
        return value

    def _used(self, room: str, key: Hashable) -> Any:
        """What is kept there, now the most recently used."""
        self._rooms[room].move_to_end(key)
        if (room, key) in self._large:
            self._large.move_to_end((room, key))
        return self._rooms[room][key]

    def _drop(self, room: str, key: Hashable) -> None:
        del self._rooms[room][key]
        self._large.pop((room, key), None)

    def _fit(self) -> None:
        """Let go of what is beyond the limits. All that is large is measured anew: some results grow as they are used."""
        sizes = {(room, key): buffers(self._rooms[room][key]) for room, key in self._large}
        for room, limit in self._limits.items():
            members = {place: size for place, size in sizes.items() if place[0] == room}
            self._shrink(limit, members, list(members)[:-1])
        if self._limit is not None:
            self._shrink(self._limit, sizes, [place for place in list(sizes)[:-1] if place[0] not in self._limits])

    def _shrink(self, limit: int, sizes: Mapping[Place, Buffers], candidates: Iterable[Place]) -> None:
        for place in candidates:
            if total(*(size for p, size in sizes.items() if p in self._large)) <= limit:
                return
            self._drop(*place)


STORE = Store(
    {
        "models": 8, "work": 64, "statistics": 64, "orders": 12, "masks": 8, "pruned": 4, "overlaps": 32,
        "spreads": 6, "quantiles": 2, "paths": 16,
        "fates": 4096, "spots": 64, "miniatures": 64, "matrices": 6,
        "curves": 12, "profiles": 12, "layer profiles": 4096, "dead neurons": 24,
        "passing": 1,  # a model that only a ladder asks
        "gallery": 4, "image embeddings": 128, "caption embeddings": 128, "own embeddings": 4096, "answers": 4096,
    },
    limits={"models": machine() // 8},
    limit=machine() // 3,
)  # fmt: skip
