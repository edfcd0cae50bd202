"""What a class answers, collected by a short code that a link carries: numbers only, no names, in memory only."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable

MOST = 32  # classes; the one that was quiet the longest goes first
SEATS = 500  # answers to one question

_answers: OrderedDict[str, dict[int, dict[Hashable, float]]] = OrderedDict()
_lock = threading.Lock()


def give(code: str, step: int, who: Hashable, answer: float) -> None:
    """The answer of somebody in a class to the question of a step; the last one counts."""
    with _lock:
        held = _answers.setdefault(code, {})
        _answers.move_to_end(code)
        given = held.setdefault(step, {})
        if who in given or len(given) < SEATS:
            given[who] = answer
        while len(_answers) > MOST:
            _answers.popitem(last=False)


def given(code: str, step: int) -> list[tuple[float, int]]:
    """(answer, how many gave it), the most frequent first.

    >>> for who, answer in enumerate((3.0, 2.5, 3.0)): give("an example", 1, who, answer)
    >>> given("an example", 1), given("an example", 2)
    ([(3.0, 2), (2.5, 1)], [])
    """
    with _lock:
        counts = Counter(_answers.get(code, {}).get(step, {}).values())
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
