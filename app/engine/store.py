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
from functools import update_wrapper
from inspect import signature
from typing import Any, Generic, TypeVar

from multiflow_core.support.memory import machine_memory
from multiflow_core.support.threads import Progress

from .memory import Buffers, buffers, total

T = TypeVar("T")
Place = tuple["Room", Hashable]  # and key
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


class Room(Generic[T]):
    """Results of one kind by key: the most recently used ones, at most `capacity`, of at most `limit` bytes together."""

    def __init__(self, store: Store, capacity: int, limit: int | None):
        self._store, self.capacity, self.limit = store, capacity, limit
        self.kept: OrderedDict[Hashable, T] = OrderedDict()  # the least recently used first

    def __contains__(self, key: Hashable) -> bool:
        return key in self.kept

    def get(self, key: Hashable, make: Callable[[Progress], T], progress: Progress | None = None) -> T:
        """What is kept under the key, made by `make(report)` on the worker if it is not there.

        `progress(fraction, message)` is called about twenty times a second while waiting and may raise. An error
        raised by `make` is raised here, and not kept. Inside a job, `get` makes what is missing at once.
        """
        return self._store.get(self, key, make, progress)


class Kept(Generic[T]):
    """A function whose results are kept by its arguments. See `Store.keep`."""

    def __init__(self, room: Room[T], make: Callable[..., T]):
        self._room, self._make = room, make
        self._arguments = len(signature(make).parameters) - 1
        update_wrapper(self, make)

    def __call__(self, *given: Any) -> T:
        key, waiting = given[: self._arguments], given[self._arguments :]
        return self._room.get(key, lambda report: self._make(*key, report), *waiting)

    def holds(self, *key: Hashable) -> bool:
        """Whether the result for these arguments is at hand."""
        return key in self._room


class Store:
    """One worker, and rooms for what it makes.

    >>> store = Store()
    >>> @store.keep(2)
    ... def square(number: int, report: Progress) -> int:
    ...     return number * number
    >>> square(7), square.holds(7), square.holds(8)
    (49, True, False)

    Args:
        limit: bytes that all results take together; beyond, the least recently used go, but none of a room with a
            limit of its own, which keeps its last in any case.
    """

    def __init__(self, limit: int | None = None):
        self._limit = limit
        self._rooms: list[Room] = []
        self._large: OrderedDict[Place, None] = OrderedDict()  # of all rooms, the least recently used first
        self._jobs: dict[Place, _Job] = {}
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="multiflow")
        self._inside = threading.local()

    def room(self, capacity: int, limit: int | None = None) -> Room:
        """A new room."""
        self._rooms.append(Room(self, capacity, limit))
        return self._rooms[-1]

    def keep(self, capacity: int, limit: int | None = None) -> Callable[[Callable[..., T]], Kept[T]]:
        """Keep what a function makes, in a room of its own.

        The function's last argument is what it reports its progress to; who calls it may give a callback there that is told
        of it meanwhile, or leave that out.
        """
        return lambda make: Kept(self.room(capacity, limit), make)

    def get(self, room: Room[T], key: Hashable, make: Callable[[Progress], T], progress: Progress | None = None) -> T:
        """See `Room.get`."""
        report = getattr(self._inside, "report", None)
        if report is not None:
            return self._made(room, key, make, report)
        with self._lock:
            if key in room:
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
            for kept in (*(room.kept for room in self._rooms), self._large):
                kept.clear()

    def _run(self, job: _Job, room: Room, key: Hashable, make: Callable[[Progress], Any]) -> None:
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

    def _forget(self, job: _Job, room: Room, key: Hashable) -> None:
        if self._jobs.get((room, key)) is job:
            del self._jobs[room, key]

    def _made(self, room: Room[T], key: Hashable, make: Callable[[Progress], T], report: Progress) -> T:
        with self._lock:
            if key in room:
                return self._used(room, key)
        value = make(report)
        with self._lock:
            room.kept[key] = value
            self._used(room, key)
            while len(room.kept) > room.capacity:
                self._drop(room, next(iter(room.kept)))
            if total(buffers(value)) >= LARGE:
                self._large[room, key] = None
                self._fit()
        return value

    def _used(self, room: Room[T], key: Hashable) -> T:
        """What is kept there, now the most recently used."""
        room.kept.move_to_end(key)
        if (room, key) in self._large:
            self._large.move_to_end((room, key))
        return room.kept[key]

    def _drop(self, room: Room, key: Hashable) -> None:
        del room.kept[key]
        self._large.pop((room, key), None)

    def _fit(self) -> None:
        """Let go of what is beyond the limits. All that is large is measured anew: some results grow as they are used."""
        sizes = {(room, key): buffers(room.kept[key]) for room, key in self._large}
        for room in {room for room, _ in sizes if room.limit is not None}:
            members = {place: size for place, size in sizes.items() if place[0] is room}
            self._shrink(room.limit, members, list(members)[:-1])
        if self._limit is not None:
            self._shrink(self._limit, sizes, [place for place in list(sizes)[:-1] if place[0].limit is None])

    def _shrink(self, limit: int, sizes: Mapping[Place, Buffers], candidates: Iterable[Place]) -> None:
        for place in candidates:
            if total(*(size for p, size in sizes.items() if p in self._large)) <= limit:
                return
            self._drop(*place)


STORE = Store(limit=machine_memory() // 3)
