"""Figures that remember the items they were worked out from, and how sure they are: a bootstrap over pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

RESAMPLES, LEVEL, SEED = 1000, 0.95, 0
AT_ONCE = 1 << 22  # numbers that are drawn at a time


def mean(sums: np.ndarray) -> np.ndarray:
    """What the rows have added up to by their number."""
    return sums[..., 0] / sums[..., 1]


class Figure(float):
    """A number that remembers what came of every item. Who wants the number has it.

    >>> right = Figure([1, 1, 0, 1])
    >>> right, right == 0.75, right.parts.tolist()
    (0.75, True, [[1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 1.0]])

    Args:
        parts: one value a row, of which the figure is the mean; or (rows, columns) whose sums `of` makes the figure of.
        pictures: the number of the picture that each row is about; left out where each is about another one.
        of: of((..., columns)) -> (...): the figure from the sums of the columns.
    """

    parts: np.ndarray
    pictures: np.ndarray
    of: Callable[[np.ndarray], np.ndarray]

    def __new__(
        cls,
        parts: Sequence[Any] | np.ndarray,
        pictures: Sequence[int] | np.ndarray | None = None,
        of: Callable[[np.ndarray], np.ndarray] = mean,
    ) -> Figure:
        rows = np.asarray(parts, dtype=np.float64)
        if rows.ndim == 1:
            rows = np.stack([rows, np.ones(len(rows))], axis=1)
        figure = super().__new__(cls, of(rows.sum(0)))
        figure.parts, figure.of = rows, of
        figure.pictures = np.arange(len(rows)) if pictures is None else np.asarray(pictures)
        return figure

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        """Copies and what goes to another process are plain numbers."""
        return float, (float(self),)

    def sums(self, pictures: np.ndarray) -> np.ndarray:
        """The sums of the columns over the rows of each of these pictures, (pictures, columns)."""
        found = np.zeros((len(pictures), self.parts.shape[1]))
        np.add.at(found, np.searchsorted(pictures, self.pictures), self.parts)
        return found


def intervals(figures: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """The middle 95 % of each figure over 1,000 samples of as many pictures, drawn with replacement; always the same ones.

    >>> intervals({"right": Figure([1, 1, 0, 1]), "known from elsewhere": 0.5})
    {'right': (0.25, 1.0)}

    Whole pictures are drawn, with all that was asked about them: questions about one picture stand and fall together, and
    taken one by one they would look surer than they are. All figures see the same samples. (Percentile interval: Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; clusters: Field and Welsh, Bootstrapping clustered data,
    JRSS B 69, 2007.) What the other pictures are for one of them, the gallery of a search or how rare a word is, stays. Where
    every item came out alike no sample differs, and the interval is that one value: it says nothing of what was never seen.
    """
    known = {name: figure for name, figure in figures.items() if isinstance(figure, Figure)}
    if not known:
        return {}
    pictures = np.unique(np.concatenate([figure.pictures for figure in known.values()]))
    sums = [figure.sums(pictures) for figure in known.values()]
    samples = _samples(np.concatenate(sums, axis=1))
    ends = np.cumsum([columns.shape[1] for columns in sums])[:-1]
    parts = np.split(samples, ends, axis=1)
    return {name: _middle(figure, part) for (name, figure), part in zip(known.items(), parts, strict=True)}


def _samples(sums: np.ndarray) -> np.ndarray:
    """The sums over each sample of as many pictures, (resamples, columns)."""
    count, draw = len(sums), np.random.default_rng(SEED)
    height, found = max(1, AT_ONCE // count), []
    for start in range(0, RESAMPLES, height):
        rows = min(height, RESAMPLES - start)
        drawn = draw.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        found.append(times.astype(np.float64) @ sums)
    return np.concatenate(found)


def _middle(figure: Figure, sums: np.ndarray) -> tuple[float, float]:
    """The percentiles, and never beside the figure itself; samples in which nothing of it was drawn say nothing."""
    with np.errstate(invalid="ignore"):
        values = figure.of(sums)
    low, high = np.nanpercentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return min(float(low), float(figure)), max(float(high), float(figure))
