"""Exact counts: a sparsity becomes so many weights, so many of each group, and the lowest so many of a layer."""

from __future__ import annotations

import heapq
import math
import numbers
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from .merging import Binned, Merged, halves, ordered_bits

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 101  # the sparsities 0, 0.01, ... 1, at which orders keep tables and a slider stops
_SAMPLE = 1 << 14
_CELL = 13  # bits of a float32 that a cell of `steps_survived` does not look at
_RANKED = 1 << 17  # fewer values are ranked sooner than counted


def shares(k: int, sizes: Sequence[int]) -> list[int]:
    """How many of the k first slots come from each group when all are ordered by (rank + 1/2) / size.

    >>> shares(5, [8, 2])
    [4, 1]
    >>> [shares(k, [2, 2]) for k in range(5)]
    [[0, 0], [1, 0], [1, 1], [2, 1], [2, 2]]

    Equal keys: the earlier group first. Exact (whole numbers only), sums to k, never shrinks as k grows.
    """
    total = sum(sizes)
    if k in (0, total):
        return [0] * len(sizes) if k == 0 else list(sizes)
    # every slot with a key up to k / total, which is at most half a slot per group off
    counts = [min(size, (2 * k * size + total) // (2 * total)) for size in sizes]
    missing = k - sum(counts)
    step = 1 if missing > 0 else -1

    def entry(group: int) -> tuple[Fraction, int] | None:
        slot = counts[group] if step > 0 else counts[group] - 1  # the next to come, or the last to go
        if not 0 <= slot < sizes[group]:
            return None
        return step * Fraction(2 * slot + 1, 2 * sizes[group]), step * group

    heap = [e for group in range(len(sizes)) if missing and (e := entry(group)) is not None]
    heapq.heapify(heap)
    for _ in range(abs(missing)):
        group = step * heap[0][1]
        counts[group] += step
        following = entry(group)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, following)
    return counts


def interleaved(slots: np.ndarray, group: int, sizes: Sequence[int]) -> np.ndarray:
    """Where slots (their positions inside a group) come in the order that `shares` counts in: int64.

    >>> interleaved(np.arange(2), 1, [2, 2]).tolist()
    [1, 3]
    """
    position = slots.astype(np.int64)
    doubled = 2 * position + 1
    for other, size in enumerate(sizes):
        if other == group:
            continue
        # slots r of the other group with (2r + 1) / size below (for earlier groups: or equal to) ours
        bound = doubled * size - (other > group)
        position = position + (bound // sizes[group] + 1) // 2
    return position


def ascending_ranks(values: np.ndarray) -> np.ndarray:
    """The rank of each value, equal ones in order of position: int32, shape (n,).

    >>> ascending_ranks(np.array([3.0, 1.0, 1.0], dtype=np.float32)).tolist()
    [2, 0, 1]
    """
    if values.dtype == np.float32:
        upper, lower = halves(values)
        order = np.argsort(lower, kind="stable")
        order = order[np.argsort(upper[order], kind="stable")]
    else:
        order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values), dtype=np.int32)
    ranks[order] = np.arange(len(values), dtype=np.int32)
    return ranks


def steps_survived(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """How many steps each value survives if at step k the counts[k] lowest are gone: uint8 or wider, shape (n,).

    >>> steps_survived(np.array([3.0, 1.0, 1.0, 2.0], dtype=np.float32), np.array([0, 1, 3])).tolist()
    [3, 1, 2, 2]

    Equal values go in order of position. `counts` must not fall. Most values share their upper bits with others of the
    same step; only those of cells that a step tears apart have to be ranked.
    """
    kind = np.min_scalar_type(len(counts))
    if values.dtype != np.float32 or len(values) < _RANKED:
        return np.searchsorted(counts, ascending_ranks(values), side="right").astype(kind)
    cells = ordered_bits(values) >> _CELL
    cells -= cells.min()
    size = np.bincount(cells)
    first = np.cumsum(size) - size
    steps = np.searchsorted(counts, first, side="right").astype(kind)
    torn = (steps != np.searchsorted(counts, first + size - 1, side="right")) & (size > 0)
    found = steps[cells]
    rest = np.flatnonzero(torn[cells])
    skipped = first - (np.cumsum(size * torn) - size * torn)  # values below a torn cell that are not ranked here
    ranks = ascending_ranks(values[rest]) + skipped[cells[rest]]
    found[rest] = np.searchsorted(counts, ranks, side="right")
    return found


def last_ranks(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest rank in every row, and in every column, as `ascending_ranks` counts over all: int (rows,), (columns,).

    >>> rows, columns = last_ranks(np.array([[3.0, 1.0], [1.0, 2.0]]))
    >>> rows.tolist(), columns.tolist()
    ([3, 2], [3, 2])

    Only what is as high as the lowest of those maxima has to be ranked: often a few per cent.
    """
    flat = values.reshape(-1)
    high = np.flatnonzero(flat >= min(values.max(0).min(), values.max(1).min()))
    ranks = np.full(len(flat), -1, dtype=np.int32)
    ranks[high] = len(flat) - len(high) + ascending_ranks(flat[high])
    ranks = ranks.reshape(values.shape)
    return ranks.max(1), ranks.max(0)


def keep_all_but(values: np.ndarray, k: int) -> np.ndarray:
    """False at the k lowest values (equal ones: those that come first), True elsewhere: bool (n,).

    >>> keep_all_but(np.array([3.0, 1.0, 1.0]), 1).tolist()
    [True, False, True]
    """
    if k == 0:
        return np.ones(len(values), dtype=bool)
    threshold = kth_lowest(values, k)
    keep = values > threshold
    spared = len(values) - k - int(np.count_nonzero(keep))
    if spared:
        keep[np.flatnonzero(values == threshold)[-spared:]] = True
    return keep


def kth_lowest(values: np.ndarray, k: int) -> np.floating:
    """The k-th lowest value, for k from 1 on.

    >>> [float(kth_lowest(np.array([3.0, -1.0, 1.0, 1.0]), k)) for k in (1, 2, 3, 4)]
    [-1.0, 1.0, 1.0, 3.0]

    A sample says between which two values it lies, so that only the few between them need to be put in order.
    """
    sample = np.sort(values[:: max(1, len(values) // _SAMPLE) | 1])  # an odd step meets all columns of a matrix
    place, slack = k / len(values) * len(sample), 2 * math.sqrt(len(sample))  # four standard deviations
    low = sample[int(place - slack)] if place > slack else -np.inf
    high = sample[int(place + slack)] if place + slack < len(sample) else np.inf
    below = int(np.count_nonzero(values < low))
    near = values[(values >= low) & (values <= high)]
    if not below < k <= below + len(near):  # rare: the sample misled
        below, near = 0, values
    return np.partition(near, k - below - 1)[k - below - 1]


def pruned_count(sparsity: float, total: int) -> int:
    """floor(sparsity * total), meant as written: the largest k with k / total <= sparsity in float64.

    >>> pruned_count(0.63, 100), int(0.29 * 100), pruned_count(0.29, 100)
    (63, 28, 29)

    The one place where a sparsity becomes a count. The critical sparsity of the weight at position t of
    the order is (t + 1) / total, so "pruned" and "critical sparsity <= sparsity" are the same thing, exactly.
    Raises ValueError unless sparsity is a number from 0 to 1.
    """
    number = isinstance(sparsity, numbers.Real) and not isinstance(sparsity, bool)
    if not number or not 0 <= float(sparsity) <= 1:
        raise ValueError(f"sparsity must be a number from 0 to 1, not {sparsity!r}")
    sparsity = float(sparsity)
    count = min(total, int(sparsity * total) + 1)
    while count and count / total > sparsity:
        count -= 1
    return count


def select(scores: Sequence[np.ndarray], k: int) -> list[np.ndarray]:
    """One cut through all layers: False at the k lowest float32 scores, ties by position; bool, like the scores.

    >>> [keep.tolist() for keep in select([np.float32([1, 5]), np.float32([1, 0])], 2)]
    [[False, True], [True, False]]
    """
    counts = Merged([Binned(score) for score in scores]).counts(k)
    return [keep_all_but(score, int(count)) for score, count in zip(scores, counts, strict=True)]


def magnitudes(weights: Sequence[Tensor]) -> list[np.ndarray]:
    """|w| of every layer, flat float32."""
    return [weight.detach().abs().reshape(-1).float().cpu().numpy() for weight in weights]
