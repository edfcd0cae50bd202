"""Histograms on a logarithmic axis: of one modality, block or layer, what is cut apart from what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TAIL = 0.004  # shares at either end that have no visible height


@dataclass(frozen=True)
class Histogram:
    """How many weights lie in each bin, int64 (bins,), that are cut and that are kept.

    `zeros` are those whose value is exactly 0, (cut, kept), which no bin holds; `threshold` is the value that parts them.
    """

    name: str
    modality: str
    cut: np.ndarray
    kept: np.ndarray
    zeros: tuple[int, int] = (0, 0)
    threshold: float | None = None

    @property
    def total(self) -> np.ndarray:
        return self.cut + self.kept

    @property
    def sparsity(self) -> float:
        """The share that is cut of all weights, zeros included."""
        cut, kept = (int(bins.sum()) + zero for bins, zero in zip((self.cut, self.kept), self.zeros, strict=True))
        return cut / max(cut + kept, 1)


def shown(counts: Sequence[np.ndarray]) -> tuple[int, int]:
    """The first bin, and the first one after the last, in which any of several histograms has a visible height.

    >>> shown([np.array([0, 1, 5000, 5000, 1, 0])])
    (2, 4)
    """
    shares = [np.cumsum(c) / c.sum() for c in counts if c.sum()]
    if not shares:
        return 0, 0
    return min(int(np.searchsorted(s, TAIL)) for s in shares), max(
        int(np.searchsorted(s, 1 - TAIL)) for s in shares
    ) + 1


def middles(edges: np.ndarray) -> np.ndarray:
    """The middle of every bin on a logarithmic axis.

    >>> middles(np.array([1.0, 100.0, 10000.0])).tolist()
    [10.0, 1000.0]
    """
    return np.sqrt(edges[:-1] * edges[1:])


def median(counts: np.ndarray, edges: np.ndarray) -> float:
    """The middle of the bin in which the median lies; 0 where there is nothing.

    >>> median(np.array([1, 5, 1]), np.array([1.0, 10.0, 1000.0, 2000.0]))
    100.0
    """
    if not counts.sum():
        return 0.0
    return float(middles(edges)[np.searchsorted(np.cumsum(counts), counts.sum() / 2)])
