"""What is made while nobody waits: the rest of a page's strips, and what the reader is likely to ask for next.

A page says what it *would like*, step by step, and goes on at once. One thread does the steps, of all sessions in turn, as jobs
that give way to every page; so a page shows what there is, and looks again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from .lanes import Abandoned
from .store import STORE, Progress, Store

Step = Callable[[Progress], object]
Steps = Callable[[], Iterator[Step]]
PATIENCE = 60.0  # seconds for which a wish lives after the page was last seen
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Wish:
    """What a session would like to have, as long as its page is open.

    Attributes:
        about: tells it from other wishes. first: whether it goes before those that are not.
        over: whether nothing is left to do, or nothing more will be done; `stopped` where the reader wanted that.
        said: what is being done.
    """

    about: Hashable
    steps: Iterator[Step]
    first: bool = True
    over: bool = False
    stopped: bool = False
    said: str = ""
    seen: float = field(default_factory=time.monotonic)
    served: float = 0.0


class Dropped(BaseException):
    """Raised inside a step that nobody wants any more."""


class Spare:
    """Does the wishes of all sessions, a step of each in turn.

    >>> spare, done = Spare(Store()), []
    >>> wish = spare.want("me", "numbers", lambda: iter([lambda report: done.append(1), lambda report: done.append(2)]))
    >>> spare.settle(), done, wish.over
    (True, [1, 2], True)
    """

    def __init__(self, store: Store):
        self._store = store
        self._wishes: dict[tuple[Hashable, bool], Wish] = {}  # by whose they are, and whether they go first
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False

    def want(self, owner: Hashable, about: Hashable, steps: Steps, first: bool = True) -> Wish:
        """The wish of an owner: a new one in place of one about something else, the same where it is about the same."""
        with self._changed:
            known = self._wishes.get((owner, first))
            if known is None or known.about != about:
                known = self._wishes[owner, first] = Wish(about, steps(), first)
            known.seen = time.monotonic()
            self._start()
            self._changed.notify_all()
        return known

    def stop(self, wish: Wish) -> None:
        """No more steps of it, until it is to be gone on with."""
        with self._changed:
            wish.over = wish.stopped = True

    def resume(self, wish: Wish) -> None:
        """Go on with what was stopped."""
        with self._changed:
            wish.over = wish.stopped = False
            self._changed.notify_all()

    def drop_all(self, seconds: float = 60.0) -> bool:
        """Drop all wishes, and wait until the step that is being done has ended; whether it has."""
        with self._changed:
            self._wishes.clear()
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._busy, seconds)

    def settle(self, seconds: float = 60.0) -> bool:
        """Wait until all that is wanted is done; whether it is. For tests and measurements."""
        with self._changed:
            return self._changed.wait_for(lambda: all(wish.over for wish in self._wishes.values()), seconds)

    # --- the thread -------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="multiflow-spare", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        self._store.give_way()
        while True:
            with self._changed:
                self._busy = False
                while (wish := self._next()) is None:
                    self._changed.notify_all()
                    self._changed.wait()
                self._busy = True
            self._do(wish)

    def _next(self) -> Wish | None:
        """Of those that go first, or else of the others, the one that has waited longest for a step."""
        for key, wish in list(self._wishes.items()):
            if time.monotonic() - wish.seen > PATIENCE:
                del self._wishes[key]
        left = [wish for wish in self._wishes.values() if not wish.over]
        return min(left, key=lambda wish: (not wish.first, wish.served), default=None)

    def _do(self, wish: Wish) -> None:
        """One step. What goes wrong ends the wish; the page that needs it for itself says why."""

        def report(_: float, message: str) -> None:
            wish.said = message
            if wish.over or wish not in self._wishes.values():
                raise Dropped

        wish.served = time.monotonic()
        try:
            step = next(wish.steps, None)
            if step is None:
                wish.over = True
            else:
                with suppress(Dropped, Abandoned):
                    step(report)
        except Exception:
            log.exception("something that was to be made in spare time was not")
            wish.over = True


SPARE = Spare(STORE)
