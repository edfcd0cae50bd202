"""The ladder: what a model does at rising sparsities, and, to one per cent, where that first changes.

Every rung is a pruned model that is asked once and thrown away. What it says is kept, so a ladder that was left half-way goes on
where it stopped; it is climbed in spare time, from where the slider stands, and can be looked at before it is complete.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from multiflow_core.experiments.run import Run
from multiflow_core.models.vlm import Answer, Caption

from ..charts import Chart
from ..charts.rank_ladder import RankLadder
from ..charts.said_ladder import Rung, SaidLadder, flip
from ..engine import runs
from ..engine.spare import Step
from ..engine.store import STORE, Progress
from ..look.words import percent
from . import gallery, rankings, truth
from .gallery import Picture

T = TypeVar("T")
Climbed = tuple[tuple[float, T], ...]

RUNGS = (0, 10, 20, 30, 40, 50, 60, 70, 80, 90)  # per cent
FINEST = 1  # per cent between two neighbours where something changes
HALVINGS = 4  # that it takes at most to get there
_KEPT = STORE.room(512)  # ladders


def next_rung(found: Mapping[int, T], holds: Sequence[Callable[[T], bool]], near: float) -> int | None:
    """The per cent to ask at next: the dense model, every rung from `near` on, then, by halving, where each of `holds` first
    ceases to hold; None where nothing is left.

    >>> next_rung({}, [], 0.6), next_rung({0: "red"}, [], 0.62), next_rung({rung: "red" for rung in RUNGS}, [], 0.6)
    (0, 60, None)

    A change that is undone between two rungs is not seen: nothing says that an answer changes only once.
    """
    left = [rung for rung in RUNGS if rung not in found]
    if left:
        return min(left, key=lambda rung: (rung != 0, abs(rung - 100 * near)))
    return next(filter(None, (_between(found, hold) for hold in holds)), None)


def _between(found: Mapping[int, T], hold: Callable[[T], bool]) -> int | None:
    """The per cent half-way between the last rung at which it holds and the next one; None where these are neighbours."""
    change = flip([(rung, hold(found[rung])) for rung in sorted(found)])
    if change.first is None or change.first - change.last <= FINEST:
        return None
    return int(change.last + change.first) // 2


class Climb(Generic[T]):
    """What `ask(key, progress)` returned for runs of one order, and what is still to be asked.

    Attributes:
        holds: what to follow to the per cent where it ceases to hold; each must hold of the dense model.
        found: {per cent: what was said}. near: the sparsity to begin from.
    """

    def __init__(self, order: Run, ask: Callable[[Run, Progress], T], holds: Sequence[Callable[[T], bool]]):
        self.order, self.ask, self.holds = order, ask, holds
        self.found: dict[int, T] = {}
        self.near = 0.0

    @property
    def rungs(self) -> Climbed[T]:
        """What was found, by rising sparsity."""
        return tuple((rung / 100, said) for rung, said in sorted(self.found.items()))

    @property
    def complete(self) -> bool:
        return next_rung(self.found, self.holds, 0.0) is None

    @property
    def most(self) -> int:
        """How many rungs it can have."""
        return len(RUNGS) + HALVINGS * len(self.holds)

    def steps(self) -> Iterator[Step]:
        """One step a rung, as long as one is left."""
        while (rung := next_rung(self.found, self.holds, self.near)) is not None:
            yield partial(self._climb, rung)

    def _climb(self, rung: int, report: Progress) -> None:
        key = self.order.at(rung / 100) if rung else self.order.unpruned
        report(0.0, f"asking at {percent(rung / 100)}")
        with runs.passing(key):
            self.found[rung] = self.ask(key, report)


def climb(
    about: Hashable, order: Run, ask: Callable[[Run, Progress], T], holds: Sequence[Callable[[T], bool]]
) -> Climb[T]:
    """The ladder about something, with what was found of it before."""
    return _KEPT.at_once((order, about), lambda: Climb(order, ask, holds))


class Ladder(Generic[T]):
    """A ladder as a page shows it: what was climbed, and the chart of as much of it as there is.

    Attributes:
        near: where the slider stands.
    """

    def __init__(self, climbed: Climb[T], draw: Callable[[Climbed[T], bool], Chart], near: float):
        self.climbed, self._draw, self.near = climbed, draw, near

    @property
    def complete(self) -> bool:
        return self.climbed.complete

    def chart(self) -> Chart | None:
        """None before the dense model and one other were asked."""
        rungs = self.climbed.rungs
        return self._draw(rungs, self.complete) if len(rungs) > 1 and not rungs[0][0] else None


# --- what is asked --------------------------------------------------------------------------------------------------


def answers(key: Run, picture: Picture, question: str, dense: Answer, right: str | None) -> Ladder[Answer]:
    """What a model answers as it is pruned; `right` is the right answer, None where nobody knows it."""

    def ask(at: Run, told: Progress) -> Answer:
        return gallery.answer(at, picture, question, told)

    def rung(sparsity: float, answer: Answer) -> Rung:
        return Rung(sparsity, answer.text, truth.replied(answer, right, question, picture).true, answer.probability)

    def draw(found: Climbed[Answer], complete: bool) -> SaidLadder:
        return SaidLadder("answer", runs.title(key), tuple(rung(*pair) for pair in found), key.sparsity, complete)

    about = ("answers", picture.id, question)
    climbed = climb(about, key.order, ask, [lambda answer: answer.text == dense.text])
    return Ladder(climbed, draw, key.sparsity)


def captions(key: Run, picture: Picture, dense: Caption) -> Ladder[Caption]:
    """What a model says about a picture as it is pruned."""
    taught = truth.at_home(runs.vlm(key.model))

    def ask(at: Run, told: Progress) -> Caption:
        return gallery.caption(at, picture, told)

    def true(caption: Caption) -> bool | None:
        return truth.judged(caption, picture, taught).true

    def rung(sparsity: float, caption: Caption) -> Rung:
        return Rung(sparsity, caption.text, true(caption), math.prod(caption.probabilities))

    def draw(found: Climbed[Caption], complete: bool) -> SaidLadder:
        return SaidLadder("caption", runs.title(key), tuple(rung(*pair) for pair in found), key.sparsity, complete)

    about = ("captions", picture.id)
    holds = [lambda caption: caption.text == dense.text] + [true] * bool(true(dense))
    return Ladder(climb(about, key.order, ask, holds), draw, key.sparsity)


def ranks(
    key: Run,
    scores: Callable[[Run, Progress], list[float]],
    dense: list[float],
    sought: rankings.Sought,
    top: int,
    asked: Hashable,
) -> Ladder[list[float]]:
    """The places of what should be found, as the model is pruned; `scores` are those of everything that is ranked."""

    def best(found: list[float]) -> int:
        places = rankings.places(found)
        return min(places[i] for i in sought.wanted)

    def draw(found: Climbed[list[float]], complete: bool) -> RankLadder:
        places = [rankings.places(one) for _, one in found]
        lines = tuple((name, tuple(place[i] for place in places)) for name, i in zip(sought.names, sought.wanted))
        firsts, sparsities = tuple(best(one) for _, one in found), tuple(s for s, _ in found)
        total = len(places[0])
        return RankLadder(sought.good, runs.title(key), sparsities, firsts, lines, total, top, key.sparsity, complete)

    about = ("ranks", asked, sought.wanted)
    holds = [lambda found, n=n: best(found) <= n for n in (1, top) if best(dense) <= n]
    return Ladder(climb(about, key.order, scores, holds), draw, key.sparsity)
