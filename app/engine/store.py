"""A store for what takes longer than a moment to make: every result is kept under a key, for all sessions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import update_wrapper
from inspect import signature
from typing import Any, Generic, TypeVar

from multiflow_core.support.memory import machine_memory
from multiflow_core.support.threads import Progress

from .lanes import Lanes
from .memory import Buffers, buffers, total

T = TypeVar("T")
Place = tuple["Room", Hashable]  # and key
LARGE = 1 << 20  # bytes; smaller results do not fill a machine
FAR = 4  # times what is held, as measured when it was made, and results are not measured anew: to walk through models takes time


class Room(Generic[T]):
    """Results of one kind by key: the most recently used ones, at most `capacity`, of at most `limit` bytes together."""

    def __init__(self, store: Store, capacity: int, limit: int | None, asks: bool):
        self._store, self.capacity, self.limit, self.asks = store, capacity, limit, asks
        self.kept: OrderedDict[Hashable, T] = OrderedDict()  # the least recently used first

    def __contains__(self, key: Hashable) -> bool:
        return key in self.kept

    def get(
        self, key: Hashable, make: Callable[[Progress], T], progress: Progress | None = None, long: bool = False
    ) -> T:
        """What is kept under the key, made by `make(report)` if it is not there, in the lane for what is `long` or the other.

        `progress(fraction, message)` is called about twenty times a second while waiting and may raise. An error
        raised by `make` is raised here, and not kept. Inside a job, `get` makes what is missing at once, but waits for
        another job that is at it, and leaves what is long to the lane for that.
        """
        return self._store.get(self, key, make, progress, long)

    def at_once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under the key, made here and now if it is not there: for what takes no time and little memory."""
        return self._store.at_once(self, key, make)


class Kept(Generic[T]):
    """A function whose results are kept by its arguments. See `Store.keep`."""

    def __init__(self, room: Room[T], make: Callable[..., T], long: Callable[..., bool]):
        self._room, self._make, self._long = room, make, long
        self._arguments = len(signature(make).parameters) - 1
        update_wrapper(self, make)

    def __call__(self, *given: Any) -> T:
        key, waiting = given[: self._arguments], given[self._arguments :]
        long = not self.holds(*key) and self._long(*key)
        return self._room.get(key, lambda report: self._make(*key, report), *waiting, long=long)

    def holds(self, *key: Hashable) -> bool:
        """Whether the result for these arguments is at hand."""
        return key in self._room


class Store:
    """Rooms for what jobs make.

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
        self._large: OrderedDict[Place, Buffers] = OrderedDict()  # of all rooms, the least recently used first
        self._lock = threading.Lock()
        self._lanes = Lanes()

    def room(self, capacity: int, limit: int | None = None, asks: bool = False) -> Room:
        """A new room; of what `asks` a model, which lets look-ups go first."""
        self._rooms.append(Room(self, capacity, limit, asks))
        return self._rooms[-1]

    def keep(
        self,
        capacity: int,
        limit: int | None = None,
        long: Callable[..., bool] = lambda *key: False,
        asks: bool = False,
    ) -> Callable[[Callable[..., T]], Kept[T]]:
        """Keep what a function makes, in a room of its own.

        The function's last argument is what it reports its progress to; who calls it may give a callback there that is told
        of it meanwhile, or leave that out. `long` says of the others whether it will take long; what `asks` a model lets
        look-ups go first.
        """
        return lambda make: Kept(self.room(capacity, limit, asks), make, long)

    def get(
        self, room: Room[T], key: Hashable, make: Callable[[Progress], T], progress: Progress | None, long: bool
    ) -> T:
        """See `Room.get`."""
        with self._lock:
            if key in room:
                return self._used(room, key)
        return self._lanes.get(
            (room, key), lambda report: self._made(room, key, make, report), progress, long, room.asks
        )

    def open(self) -> None:
        """A page begins on this thread: what it needs stands in line as from now."""
        self._lanes.open()

    def give_way(self) -> None:
        """Whatever this thread asks for from now on is made in spare time."""
        self._lanes.give_way()

    def at_once(self, room: Room[T], key: Hashable, make: Callable[[], T]) -> T:
        """See `Room.at_once`."""
        with self._lock:
            if key not in room:
                self._keep(room, key, make())
            return self._used(room, key)

    def clear(self) -> None:
        """Forget everything that is kept."""
        with self._lock:
            for kept in (*(room.kept for room in self._rooms), self._large):
                kept.clear()

    def _made(self, room: Room[T], key: Hashable, make: Callable[[Progress], T], report: Progress) -> T:
        with self._lock:
            if key in room:
                return self._used(room, key)
        value = make(report)
        size = buffers(value)
        with self._lock:
            self._keep(room, key, value)
            self._used(room, key)
            if total(size) >= LARGE:
                self._large[room, key] = size
                if room.limit is not None or self._near():
                    self._fit()
        return value

    def _keep(self, room: Room[T], key: Hashable, value: T) -> None:
        room.kept[key] = value
        while len(room.kept) > room.capacity:
            self._drop(room, next(iter(room.kept)))

    def _used(self, room: Room[T], key: Hashable) -> T:
        """What is kept there, now the most recently used."""
        room.kept.move_to_end(key)
        if (room, key) in self._large:
            self._large.move_to_end((room, key))
        return room.kept[key]

    def _drop(self, room: Room, key: Hashable) -> None:
        del room.kept[key]
        self._large.pop((room, key), None)

    def _near(self) -> bool:
        """Whether the limit may be reached, as some results grow while they are used."""
        return self._limit is not None and FAR * total(*self._large.values()) > self._limit

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
