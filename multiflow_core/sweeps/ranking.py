"""Who is first, and how surely: marks in the table, wins, ranks, and how far mean ranks must lie apart. Needs no torch.

Demsar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 2006: mean ranks over many cells, and Nemenyi's
critical difference between two of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import NamedTuple

from .table import Column, Part

LEVEL = 0.05


def shown(value: float, column: Column) -> str:
    """A figure as the table writes it: shares in per cent with one decimal, others with two.

    >>> shown(0.8974, Column("retrieval", "IR@1", "IR@1")), shown(1.949, Column("captioning", "CIDEr-D", "CIDEr", False))
    ('89.7', '1.95')
    """
    return f"{100 * value:.1f}" if column.share else f"{value:.2f}"


def marks(values: Mapping[str, float], column: Column) -> tuple[frozenset[str], frozenset[str]]:
    """Who is best and who is second best of a cell, as it is written: what reads alike is marked alike, and nothing is no place.

    >>> vqa = Column("vqa", "all", "VQA")
    >>> [sorted(names) for names in marks({"a": 0.90, "b": 0.9001, "c": 0.5, "d": 0.2}, vqa)]
    [['a', 'b'], ['c']]
    """
    texts = {name: float(shown(value, column)) for name, value in values.items()}
    steps = sorted({text for text in texts.values() if text > 0}, reverse=True)
    at = [frozenset(name for name, text in texts.items() if text == step) for step in steps[:2]]
    return (*at, *[frozenset()] * (2 - len(at)))


def ranks(values: Mapping[str, float]) -> dict[str, float]:
    """The places in a cell, 1 the highest; who is equal shares the mean of the places.

    >>> ranks({"a": 0.5, "b": 0.9, "c": 0.5, "d": 0.1})
    {'a': 2.5, 'b': 1.0, 'c': 2.5, 'd': 4.0}
    """
    ordered = sorted(values.values(), reverse=True)
    return {name: ordered.index(value) + (1 + ordered.count(value)) / 2 for name, value in values.items()}


class Win(NamedTuple):
    """A cell and who is first in it.

    `clear`: whether it lies outside of what is chance. `runner_up`: the best of the others; "" where there is none.
    """

    sparsity: float
    column: Column
    winners: tuple[str, ...]
    clear: bool
    runner_up: str = ""


def wins(part: Part) -> list[Win]:
    """Who is first in every cell that two methods or more were measured in.

    A win is inside the noise where several are first, or where the figure of either of the first two lies within the interval
    of the other: the one over samples of pictures, widened to all seeds.
    """
    found = []
    for sparsity, column in part.cells():
        spreads = {method: s for method in part.methods if (s := part.spread(method, sparsity, column))}
        if len(spreads) < 2:
            continue
        best, _ = marks({method: spread.mean for method, spread in spreads.items()}, column)
        if not best:  # nobody is able to anything
            continue
        first = max(spreads, key=lambda method: spreads[method].mean)
        second = max((m for m in spreads if m != first), key=lambda method: spreads[method].mean)
        a, b = spreads[first], spreads[second]
        near = a.low <= b.mean or b.high >= a.mean
        found.append(Win(sparsity, column, tuple(m for m in spreads if m in best), len(best) == 1 and not near, second))
    return found


@dataclass(frozen=True)
class Ranking:
    """Mean ranks over cells.

    Attributes:
        ranks: {method: mean rank}, best first. cells: over how many. difference: by how much two must differ to be told apart.
        left_out: methods that were not measured in all of them.
    """

    ranks: Mapping[str, float]
    cells: int
    difference: float
    left_out: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Methods in a row that cannot be told apart, the largest such groups.

        >>> Ranking({"a": 1.0, "b": 1.5, "c": 2.5, "d": 4.0}, 9, 1.2).groups
        (('a', 'b'), ('b', 'c'))
        """
        names, found = list(self.ranks), []
        for i, first in enumerate(names):
            group = tuple(n for n in names[i:] if self.ranks[n] - self.ranks[first] <= self.difference)
            if len(group) > 1 and not (found and set(group) <= set(found[-1])):
                found.append(group)
        return tuple(found)

    def apart(self, a: str, b: str) -> bool:
        """Whether two differ by more than chance would have it."""
        return abs(self.ranks[a] - self.ranks[b]) > self.difference


def ranking(part: Part) -> Ranking | None:
    """Mean ranks over the cells of the methods that were measured in as many as any; None for one method, or one cell."""
    found = {method: dict[tuple[float, Column], float]() for method in part.methods}
    for sparsity, column in part.cells():
        for method in found:
            if spread := part.spread(method, sparsity, column):
                found[method][sparsity, column] = float(shown(spread.mean, column))
    most = max(map(len, found.values()), default=0)
    ranked = [method for method in found if len(found[method]) == most]
    cells = [cell for cell in part.cells() if all(cell in found[method] for method in ranked)]
    if len(ranked) < 2 or len(cells) < 2:
        return None
    placed = [ranks({method: found[method][cell] for method in ranked}) for cell in cells]
    means = sorted(((m, fmean(places[m] for places in placed)) for m in ranked), key=lambda pair: pair[1])
    left_out = tuple(method for method in found if method not in ranked)
    return Ranking(dict(means), len(cells), critical_difference(len(ranked), len(cells)), left_out)


def critical_difference(methods: int, cells: int, level: float = LEVEL) -> float:
    """Nemenyi's: mean ranks that lie further apart differ by more than chance.

    >>> round(critical_difference(4, 14), 2)  # Demsar's own example
    1.25
    """
    return nemenyi(methods, level) * math.sqrt(methods * (methods + 1) / (6 * cells))


@lru_cache(maxsize=64)
def nemenyi(methods: int, level: float = LEVEL) -> float:
    """The quantile of the studentized range of so many normal numbers, over the root of two.

    >>> [round(nemenyi(k), 3) for k in (2, 5, 10)]  # table 5 of Demsar's paper has 1.960, 2.728, 3.164
    [1.96, 2.728, 3.164]
    """
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _range_below(middle, methods) < 1 - level else (low, middle)
    return low / math.sqrt(2)


def _range_below(width: float, count: int, steps: int = 400) -> float:
    """The probability that so many normal numbers lie within a width of one another: Simpson's rule over the highest of them."""
    ends = 8.0

    def density(z: float) -> float:
        inside = _below(z) - _below(z - width)
        return count * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * inside ** (count - 1)

    step = 2 * ends / steps
    weights = (1 if i in (0, steps) else 4 if i % 2 else 2 for i in range(steps + 1))
    return step / 3 * sum(weight * density(-ends + i * step) for i, weight in enumerate(weights))


def _below(z: float) -> float:
    return (1 + math.erf(z / math.sqrt(2))) / 2


def tally(found: Sequence[Win], methods: Sequence[str]) -> dict[str, tuple[int, int]]:
    """{method: (clear wins, wins inside the noise)}; who shares a win has one inside the noise.

    >>> vqa = Column("vqa", "all", "VQA")
    >>> tally([Win(0.63, vqa, ("a",), True), Win(0.75, vqa, ("a", "b"), False)], ["a", "b", "c"])
    {'a': (1, 1), 'b': (0, 1), 'c': (0, 0)}
    """
    return {
        method: (
            sum(win.clear and win.winners == (method,) for win in found),
            sum(not win.clear and method in win.winners for win in found),
        )
        for method in methods
    }
