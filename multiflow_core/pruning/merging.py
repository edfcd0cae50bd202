"""Lists of values in one ascending order, without ever being put together: which do the K lowest values come from?

`Merged` is exact, holds about two bytes per value and answers in milliseconds.

No long list of float32 values is sorted as such. Their bits are taken in two halves of 16, which can be counted, and which
NumPy sorts by radix: as fast on every processor, where its vectorised sort and partition are six times slower on some than
on others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from ..support.threads import parallel_map

_HALF = 16  # a float32 is kept as its upper 16 bits (shared by a whole bin of values) and its lower 16


_CHUNK = 1 << 16  # values merged at a time: more than fit into the cache take several times as long


_FEW = 6  # bins looked up by going through all values; more are worth grouping them once


_PART = 1 << 21  # values that are counted at a time


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
        grouped: whether the values are held.
    """

    grouped = True

    def __init__(self, values: np.ndarray):
        upper, lower = halves(values)
        self.upper, self.sizes = _occurring(np.bincount(upper, minlength=2**_HALF))
        self.lower = _by_bin(upper, lower)  # bin by bin, and inside a bin in order of position: uint16 (n,)

    def inside(self, upper: int) -> np.ndarray:
        """The lower halves of one bin: uint16, in order of position."""
        before = int(self.sizes[self.upper < upper].sum())
        return self.lower[before : before + int(self.sizes[self.upper == upper].sum())]


class Counted:
    """The same of values that are only counted: `some(slice)` gives them anew, and they are grouped when that pays.

    >>> values = np.array([3.0, 1.0, 1.0], dtype=np.float32)
    >>> held = Counted(3, values.__getitem__)
    >>> held.sizes.tolist(), held.inside(held.upper[0]).tolist(), held.grouped, held.lower.tolist()
    ([2, 1], [0, 0], False, [0, 0, 0])

    Until then nothing of the length of the values is held, and never more than `_PART` of them at once.
    """

    def __init__(self, size: int, some: Callable[[slice], np.ndarray]):
        self._parts, self._some = [slice(i, i + _PART) for i in range(0, max(size, 1), _PART)], some
        sizes = np.zeros(2**_HALF, dtype=np.int64)
        for part in self._parts:
            sizes += np.bincount(halves(some(part))[0], minlength=2**_HALF)
        self.upper, self.sizes = _occurring(sizes)
        self._lower: np.ndarray | None = None

    @property
    def grouped(self) -> bool:
        return self._lower is not None

    @property
    def lower(self) -> np.ndarray:
        """The lower halves of all values, bin by bin, and inside a bin in order of position: uint16 (n,)."""
        if self._lower is None:
            split = [halves(self._some(part)) for part in self._parts]
            self._lower = _by_bin(*(np.concatenate([halves[side] for halves in split]) for side in (0, 1)))
        return self._lower

    def inside(self, upper: int) -> np.ndarray:
        """The lower halves of one bin: uint16, in order of position."""
        found = [lower[bins == upper] for bins, lower in (halves(self._some(part)) for part in self._parts)]
        return np.concatenate(found)


def _occurring(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bins that hold anything, and how much."""
    bins = np.flatnonzero(sizes)
    return bins.astype(np.uint16), sizes[bins]


def _by_bin(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    return lower[np.argsort(upper, kind="stable")]


class Merged:
    """Several lists of float32 values in one ascending order; equal values stay in the order of the lists.

    >>> merged = Merged([Binned(np.array(v, dtype=np.float32)) for v in ([1, 5, 3], [4, 1])])
    >>> [merged.counts(k).tolist() for k in range(6)]
    [[0, 0], [1, 0], [1, 1], [2, 1], [2, 2], [3, 2]]
    >>> merged.sources().tolist()
    [0, 1, 0, 1, 0]
    """

    def __init__(self, lists: Sequence[Binned | Counted]):
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
