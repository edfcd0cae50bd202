"""Lists of values in one ascending order, without ever being put together: which do the K lowest values come from?

Two kinds of merge, both exact: by value (`Merged`, inside a group of layers) and by relative rank
(`shares`, between groups). They hold about two bytes per value and answer in milliseconds.

No long list of float32 values is sorted as such. Their bits are taken in two halves of 16, which can be counted, and which
NumPy sorts by radix: as fast on every processor, where its vectorised sort and partition are six times slower on some than
on others.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from ._support import parallel_map

_HALF = 16  # a float32 is kept as its upper 16 bits (shared by a whole bin of values) and its lower 16
_CHUNK = 1 << 16  # values merged at a time: more than fit into the cache take several times as long
_FEW = 6  # bins looked up by going through all values; more are worth grouping them once
_SAMPLE = 1 << 14
_CELL = 13  # bits of a float32 that a cell of `steps_survived` does not look at
_RANKED = 1 << 17  # fewer values are ranked sooner than counted


def ordered_bits(values: np.ndarray) -> np.ndarray:
    """float32 -> uint32 that sorts alike, also for negative numbers; -0.0 equals 0.0.

    >>> bits = ordered_bits(np.array([-2.0, -0.0, 0.0, 3.0], dtype=np.float32))
    >>> bool(bits[0] < bits[1] == bits[2] < bits[3])
    True
    """
    bits = np.ascontiguousarray(values).view(np.uint32)
    if not bits.size or bits.max() < 2**31:
        return bits | np.uint32(0x80000000)
    bits = (values + np.float32(0)).view(np.uint32)
    return bits ^ np.where(bits >> 31, np.uint32(0xFFFFFFFF), np.uint32(0x80000000))


def values_of(bits: np.ndarray) -> np.ndarray:
    """The float32 values that `ordered_bits` made these bits of.

    >>> values_of(ordered_bits(np.float32([-2.5, 0.0, 3.0]))).tolist()
    [-2.5, 0.0, 3.0]
    """
    bits = np.asarray(bits, dtype=np.uint32)
    return (bits ^ np.where(bits >> 31, np.uint32(0x80000000), np.uint32(0xFFFFFFFF))).view(np.float32)


def halves(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The upper and the lower halves of `ordered_bits`: uint16, shape (n,) each."""
    bits = ordered_bits(values)
    return (bits >> _HALF).astype(np.uint16), bits.astype(np.uint16)


class Binned:
    """float32 values by the upper halves of their bits.

    >>> held = Binned(np.array([3.0, 1.0, 1.0], dtype=np.float32))
    >>> held.sizes.tolist(), held.lower.tolist(), held.inside(held.upper[0]).tolist()
    ([2, 1], [0, 0, 0], [0, 0])

    Attributes:
        upper: the upper halves that occur, ascending: uint16 (bins,).
        sizes: how many values have each of them: int64 (bins,).
    """

    def __init__(self, values: np.ndarray, some: Callable[[Any], np.ndarray] | None = None):
        """With `some(index)`, which gives `values[index]` once more, they are only counted, and grouped when that pays."""
        upper, lower = halves(values)
        sizes = np.bincount(upper, minlength=2**_HALF)
        bins = np.flatnonzero(sizes)
        self.upper, self.sizes = bins.astype(np.uint16), sizes[bins]
        self._lower: np.ndarray | None = None
        self._uppers, self._some = upper, some
        if some is None:
            self._group(upper, lower)

    def _group(self, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
        self._lower = lower[np.argsort(upper, kind="stable")]
        self._uppers = self._some = None
        return self._lower

    @property
    def grouped(self) -> bool:
        return self._lower is not None

    @property
    def lower(self) -> np.ndarray:
        """The lower halves of all values, bin by bin, and inside a bin in order of position: uint16 (n,)."""
        uppers, some = self._uppers, self._some  # first: another thread may group them meanwhile
        return self._lower if self.grouped else self._group(uppers, halves(some(slice(None)))[1])

    def inside(self, upper: int) -> np.ndarray:
        """The lower halves of one bin: uint16, in order of position."""
        uppers, some = self._uppers, self._some
        if self.grouped:
            before = int(self.sizes[self.upper < upper].sum())
            return self._lower[before : before + int(self.sizes[self.upper == upper].sum())]
        return halves(some(np.flatnonzero(uppers == upper)))[1]


class Merged:
    """Several lists of float32 values in one ascending order; equal values stay in the order of the lists.

    >>> merged = Merged([Binned(np.array(v, dtype=np.float32)) for v in ([1, 5, 3], [4, 1])])
    >>> [merged.counts(k).tolist() for k in range(6)]
    [[0, 0], [1, 0], [1, 1], [2, 1], [2, 2], [3, 2]]
    >>> merged.sources().tolist()
    [0, 1, 0, 1, 0]
    """

    def __init__(self, lists: Sequence[Binned]):
        self._lists = lists
        self._bins = np.unique(np.concatenate([held.upper for held in lists]))
        # row l, column b: how many values of list l lie below bin b (the last column: all of them)
        self._below = np.empty((len(lists), len(self._bins) + 1), dtype=np.int64)
        for row, held in zip(self._below, lists, strict=True):
            ends = np.r_[0, np.cumsum(held.sizes)]
            row[:-1] = ends[np.searchsorted(held.upper, self._bins)]
            row[-1] = ends[-1]
        self._total = self._below.sum(0)
        self._ids = np.arange(len(lists), dtype=np.min_scalar_type(max(len(lists) - 1, 0)))
        self._sources: np.ndarray | None = None
        self._grouped = all(held.grouped for held in lists)
        self._seen: dict[int, list[np.ndarray]] = {}

    def counts(self, k: int) -> np.ndarray:
        """How many of the k lowest values come from each list: int64 (lists,), summing to k."""
        b = int(np.searchsorted(self._total, k, side="right")) - 1
        taken = self._below[:, b].copy()
        rest = k - int(self._total[b])
        return taken + self._lowest(b, rest) if rest else taken

    def highest(self, k: int) -> float:
        """The highest of the k lowest values, for k from 1 on.

        >>> [Merged([Binned(np.float32(v)) for v in ([1, 5, 3], [-4, 1])]).highest(k) for k in range(1, 6)]
        [-4.0, 1.0, 1.0, 3.0, 5.0]
        """
        b = int(np.searchsorted(self._total, k)) - 1
        low = self._cut(np.concatenate(self._slices(b)), k - int(self._total[b]))
        return float(values_of((np.uint32(self._bins[b]) << np.uint32(_HALF)) | np.uint32(low)))

    def _lowest(self, b: int, k: int) -> np.ndarray:
        """The same for the k lowest inside bin b: cut in the 16 lower bits, then share out the ties."""
        slices = self._slices(b)
        lows, ends = np.concatenate(slices), np.cumsum([0, *map(len, slices)])
        value = self._cut(lows, k)
        under, upto = (np.diff(np.r_[0, np.cumsum(chosen)][ends]) for chosen in (lows < value, lows <= value))
        earlier = np.cumsum(upto - under) - (upto - under)
        return under + np.clip(k - under.sum() - earlier, 0, upto - under)

    def _slices(self, b: int, bins: int = 1) -> list[np.ndarray]:
        """The lower halves in some bins from b on, list by list."""
        if not self._grouped and bins == 1 and len(self._seen) < _FEW and b not in self._seen:
            self._seen[b] = [held.inside(self._bins[b]) for held in self._lists]
        if not self._grouped and bins == 1 and b in self._seen:
            return self._seen[b]
        self._group()
        begins, ends = self._below[:, b], self._below[:, b + bins]
        return [held.lower[i:j] for held, i, j in zip(self._lists, begins, ends, strict=True)]

    def _group(self) -> None:
        if not self._grouped:
            parallel_map(lambda held: held.lower, self._lists)
            self._grouped = True

    @staticmethod
    def _cut(lows: np.ndarray, k: int) -> np.uint16:
        """The k-th lowest of some lower halves."""
        return np.uint16(np.searchsorted(np.cumsum(np.bincount(lows)), k))

    def sources(self) -> np.ndarray:
        """Which list each value comes from, in merged order. Built on first use, a chunk of bins at a time."""
        if self._sources is None:
            self._group()
            edges = [0]
            while edges[-1] < len(self._bins):
                last = int(np.searchsorted(self._total, self._total[edges[-1]] + _CHUNK, side="right")) - 1
                edges.append(max(last, edges[-1] + 1))
            chunks = parallel_map(lambda chunk: self._chunk(*chunk), list(pairwise(edges)))
            self._sources = np.concatenate([self._ids[:0], *chunks])
        return self._sources

    def _chunk(self, first: int, last: int) -> np.ndarray:
        lows = np.concatenate(self._slices(first, last - first))
        below = self._below[:, first : last + 1]
        # by the lower half, then by the bin: the sorts are stable, so that equal values stay in the order of the lists
        order = np.argsort(lows, kind="stable")
        if last - first > 1:
            bins = np.tile(np.arange(last - first, dtype=np.uint16), len(below))
            order = order[np.argsort(bins.repeat(np.diff(below).reshape(-1))[order], kind="stable")]
        return self._ids.repeat(below[:, -1] - below[:, 0])[order]


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
