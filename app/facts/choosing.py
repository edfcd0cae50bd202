"""Choosing for a reader: what was measured that keeps what it must and costs no more than it may, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from multiflow_core.experiments.results import Results
from multiflow_core.tasks.task import TASKS

from . import collapse

ROUNDING = 1e-9  # of a quotient


@dataclass(frozen=True)
class Wish:
    """What a pruned model must keep, and what it may cost.

    Attributes:
        keep: the share of the dense model's figure that is to be left, of every task.
        tasks: by name. storage: at most this share of the dense file. seconds: for one mask; None: as long as it takes.
    """

    keep: float
    tasks: tuple[str, ...]
    storage: float = 1.0
    seconds: float | None = None


@dataclass(frozen=True)
class Offer:
    """A measured run: a method at a sparsity.

    Attributes:
        kept: {task: share of the dense figure}. sure: whether the lower ends of the intervals, too, keep what is wished.
        storage: share of the dense file. seconds: that one mask took; None where that was not measured.
    """

    method: str
    sparsity: float
    kept: Mapping[str, float]
    sure: bool
    storage: float
    seconds: float | None

    @property
    def least(self) -> float:
        return min(self.kept.values())


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


def choose(results: Results, wish: Wish, methods: Iterable[str]) -> Choice:
    """The sparsest measured run that fits, of one sparsity the one that keeps most; where none fits, what comes nearest.

    A run of which a wished task was not measured is none: nothing is guessed between two measured points.
    """
    offers = list(_offers(results, wish))
    untimed = tuple(sorted({offer.method for offer in offers if wish.seconds is not None and offer.seconds is None}))
    offers = [offer for offer in offers if wish.seconds is None or (offer.seconds or 1e9) <= wish.seconds]
    small = [offer for offer in offers if offer.storage <= wish.storage]
    fitting = [offer for offer in small if offer.least >= wish.keep - ROUNDING]
    if fitting:
        ranked = sorted(fitting, key=lambda offer: (-offer.sparsity, -offer.least, offer.method))
    else:
        ranked = sorted(small, key=lambda offer: (-offer.least, -offer.sparsity, offer.method))
    best = ranked[0] if ranked else None
    second = next((offer for offer in ranked if offer.method != best.method), None) if best else None
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
    if not (choice.best and choice.fits):
        return None
    best = choice.best
    known = (s for s in results.sparsities(best.method) if s > best.sparsity)
    upper = next((s for s in known if all(results.figure(best.method, t, s) is not None for t in best.kept)), None)
    found = Gap(best.method, best.sparsity, upper) if upper else None
    return found if found and best.sparsity < found.middle < upper else None


def _offers(results: Results, wish: Wish) -> Iterator[Offer]:
    for method in results.methods:
        for sparsity in results.sparsities(method):
            kept, low = {}, {}
            for task in wish.tasks:
                dense, found = results.dense_figure(task), results.figure(method, task, sparsity)
                if not dense or found is None:
                    break
                kept[task] = found / dense
                sure = results.interval(method, task, sparsity)
                low[task] = sure[0] / dense if sure else 0.0
            else:
                if kept:
                    sure = min(low.values()) >= wish.keep - ROUNDING
                    yield Offer(method, sparsity, kept, sure, collapse.storage(sparsity), results.seconds(method))


def table(choice: Choice, titles: Mapping[str, str]) -> dict[str, list]:
    """Both as rows, task by task.

    >>> offer = Offer("omp", 0.5, {"vqa": 0.9}, True, 0.56, None)
    >>> table(Choice(offer, None, True, ()), {"omp": "OMP"})
    {'method': ['OMP'], 'pruned': [0.5], 'VQA kept': [0.9], 'file': [0.56], 'seconds': [None]}
    """
    rows = [offer for offer in (choice.best, choice.second) if offer]
    tasks = list(rows[0].kept) if rows else []
    found: dict[str, list] = {
        "method": [titles.get(offer.method, offer.method) for offer in rows],
        "pruned": [offer.sparsity for offer in rows],
    }
    found |= {f"{TASKS.get(task).title} kept": [offer.kept[task] for offer in rows] for task in tasks}
    found |= {"file": [offer.storage for offer in rows]}
    return found | {"seconds": [offer.seconds for offer in rows]}
