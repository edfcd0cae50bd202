"""The ladder: what a model does at rising sparsities, and, to one per cent, where that first changes.

Every rung is a pruned model that is asked once and thrown away; what it says is kept, so a ladder that was left half-way
goes on where it stopped, and every rung is a job of its own, so that others are served in between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from multiflow_core.experiments.run import Run
from multiflow_core.models.vlm import Answer, Caption

from ..charts.rank_ladder import RankLadder
from ..charts.said_ladder import Rung, SaidLadder, flip
from ..engine import runs
from ..engine.store import Progress
from ..look.words import percent
from . import gallery, rankings, truth
from .gallery import Picture

T = TypeVar("T")
Climbed = tuple[tuple[float, T], ...]

RUNGS = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90)  # per cent
FINEST = 1  # per cent between two neighbours where something changes
HALVINGS = 4  # that it takes at most to get there


def by_halving(at: Callable[[float], T], holds: Sequence[Callable[[T], bool]]) -> Climbed[T]:
    """Ask at every rung, then where each of `holds` first ceases to hold, by halving, down to one per cent.

    >>> found = dict(by_halving(lambda s: "red" if s < 0.57 else "blue", [lambda said: said == "red"]))
    >>> [s for s in found if 0.5 < s < 0.6], found[0.56], found[0.57]
    ([0.55, 0.56, 0.57], 'red', 'blue')

    A change that is undone between two rungs is not seen: nothing says that an answer changes only once.
    """
    found = {rung: at(rung / 100) for rung in RUNGS}
    while middle := next(filter(None, (_between(found, hold) for hold in holds)), None):
        found[middle] = at(middle / 100)
    return tuple((rung / 100, found[rung]) for rung in sorted(found))


def _between(found: dict[int, T], hold: Callable[[T], bool]) -> int | None:
    """The per cent half-way between the last rung at which it holds and the next one; None where these are neighbours."""
    change = flip([(rung, hold(found[rung])) for rung in sorted(found)])
    if change.first is None or change.first - change.last <= FINEST:
        return None
    return int(change.last + change.first) // 2


def of(
    order: Run,
    ask: Callable[[Run, Progress], T],
    holds: Sequence[Callable[[T], bool]],
    progress: Progress,
) -> Climbed[T]:
    """What `ask(key, progress)` returns for the runs of an order, from the dense model on."""
    total, done = len(RUNGS) + HALVINGS * len(holds), 0

    def at(sparsity: float) -> T:
        nonlocal done
        key = order.at(sparsity) if sparsity else Run.dense(order.model, order.data)

        def told(fraction: float, message: str) -> None:
            progress(min(1.0, (done + fraction) / total), f"at {percent(sparsity)}: {message}")

        told(0.0, "asking")
        with runs.passing(key):
            said = ask(key, told)
        done += 1
        return said

    return by_halving(at, holds)


# --- what is asked --------------------------------------------------------------------------------------------------


def answers(key: Run, picture: Picture, question: str, right: str | None, progress: Progress) -> SaidLadder:
    """What a model answers as it is pruned; `right` is the right answer, None where nobody knows it."""
    dense = gallery.answer(Run.dense(key.model, key.data), picture, question, progress).text

    def ask(at: Run, told: Progress) -> Answer:
        return gallery.answer(at, picture, question, told)

    def rung(sparsity: float, answer: Answer) -> Rung:
        return Rung(sparsity, answer.text, truth.replied(answer, right, question, picture).true, answer.probability)

    found = of(key.order, ask, [lambda answer: answer.text == dense], progress)
    return SaidLadder("answer", runs.title(key), tuple(rung(*pair) for pair in found), key.sparsity)


def captions(key: Run, picture: Picture, progress: Progress) -> SaidLadder:
    """What a model says about a picture as it is pruned."""
    dense = gallery.caption(Run.dense(key.model, key.data), picture, progress)
    taught = truth.at_home(runs.vlm(key.model))

    def ask(at: Run, told: Progress) -> Caption:
        return gallery.caption(at, picture, told)

    def true(caption: Caption) -> bool | None:
        return truth.judged(caption, picture, taught).true

    def rung(sparsity: float, caption: Caption) -> Rung:
        return Rung(sparsity, caption.text, true(caption), math.prod(caption.probabilities))

    holds = [lambda caption: caption.text == dense.text] + [true] * bool(true(dense))
    found = of(key.order, ask, holds, progress)
    return SaidLadder("caption", runs.title(key), tuple(rung(*pair) for pair in found), key.sparsity)


def ranks(
    key: Run,
    scores: Callable[[Run, Progress], list[float]],
    sought: rankings.Sought,
    top: int,
    progress: Progress,
) -> RankLadder:
    """The places of what should be found, as the model is pruned; `scores` are those of everything that is ranked."""

    def best(found: list[float]) -> int:
        places = rankings.places(found)
        return min(places[i] for i in sought.wanted)

    dense = best(scores(Run.dense(key.model, key.data), progress))
    holds = [lambda found, n=n: best(found) <= n for n in (1, top) if dense <= n]
    found = of(key.order, scores, holds, progress)
    places = [rankings.places(one) for _, one in found]
    lines = tuple((name, tuple(place[i] for place in places)) for name, i in zip(sought.names, sought.wanted))
    firsts, sparsities = tuple(best(one) for _, one in found), tuple(s for s, _ in found)
    return RankLadder(sought.good, runs.title(key), sparsities, firsts, lines, len(places[0]), top, key.sparsity)
