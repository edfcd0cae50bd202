"""Choosing for a reader: what was measured that keeps what it must and costs no more than it may, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from multiflow_core.experiments.results import Results
from multiflow_core.experiments.speed import Measured, Speeds
from multiflow_core.models.units import NEURONS
from multiflow_core.sweeps.cell import DENSE
from multiflow_core.sweeps.table import Part
from multiflow_core.tasks.task import TASKS

from . import collapse, speed

ROUNDING = 1e-9  # of a quotient
WEIGHTS = "weights"
GOES = {NEURONS: "hidden units"}  # for people
TIMED = "retrieval"  # what models are timed at, where the most pictures are looked at together


@dataclass(frozen=True)
class Wish:
    """What a pruned model must keep, and what it may cost.

    Attributes:
        keep: the share of the dense model's figure that is to be left, of every task.
        tasks: by name. storage: at most this share of the dense file. seconds: for one mask; None: as long as it takes.
        faster: at least so many times as fast as the dense model. memory: at most this share of what it takes.
    """

    keep: float
    tasks: tuple[str, ...]
    storage: float = 1.0
    seconds: float | None = None
    faster: float = 1.0
    memory: float = 1.0


@dataclass(frozen=True)
class Offer:
    """A measured run: a method at a sparsity.

    Attributes:
        kept: {task: share of the dense figure}. sure: whether the lower ends of the intervals, too, keep what is wished.
        storage: share of the dense file. seconds: that one mask took; None where that was not measured.
        pattern: what goes: "weights", "2:4", "4:8" or "neurons". tuned: whether it was fine-tuned afterwards.
        faster: how many times as fast as the dense model; memory: of what that takes. None where that was not measured.
    """

    method: str
    sparsity: float
    kept: Mapping[str, float]
    sure: bool
    storage: float
    seconds: float | None
    pattern: str = WEIGHTS
    tuned: bool = False
    faster: float | None = None
    memory: float | None = None

    @property
    def least(self) -> float:
        return min(self.kept.values())

    def costs(self, wish: Wish) -> bool:
        """Whether it costs no more than it may; zeros among weights make nothing faster and take no less memory."""
        slow = wish.faster > 1.0 and (self.faster or 1.0) < wish.faster
        large = wish.memory < 1.0 and (self.memory or 1.0) > wish.memory
        return self.storage <= wish.storage and not slow and not large


@dataclass(frozen=True)
class Choice:
    """What is proposed.

    Attributes:
        best, second: the proposal, and the best of another method; None where there is none.
        fits: whether the proposal is all that was wished; where not it is what comes nearest.
        unmeasured: the methods of which nothing was measured. untimed: those of unknown time, which a limit leaves out.
    """

    best: Offer | None
    second: Offer | None
    fits: bool
    unmeasured: tuple[str, ...]
    untimed: tuple[str, ...] = ()


def choose(
    results: Results, wish: Wish, methods: Iterable[str], speeds: Speeds | None = None, tuned: Part | None = None
) -> Choice:
    """The smallest measured model that fits, of one size the one that keeps most; where none fits, what comes nearest.

    A run of which a wished task was not measured is none: nothing is guessed between two measured points.

    Args:
        speeds: patterns and smaller models, if they were timed. tuned: cells after fine-tuning, in place of those of `results`,
            if it is possible.
    """
    offers = list(_offers(results, wish) if tuned is None else _tuned(tuned, wish, results))
    offers += _timed(speeds, wish) if speeds and tuned is None else ()
    limited = [offer for offer in offers if wish.seconds is not None and offer.pattern == WEIGHTS]
    untimed = tuple(sorted({offer.method for offer in limited if offer.seconds is None}))
    offers = [offer for offer in offers if wish.seconds is None or (offer.seconds or 1e9) <= wish.seconds]
    small = [offer for offer in offers if offer.costs(wish)]
    fitting = [offer for offer in small if offer.least >= wish.keep - ROUNDING]
    if fitting:
        ranked = sorted(fitting, key=lambda offer: (offer.storage, -offer.least, offer.method))
    else:
        ranked = sorted(small, key=lambda offer: (-offer.least, offer.storage, offer.method))
    best = ranked[0] if ranked else None
    others = (offer for offer in ranked if (offer.method, offer.pattern) != (best.method, best.pattern))
    second = next(others, None) if best else None
    unmeasured = tuple(name for name in methods if name not in results.methods)
    return Choice(best, second, bool(fitting), unmeasured, untimed)


@dataclass(frozen=True)
class Gap:
    """Two measured sparsities of a method, of which it fits at the lower one alone."""

    method: str
    low: float
    high: float

    @property
    def middle(self) -> float:
        """A whole per cent in between.

        >>> Gap("omp", 0.5, 0.63).middle
        0.56
        """
        return round(50 * (self.low + self.high)) / 100


def gap(results: Results, choice: Choice) -> Gap | None:
    """Where the proposal might have gone further, had it been measured; None where there is nothing in between."""
    if not (choice.best and choice.fits) or choice.best.tuned or choice.best.pattern != WEIGHTS:
        return None
    best = choice.best
    known = (s for s in results.sparsities(best.method) if s > best.sparsity)
    upper = next((s for s in known if all(results.figure(best.method, t, s) is not None for t in best.kept)), None)
    found = Gap(best.method, best.sparsity, upper) if upper else None
    return found if found and best.sparsity < found.middle < upper else None


def _offers(results: Results, wish: Wish) -> Iterator[Offer]:
    """Measured runs of the result file."""

    def share(value: float | None, task: str) -> float | None:
        dense = results.dense_figure(task)
        return value / dense if dense and value is not None else None

    for method in results.methods:
        for at in results.sparsities(method):
            low = {task: results.interval(method, task, at) or (0.0, 0.0) for task in wish.tasks}
            kept = _all({task: share(results.figure(method, task, at), task) for task in wish.tasks})
            if kept:
                sure = _sure(wish, {task: share(low[task][0], task) for task in kept})
                yield Offer(method, at, kept, sure, collapse.storage(at), results.seconds(method))


def _timed(speeds: Speeds, wish: Wish) -> Iterator[Offer]:
    """Patterns and smaller models that were timed beside the dense one, made by this lab."""
    dense = speeds.models[0]

    def share(value: float | None, task: str) -> float | None:
        whole = dense.scores.get(task, {}).get(TASKS.get(task).figure)
        return value / whole if whole and value is not None else None

    for one in speeds.models[1:]:
        if one.pattern == WEIGHTS or speed.kind(one) == "peer":
            continue
        figures = {task: TASKS.get(task).figure for task in wish.tasks}
        kept = _all({task: share(one.scores.get(task, {}).get(figures[task]), task) for task in wish.tasks})
        if kept:
            low = {task: one.intervals.get(task, {}).get(figures[task], (0.0, 0.0))[0] for task in kept}
            yield Offer(
                str(speeds.head.get("method", "multiflow")),
                1 - one.share,
                kept,
                _sure(wish, {task: share(low[task], task) for task in kept}),
                _storage(one, dense),
                None,
                one.pattern,
                faster=_faster(one),
                memory=one.memory / dense.memory if one.memory and dense.memory else None,
            )


def _tuned(part: Part, wish: Wish, results: Results) -> Iterator[Offer]:
    """Cells after fine-tuning, held against the dense model after the same; of several figures of a task the worst counts."""

    def share(method: str, at: float, task: str) -> float | None:
        columns = [column for column in part.columns if column.task == task]
        pairs = [(part.spread(method, at, column), part.spread(DENSE, 0.0, column)) for column in columns]
        if not all(one and dense and dense.mean for one, dense in pairs):
            return None
        return min((one.mean / dense.mean for one, dense in pairs), default=None)

    for method in part.methods:
        for at in part.sparsities:
            if kept := _all({task: share(method, at, task) for task in wish.tasks}):
                yield Offer(method, at, kept, False, collapse.storage(at), results.seconds(method), tuned=True)


def _all(shares: Mapping[str, float | None]) -> Mapping[str, float]:
    """What is kept of every task; nothing where one of them was not measured."""
    return {} if None in shares.values() else shares


def _sure(wish: Wish, low: Mapping[str, float]) -> bool:
    """Whether the lower ends of the intervals, too, keep what is wished."""
    return min(low.values()) >= wish.keep - ROUNDING


def unasked(speeds: Speeds | None, tasks: Iterable[str]) -> tuple[str, ...]:
    """The tasks that smaller models were not asked to do, so that none of them can be proposed."""
    smaller = [one for one in speeds.models if one.pattern == NEURONS] if speeds else []
    return tuple(task for task in tasks if smaller and not any(task in one.scores for one in smaller))


def _storage(one: Measured, dense: Measured) -> float:
    """Share of the dense file: of zeros by the same arithmetic everywhere, so that patterns are ranked with single weights."""
    return one.file / dense.file if one.pattern == NEURONS else collapse.storage(1 - one.share)


def _faster(one: Measured) -> float | None:
    """Where the most pictures are looked at together."""
    sizes = one.faster.get(TIMED, {})
    return sizes[max(sizes)].seconds if sizes else None


def _tuned(part: Part, wish: Wish, results: Results) -> Iterator[Offer]:
    """Cells after fine-tuning, held against the dense model after the same; of several figures of a task the worst counts."""
    for method in part.methods:
        for sparsity in part.sparsities:
            kept = {}
            for task in wish.tasks:
                columns = [column for column in part.columns if column.task == task]
                found = [(part.spread(method, sparsity, c), part.spread(DENSE, 0.0, c)) for c in columns]
                if not found or any(one is None or dense is None or not dense.mean for one, dense in found):
                    break
                kept[task] = min(one.mean / dense.mean for one, dense in found)
            else:
                if kept:
                    seconds = results.seconds(method)
                    yield Offer(method, sparsity, kept, False, collapse.storage(sparsity), seconds, tuned=True)


def table(choice: Choice, titles: Mapping[str, str]) -> dict[str, list]:
    """Both as rows, task by task.

    >>> offer = Offer("omp", 0.5, {"vqa": 0.9}, True, 0.56, None)
    >>> rows = table(Choice(offer, None, True, ()), {"omp": "OMP"})
    >>> [rows[name][0] for name in ("method", "what goes", "pruned", "VQA kept", "file", "times as fast", "seconds")]
    ['OMP', 'weights', 0.5, 0.9, 0.56, None, None]
    """
    rows = [offer for offer in (choice.best, choice.second) if offer]
    tasks = list(rows[0].kept) if rows else []
    found: dict[str, list] = {
        "method": [titles.get(offer.method, offer.method) for offer in rows],
        "what goes": [GOES.get(offer.pattern, offer.pattern) for offer in rows],
        "pruned": [offer.sparsity for offer in rows],
    }
    found |= {f"{TASKS.get(task).title} kept": [offer.kept[task] for offer in rows] for task in tasks}
    found |= {"file": [offer.storage for offer in rows], "times as fast": [offer.faster for offer in rows]}
    return found | {"seconds": [offer.seconds for offer in rows]}
