"""Tours that are being given: where each is, by a short code, so that a second window can follow. In memory only."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

MOST = 64  # tours; the one that was left the longest ago goes first


@dataclass(frozen=True)
class Given:
    """A tour and the place where it is.

    Attributes:
        at: the number of the step, from 0. began, since: when the tour, and this step, began, by the clock of this machine.
    """

    steps: Sequence[Any]
    at: int
    began: float
    since: float


_given: OrderedDict[str, Given] = OrderedDict()
_lock = threading.Lock()


def new_code() -> str:
    """A code that nobody guesses while a tour is given."""
    return secrets.token_hex(3)


def tell(code: str, steps: Sequence[Any], at: int) -> None:
    """A tour is at a step. Its first step sets the clock to nothing, unless it is shown already."""
    now = time.monotonic()
    with _lock:
        known = _given.pop(code, None)
        if known is None or tuple(known.steps) != tuple(steps) or (at == 0 and known.at != 0):
            known = Given(steps, at, now, now)
        _given[code] = known if known.at == at else replace(known, at=at, since=now)
        while len(_given) > MOST:
            _given.popitem(last=False)


def given(code: str) -> Given | None:
    """Where a tour is; None where none is given by this code."""
    with _lock:
        return _given.get(code)
