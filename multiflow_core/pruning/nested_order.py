"""The pruning order: what goes at which sparsity. Every mask, curve and explanation comes from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..calibration.activations import Statistics
from ..models.units import Part
from ..support.memory import check_memory
from ..support.registry import unknown_name
from ..support.threads import Progress, parallel_map
from ..weights.layers import OUT_IN, PrunableLayer
from ..weights.masks import Bits, Masks
from .allocations import Allocation
from .criteria import Criterion
from .exact_cut import (
    STEPS,
    ascending_ranks,
    interleaved,
    keep_all_but,
    kth_lowest,
    last_ranks,
    pruned_count,
    shares,
    steps_survived,
)
from .merging import Binned, Counted, Merged
from .method import Method
from .neurons import kept_units, unit_masks
from .nm_patterns import nm_mask
from .order import Order
from .scoring import Scorer

T = TypeVar("T")

# Up to this many weights an order keeps its scores (4 bytes each). Beyond, it keeps the model's weights
# alive and scores a layer again when asked, which costs less than a quarter of selecting in it.
SNAPSHOT_LIMIT = 1 << 25
_THREADED_FROM = 1 << 21  # smaller models are done before the threads are
_HELD, _SCORING = 2, 48  # bytes a weight: of all that are put in one order, and of a layer while it is scored


class PruningOrder(Order):
    """Which weight goes when, for one (model, method, statistics).

    >>> from torch import nn
    >>> from multiflow_core import rank
    >>> order = rank(nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 4)), "localmp")
    >>> order.layer_counts(0.5).tolist()
    [10, 10]
    >>> critical = order.critical_sparsity("0.weight")
    >>> torch.equal(critical > 0.5, order.masks(0.5)["0.weight"])
    True

    At sparsity s over N weights exactly floor(s * N) are pruned (see `pruned_count`), ties broken by position:
    layer order, then place in the flattened weight. Masks at higher sparsities are inside those at lower ones.

    The model may be thrown away. Up to `SNAPSHOT_LIMIT` weights it may also be changed; a larger order
    raises RuntimeError if the weights it refers to were changed in place.
    """

    nested = True

    def __init__(
        self,
        layers: tuple[PrunableLayer, ...],
        method: Method,
        criterion: Criterion,
        allocation: Allocation,
        scorer: Scorer,
        key: Criterion,
        *,
        statistics: Statistics | None = None,
        progress: Progress | None = None,
    ):
        self.layers = layers
        self.method, self.criterion, self.allocation = method, criterion, allocation
        self.statistics = statistics
        self.total = sum(layer.size for layer in layers)
        self._index = {layer.name: i for i, layer in enumerate(layers)}
        if len(self._index) != len(layers):
            raise ValueError("a layout names a layer twice")
        groups: dict[Any, list[int]] = {}
        for i, layer in enumerate(layers):
            groups.setdefault(allocation.group(layer), []).append(i)
        self._groups = list(groups.values())
        sizes = [sum(layers[i].size for i in group) for group in self._groups]
        # groups are emptied evenly, one stage after the other: how many slots of every group belong to each stage
        self._stages = [sizes]
        if allocation.targets is not None:
            first = [sum(allocation.targets[layers[i].name] for i in group) for group in self._groups]
            self._stages = [first, [size - count for size, count in zip(sizes, first, strict=True)]]
            self.implied_sparsity = sum(first) / self.total
        self._scorer = scorer
        self._kept: list[np.ndarray] | None = None
        self._placed: dict[int, np.ndarray] = {}
        self._curves: dict[int, np.ndarray] = {}
        self._tables: dict[int, np.ndarray] = {}
        self._rescaled = (
            False  # whether the merged lists hold scores in another unit, since float32's range is too small
        )
        self._last: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._merged = self._prepare(key, progress)
        if allocation.places is not None and self._kept is not None:
            parallel_map(self._places, range(len(layers)), threads=self.total > _THREADED_FROM)

    # -- masks -------------------------------------------------------------------------------------------

    def masks(self, sparsity: float | None = None, *, progress: Progress | None = None) -> Masks:
        return self.masks_at([self.implied_sparsity if sparsity is None else sparsity], progress=progress)[0]

    def masks_at(self, sparsities: Sequence[float], *, progress: Progress | None = None) -> list[Masks]:
        """The masks at several sparsities, from one pass over the scores.

        >>> from torch import nn
        >>> from multiflow_core import rank
        >>> order = rank(nn.Linear(10, 10), "omp")
        >>> [masks.sparsity for masks in order.masks_at([0.63, 0.75, 0.9])]
        [0.63, 0.75, 0.9]
        """
        counts = [self.layer_counts(sparsity) for sparsity in sparsities]

        def keep(i: int) -> list[Tensor | Bits]:
            ks, shape = [int(pruned[i]) for pruned in counts], self.layers[i].shape
            if not any(ks):
                kept = [np.ones(self.layers[i].size, dtype=bool) for _ in ks]
            elif self.allocation.keeps and self._kept is None and self.layers[i].stored == OUT_IN:
                score = self._score(i).reshape(shape)
                kept = [self.allocation.keeps(score, k) for k in ks]
            elif self.allocation.places is not None:
                places = self._places(i)
                kept = [places >= k for k in ks]
            else:
                score = self._score(i)
                kept = [keep_all_but(score, k) for k in ks]
            masks = [torch.from_numpy(mask).reshape(shape) for mask in kept]
            return masks if self.total <= SNAPSHOT_LIMIT else list(map(Bits.of, masks))

        found = self._each(keep, progress)
        return [self._masks([masks[j] for masks in found]) for j in range(len(counts))]

    def masks_nm(self, n: int, m: int, *, progress: Progress | None = None) -> Masks:
        """An N:M pattern: of every M consecutive inputs of an output row the N with the highest scores are kept.

        >>> from torch import nn
        >>> from multiflow_core import rank
        >>> order = rank(nn.Linear(8, 3), "omp")
        >>> masks = order.masks_nm(2, 4)
        >>> masks["weight"].reshape(3, 2, 4).sum(-1).tolist(), masks.sparsity
        ([[2, 2], [2, 2], [2, 2]], 0.5)

        The pattern decides everything but the scores: the allocation does not matter. ValueError unless
        1 <= N <= M, naming the first layer whose inputs are no multiple of M.
        """

        def keep(i: int) -> Tensor:
            layer = self.layers[i]
            return layer.stored_like(nm_mask(layer.rows(self._matrix(i)), n, m, layer.name))

        return self._masks(self._each(keep, progress))

    def masks_neurons(self, units: Sequence[Part], share: float) -> Masks:
        """The pattern of neurons: whole hidden units go, so that a share of them is left, as many in every block of a tower.

        >>> import multiflow_core as mf
        >>> vlm = mf.load("flatland-blip")
        >>> masks = mf.rank(vlm.model, "omp").masks_neurons(mf.units_of(vlm.model), 0.5)
        >>> dead = {"fc1": 0, "fc2": 0}
        >>> for layer in vlm.layers:
        ...     if layer.role in dead:
        ...         dead[layer.role] += sum(masks.dead_neurons()[layer.name])
        >>> dead["fc1"] == dead["fc2"] > 5000
        True

        Scores are summed over a unit, and the allocation says how many each tower keeps (`neurons.kept_units`). Layers beside these
        blocks stay dense. `mf.slim` makes a smaller model of it.
        """
        masks = unit_masks(units, kept_units(self, units, share))
        dense = {
            layer.name: torch.ones(layer.shape, dtype=torch.bool) for layer in self.layers if layer.name not in masks
        }
        return masks.beside(Masks(dense), (layer.name for layer in self.layers))

    def _each(self, mask: Callable[[int], T], progress: Progress | None) -> list[T]:
        threads = self.total > _THREADED_FROM
        return parallel_map(mask, range(len(self.layers)), threads=threads, progress=progress, message="masks")

    def _masks(self, masks: Sequence[Tensor | Bits]) -> Masks:
        return Masks({layer.name: mask for layer, mask in zip(self.layers, masks, strict=True)})

    # -- budgets -----------------------------------------------------------------------------------------

    def layer_counts(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        """How many weights of every layer are pruned: int64 (layers,), summing to floor(sparsity * total)."""
        counts = np.zeros(len(self.layers), dtype=np.int64)
        for group, merged, k in zip(self._groups, self._merged, self._group_counts(sparsity), strict=True):
            counts[group] = k if merged is None else merged.counts(k)
        return counts

    def _group_counts(self, sparsity: float) -> list[int]:
        """How many weights of every group are pruned."""
        counts = np.zeros(len(self._groups), dtype=np.int64)
        left = pruned_count(sparsity, self.total)
        for sizes in self._stages:
            here = min(left, sum(sizes))
            counts += shares(here, sizes)
            left -= here
        return counts.tolist()

    def curve(self, n: int = STEPS) -> np.ndarray:
        """Per-layer sparsity at n evenly spaced global sparsities from 0 to 1: float64 (layers, n), read-only.

        Computed once: a slider only looks it up.
        """
        if n not in self._curves:
            table = self.count_table(n) / np.array([[layer.size] for layer in self.layers])
            table.flags.writeable = False
            self._curves[n] = table
        return self._curves[n]

    def count_table(self, n: int = STEPS) -> np.ndarray:
        """`layer_counts` at n evenly spaced global sparsities from 0 to 1: int64 (layers, n), read-only; computed once.

        >>> from torch import nn
        >>> from multiflow_core import rank
        >>> rank(nn.Sequential(nn.Linear(4, 1), nn.Linear(1, 4)), "localmp").count_table(3).tolist()
        [[0, 2, 4], [0, 2, 4]]
        """
        if n not in self._tables:
            table = np.stack([self.layer_counts(k / (n - 1)) for k in range(n)], axis=1)
            table.flags.writeable = False
            self._tables[n] = table
        return self._tables[n]

    def cuts(self, sparsity: float) -> dict[Hashable, float]:
        """Where the budget is cut: of each group of several layers, the highest key that falls to it.

        >>> from torch import nn
        >>> from multiflow_core import rank
        >>> model = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Linear(2, 1)})
        >>> _ = model.a.weight.data.copy_(torch.tensor([[1.0, 4.0]])), model.b.weight.data.copy_(torch.tensor([[3.0, -2.0]]))
        >>> rank(model, "omp").cuts(0.5), rank(model, "omp").cuts(0.0)
        ({'all': 2.0}, {})

        With the multimodal prior {modality: |w|}, with the global allocation {"all": score}. A group of which nothing is
        pruned is missing, and so is a layer that is a group by itself: `threshold` knows its cut. Where layers have paces of
        their own there is no common cut.
        """
        found = {}
        if self.allocation.paces:
            return found
        for group, merged, k in zip(self._groups, self._merged, self._group_counts(sparsity), strict=True):
            if merged is not None and k:
                exact = (self.threshold(self.layers[i].name, sparsity) for i in group)
                found[self.allocation.group(self.layers[group[0]])] = (
                    max(exact) if self._rescaled else merged.highest(k)
                )
        return found

    def dead_neurons(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        """How many outputs (rows) and inputs (columns) of every layer have lost all weights: int64 (layers, 2).

        >>> from torch import nn
        >>> from multiflow_core import rank
        >>> order = rank(nn.Linear(2, 2), "random")
        >>> [order.dead_neurons(s).tolist() for s in (0.0, 1.0)]
        [[[0, 0]], [[2, 2]]]

        What `masks(sparsity).dead_neurons()` counts, without the masks. The first call looks through all scores,
        layer by layer, and goes on where an interrupted one stopped; then it is a look-up.
        """
        last = parallel_map(
            self._last_places,
            range(len(self.layers)),
            threads=len(self._last) < len(self.layers),
            progress=progress,
            message="looking for dead neurons",
        )
        counts = self.layer_counts(sparsity)
        return np.array([[np.searchsorted(side, k) for side in sides] for sides, k in zip(last, counts, strict=True)])

    # -- single weights ----------------------------------------------------------------------------------

    def critical_sparsity(self, name: str) -> Tensor:
        """The sparsity s* from which on each weight of a layer is pruned: float64 (out, in).

        `masks(s)[name]` equals `critical_sparsity(name) > s` for every s.
        """
        i = self._layer(name)
        ranks = self._places(i)
        critical = (self._slots(i) + 1) / self.total
        return torch.from_numpy(critical[ranks]).reshape(self.layers[i].shape)

    def survived(self, name: str, n: int = STEPS) -> np.ndarray:
        """How many of n evenly spaced sparsities each weight of a layer survives: uint8 (uint16 from n = 256 on), (size,).

        >>> from torch import nn
        >>> from multiflow_core import rank
        >>> order = rank(nn.Linear(5, 4), "omp")
        >>> masks = order.masks(0.3)["weight"].flatten().numpy()
        >>> np.array_equal(order.survived("weight", 11) > 3, masks)
        True

        The critical sparsity rounded up to the next step, but much faster: what a chart under a slider needs.
        """
        i = self._layer(name)
        counts = self.count_table(n)[i]
        if self.allocation.places is None:
            return steps_survived(self._score(i), counts)
        return np.searchsorted(counts, self._places(i), side="right").astype(np.min_scalar_type(n))

    def score(self, name: str) -> Tensor:
        """The scores of a layer: (out, in), float32 (float64 where float32's range is too small)."""
        return self._matrix(self._layer(name)).clone()

    def threshold(self, name: str, sparsity: float) -> float:
        """The highest pruned score of a layer at a global sparsity; -inf when nothing of it is pruned."""
        i = self._layer(name)
        k = int(self.layer_counts(sparsity)[i])
        if self.allocation.places is not None:
            return float(self._score(i)[self._places(i) < k].max(initial=-math.inf))
        return float(kth_lowest(self._score(i), k)) if k else -math.inf

    def thresholds(self, name: str, n: int = STEPS) -> np.ndarray:
        """The same at n evenly spaced global sparsities from 0 to 1: float64 (n,).

        >>> from torch import nn
        >>> from multiflow_core import rank
        >>> order = rank(nn.Linear(4, 4), "omp")
        >>> bool(order.thresholds("weight", 5)[3] == order.threshold("weight", 0.75))
        True
        """
        i = self._layer(name)
        score = self._score(i)
        if self.allocation.places is None:
            highest = np.sort(score)
        else:
            highest = np.empty_like(score)
            highest[self._places(i)] = score
            highest = np.maximum.accumulate(highest)
        counts = self.count_table(n)[i]
        return np.where(counts > 0, highest[counts - 1], -math.inf)

    # -- inside ------------------------------------------------------------------------------------------

    def _layer(self, name: str) -> int:
        if name not in self._index:
            raise unknown_name("layer", name, self._index)
        return self._index[name]

    def _score(self, i: int) -> np.ndarray:
        return self._kept[i] if self._kept is not None else self._scorer(self.criterion, i)

    def _matrix(self, i: int) -> Tensor:
        return torch.from_numpy(self._score(i)).reshape(self.layers[i].shape)

    def _places(self, i: int) -> np.ndarray:
        """The places at which the weights of a layer go, 0 first: int (size,)."""
        if self.allocation.places is None:
            return ascending_ranks(self._score(i))
        if i in self._placed:
            return self._placed[i]
        places = self.allocation.places_in(self.layers[i], self._matrix(i)).astype(np.int32)
        if self._kept is not None:
            self._placed[i] = places
        return places

    def _last_places(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """The places at which rows, and columns, of a layer lose their last weight, each sorted: int (out,), (in,)."""
        if i not in self._last:
            layer = self.layers[i]
            placed = self.allocation.places is not None or layer.experts > 1
            if placed:
                places = layer.matrices(torch.from_numpy(self._places(i)).reshape(layer.shape)).numpy()
                rows, columns = places.max(2).reshape(-1), places.max(1).reshape(-1)
            else:
                rows, columns = last_ranks(layer.rows(self._matrix(i)).contiguous().numpy())
            self._last[i] = np.sort(rows), np.sort(columns)
        return self._last[i]

    def _slots(self, i: int) -> np.ndarray:
        """Positions in the whole order at which this layer loses its 1st, 2nd, ... weight: int64 (size,)."""
        g = next(g for g, group in enumerate(self._groups) if i in group)
        merged = self._merged[g]
        alone = merged is None
        slots = (
            np.arange(self.layers[i].size) if alone else np.flatnonzero(merged.sources() == self._groups[g].index(i))
        )
        positions, begin, before = [], 0, 0
        for sizes in self._stages:
            own = slots[begin : begin + sizes[g]] - begin
            positions.append(before + interleaved(own, g, sizes))
            begin, before = begin + sizes[g], before + sum(sizes)
        return np.concatenate(positions)

    def _prepare(self, key: Criterion, progress: Progress | None) -> list[Merged | None]:
        """Score every layer once (which checks it), and count or sort the keys of groups with several layers."""
        shared = {i for group in self._groups if len(group) > 1 for i in group}
        keep = self.total <= SNAPSHOT_LIMIT
        scored = key is self.criterion
        streamed = key.elementwise and not keep
        if shared and not keep and not streamed:
            self._check_room(shared)

        def prepare(i: int):
            if not keep and (streamed or i not in shared):  # a layer by itself is scored when it is asked for
                self._scorer.check(i)
                some = partial(self._scorer.some, key, i)
                return None, False, Counted(self.layers[i].size, some) if i in shared else None
            score = self._scorer(self.criterion, i) if keep or scored else None
            wide = score is not None and score.dtype != np.float32
            split = None
            if i in shared and not (scored and wide):
                split = Binned(score if scored else self._scorer(key, i).astype(np.float32, copy=False))
            elif score is None:
                self._scorer(key, i)  # for its checks
            return score if keep else None, wide, split

        done = parallel_map(
            prepare,
            range(len(self.layers)),
            threads=self.total > _THREADED_FROM,
            progress=progress,
            message=f"ranking with {self.method.title}",
        )
        if keep:
            self._kept = [score for score, *_ in done]
        splits = [split for *_, split in done]
        if scored and any(wide for _, wide, _ in done):
            splits = self._common_scale(shared)
        if keep:
            self._scorer = None  # with it goes the last reference to the model's weights
        return [Merged([splits[i] for i in group]) if len(group) > 1 else None for group in self._groups]

    def _check_room(self, shared: set[int]) -> None:
        """ValueError, before any work, where what is held of the keys does not fit beside what scoring the largest layer takes."""
        ordered = sum(self.layers[i].size for i in shared)
        scoring = _SCORING * max(layer.size for layer in self.layers) * torch.get_num_threads()
        what = f"{self.method.title} holds the order of {ordered / 1e6:,.0f} million scores"
        check_memory(
            _HELD * ordered + scoring, what, "choose MULTIFLOW, OMP or Wanda, which do not, or prune fewer layers"
        )

    def _common_scale(self, shared: set[int]) -> list:
        """Keys of scores beyond float32's range: divided by the highest score of all layers."""
        unit = max(float(np.abs(self._score(i)).max(initial=0)) for i in range(len(self.layers))) or 1.0
        self._rescaled = True
        return [
            Binned((self._score(i).astype(np.float64) / unit).astype(np.float32)) if i in shared else None
            for i in range(len(self.layers))
        ]
