"""The pruning order: what goes at which sparsity. Every mask, curve and explanation comes from it."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ._merge import Merged, ascending_ranks, interleaved, keep_all_but, shares, split_sorted
from ._support import Progress, parallel_map, unknown_name
from .allocate import Allocation
from .allocate import get as get_allocation
from .calibrate import Statistics
from .criteria import Context, Criterion
from .criteria import get as get_criterion
from .layers import PrunableLayer, prunable_layers
from .masks import Masks
from .methods import Method
from .methods import get as get_method

# Up to this many weights an order keeps its scores (4 bytes each). Beyond, it keeps the model's weights
# alive and scores a layer again when asked, which costs less than a quarter of selecting in it.
SNAPSHOT_LIMIT = 1 << 25
_THREADED_FROM = 1 << 21  # smaller models are done before the threads are
_SAMPLE = 1024


@dataclass(frozen=True)
class Request:
    """What `rank` was asked, for methods with a `build` function of their own."""

    model: nn.Module
    layers: tuple[PrunableLayer, ...]
    method: Method
    statistics: Statistics | None = None
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress | None = None


def rank(
    model: nn.Module,
    method: str | Method = "multiflow",
    *,
    statistics: Statistics | None = None,
    criterion: str | Criterion | None = None,
    allocation: str | Allocation | None = None,
    layers: Sequence[PrunableLayer] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    **options: Any,
) -> PruningOrder:
    """Put all prunable weights of a model into the order in which they go.

    >>> model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    >>> order = rank(model, "omp")
    >>> order.masks(0.5).sparsity
    0.5
    >>> order = rank(model, criterion="magnitude", allocation="multimodal")      # an ablation is one line
    >>> order.criterion.name, order.allocation.name
    ('magnitude', 'multimodal')

    Args:
        model: any module; it is only read.
        method: a name (see `multiflow_core.methods()`) or a Method.
        statistics: what `calibrate` returned, for methods that need it.
        criterion, allocation: replace the method's own.
        layers: the layout; default the statistics' own, else `prunable_layers(model)`.
        seed: for methods that draw random numbers.
        progress: called as progress(fraction, message).
        options: the method's options.

    Raises:
        ValueError: unknown names, missing statistics, weights that are not finite, or shapes that do not fit.
    """
    chosen = get_method(method)
    settings = chosen.settings(options)
    if layers is None:
        layers = statistics.layers if statistics is not None and statistics.layers else prunable_layers(model)
    layers = tuple(layers)
    if not layers:
        raise ValueError("the model has no prunable layers")
    if chosen.build is not None and criterion is None and allocation is None:
        _check_statistics(layers, statistics, "statistics" in chosen.needs, chosen.name)
        return chosen.build(Request(model, layers, chosen, statistics, seed, settings, progress))
    if chosen.build is not None and (criterion is None or allocation is None):
        raise ValueError(f"method {chosen.name!r} is no criterion x allocation: give both or neither")
    by = get_criterion(criterion or chosen.criterion)
    to = get_allocation(allocation or chosen.allocation)
    key = by if to.key == "score" else get_criterion(to.key)
    _check_statistics(layers, statistics, "statistics" in by.needs | key.needs, by.name)
    scorer = _Scorer(model, layers, statistics, seed, settings)
    return PruningOrder(layers, chosen, by, to, scorer, key, statistics=statistics, progress=progress)


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


class PruningOrder:
    """Which weight goes when, for one (model, method, statistics).

    >>> order = rank(nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 4)), "localmp")
    >>> order.layer_counts(0.5).tolist()
    [10, 10]
    >>> critical = order.critical_sparsity("0.weight")
    >>> torch.equal(critical > 0.5, order.masks(0.5)["0.weight"])
    True

    At sparsity s over N weights exactly floor(s * N) are pruned (see `pruned_count`), ties broken by position:
    layer order, then place in the flattened weight. Masks at higher sparsities are inside those at lower ones.

    Attributes:
        layers: the layout. total: N. method, criterion, allocation: how it was ordered.
        statistics: what it was ordered with, or None.

    The model may be thrown away. Up to `SNAPSHOT_LIMIT` weights it may also be changed; a larger order
    raises RuntimeError if the weights it refers to were changed in place.
    """

    nested = True
    updates_weights = False

    def __init__(
        self,
        layers: tuple[PrunableLayer, ...],
        method: Method,
        criterion: Criterion,
        allocation: Allocation,
        scorer: _Scorer,
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
        self._sizes = [sum(layers[i].size for i in group) for group in self._groups]
        self._scorer = scorer
        self._kept: list[np.ndarray] | None = None
        self._curves: dict[int, np.ndarray] = {}
        self._merged = self._prepare(key, progress)

    # -- masks -------------------------------------------------------------------------------------------

    def masks(self, sparsity: float) -> Masks:
        """The masks at a sparsity: exactly floor(sparsity * total) weights are False. ValueError outside 0..1."""
        counts = self.layer_counts(sparsity)

        def mask(i: int) -> Tensor:
            keep = keep_all_but(self._score(i), int(counts[i])) if counts[i] else np.ones(self.layers[i].size, bool)
            return torch.from_numpy(keep).reshape(self.layers[i].shape)

        flat = parallel_map(mask, range(len(self.layers)), threads=self.total > _THREADED_FROM)
        return Masks({layer.name: m for layer, m in zip(self.layers, flat, strict=True)})

    # -- budgets -----------------------------------------------------------------------------------------

    def layer_counts(self, sparsity: float) -> np.ndarray:
        """How many weights of every layer are pruned: int64 (layers,), summing to floor(sparsity * total)."""
        counts = np.zeros(len(self.layers), dtype=np.int64)
        per_group = shares(pruned_count(sparsity, self.total), self._sizes)
        for group, merged, k in zip(self._groups, self._merged, per_group, strict=True):
            counts[group] = k if merged is None else merged.counts(k)
        return counts

    def layer_sparsity(self, sparsity: float) -> dict[str, float]:
        """The sparsity of every layer at a global sparsity."""
        return {
            layer.name: int(count) / layer.size
            for layer, count in zip(self.layers, self.layer_counts(sparsity), strict=True)
        }

    def modality_sparsity(self, sparsity: float) -> dict[str, float]:
        """The sparsity of every modality at a global sparsity.

        >>> rank(nn.ModuleDict({"text": nn.Linear(4, 4), "vision": nn.Linear(4, 4)}),
        ...      criterion="magnitude", allocation="multimodal").modality_sparsity(0.75)
        {'text': 0.75, 'vision': 0.75}
        """
        pruned: dict[str, int] = {}
        size: dict[str, int] = {}
        for layer, count in zip(self.layers, self.layer_counts(sparsity), strict=True):
            pruned[layer.modality] = pruned.get(layer.modality, 0) + int(count)
            size[layer.modality] = size.get(layer.modality, 0) + layer.size
        return {modality: pruned[modality] / size[modality] for modality in size}

    def curve(self, n: int = 101) -> np.ndarray:
        """Per-layer sparsity at n evenly spaced global sparsities from 0 to 1: float64 (layers, n), read-only.

        Computed once: a slider only looks it up.
        """
        if n not in self._curves:
            sizes = np.array([layer.size for layer in self.layers])
            table = np.stack([self.layer_counts(s) / sizes for s in np.linspace(0, 1, n)], axis=1)
            table.flags.writeable = False
            self._curves[n] = table
        return self._curves[n]

    # -- single weights ----------------------------------------------------------------------------------

    def critical_sparsity(self, name: str) -> Tensor:
        """The sparsity s* from which on each weight of a layer is pruned: float64 (out, in).

        `masks(s)[name]` equals `critical_sparsity(name) > s` for every s.
        """
        i = self._layer(name)
        ranks = ascending_ranks(self._score(i))
        critical = (self._slots(i) + 1) / self.total
        return torch.from_numpy(critical[ranks]).reshape(self.layers[i].shape)

    def score(self, name: str) -> Tensor:
        """The scores of a layer: (out, in), float32 (float64 where float32's range is too small)."""
        i = self._layer(name)
        return torch.from_numpy(self._score(i).copy()).reshape(self.layers[i].shape)

    def threshold(self, name: str, sparsity: float) -> float:
        """The highest pruned score of a layer at a global sparsity; -inf when nothing of it is pruned."""
        i = self._layer(name)
        k = int(self.layer_counts(sparsity)[i])
        return float(np.partition(self._score(i), k - 1)[k - 1]) if k else -math.inf

    # -- inside ------------------------------------------------------------------------------------------

    def _layer(self, name: str) -> int:
        if name not in self._index:
            raise unknown_name("layer", name, self._index)
        return self._index[name]

    def _score(self, i: int) -> np.ndarray:
        return self._kept[i] if self._kept is not None else self._scorer(self.criterion, i)

    def _slots(self, i: int) -> np.ndarray:
        """Positions in the whole order at which this layer loses its 1st, 2nd, ... weight: int64 (size,)."""
        g = next(g for g, group in enumerate(self._groups) if i in group)
        merged = self._merged[g]
        if merged is None:
            slots = np.arange(self.layers[i].size)
        else:
            slots = np.flatnonzero(merged.sources() == self._groups[g].index(i))
        return interleaved(slots, g, self._sizes)

    def _prepare(self, key: Criterion, progress: Progress | None) -> list[Merged | None]:
        """Score every layer once (which checks it), and sort the keys of groups with several layers."""
        shared = {i for group in self._groups if len(group) > 1 for i in group}
        keep = self.total <= SNAPSHOT_LIMIT
        scored = key is self.criterion

        def prepare(i: int):
            score = self._scorer(self.criterion, i) if keep or scored else None
            wide = score is not None and score.dtype != np.float32
            split = None
            if i in shared and not (scored and wide):
                split = split_sorted(score if scored else self._scorer(key, i).astype(np.float32))
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

    def _common_scale(self, shared: set[int]) -> list:
        """Keys of scores beyond float32's range: divided by the highest score of all layers."""
        highest = max(float(np.abs(self._score(i)).max(initial=0)) for i in range(len(self.layers))) or 1.0
        return [
            split_sorted((self._score(i).astype(np.float64) / highest).astype(np.float32)) if i in shared else None
            for i in range(len(self.layers))
        ]


class _Scorer:
    """(criterion, layer index) -> flat scores, float32 or float64. Holds on to the model's weights."""

    def __init__(
        self,
        model: nn.Module,
        layers: tuple[PrunableLayer, ...],
        statistics: Statistics | None,
        seed: int,
        options: Mapping[str, Any],
    ):
        parameters = dict(model.named_parameters(remove_duplicate=False))
        for layer in layers:
            if layer.name not in parameters:
                raise unknown_name("parameter of the model", layer.name, parameters)
            shape = tuple(parameters[layer.name].shape)
            if shape != tuple(layer.shape):
                raise ValueError(f"{layer.name} is {shape} in the model, {tuple(layer.shape)} in the layout")
        self._layers = layers
        self._weights = [parameters[layer.name].detach() for layer in layers]
        self._prints = [_fingerprint(weight) for weight in self._weights]
        self._statistics, self._seed, self._options = statistics, seed, options

    def __call__(self, criterion: Criterion, i: int) -> np.ndarray:
        layer, weight = self._layers[i], self._weights[i]
        with torch.no_grad():
            low, high = torch.aminmax(weight)
            if not bool(torch.isfinite(low) & torch.isfinite(high)):
                raise ValueError(f"the weight {layer.name} holds values that are not finite")
            if _fingerprint(weight) != self._prints[i]:
                raise RuntimeError(f"{layer.name} was changed after the model was ranked: rank it again")
            weight = weight.to(device="cpu", dtype=torch.float32)
            score = criterion.function(weight, self._context(criterion, layer))
            return self._checked(score, weight, criterion, layer)

    def _context(self, criterion: Criterion, layer: PrunableLayer) -> Context:
        norms = None
        if "statistics" in criterion.needs:
            norms = self._statistics.norm(layer.name)
            if norms.numel() != layer.shape[1]:
                raise ValueError(f"the statistics of {layer.name} are of size {norms.numel()}, not {layer.shape[1]}")
        return Context(layer, norms, self._seed, self._options)

    @staticmethod
    def _checked(score: Tensor, weight: Tensor, criterion: Criterion, layer: PrunableLayer) -> np.ndarray:
        if tuple(score.shape) != tuple(weight.shape):
            raise ValueError(f"criterion {criterion.name!r} gave {layer.name} scores of shape {tuple(score.shape)}")
        if score.dtype not in (torch.float32, torch.float64):
            score = score.float()
        if score.data_ptr() == weight.data_ptr():
            score = score.clone()  # the order must not change with the weight
        flat = score.contiguous().reshape(-1).numpy()
        if np.isnan(flat.min(initial=np.inf)):
            raise ValueError(f"criterion {criterion.name!r} gave {layer.name} scores that are not numbers")
        return flat


def _fingerprint(weight: Tensor) -> float:
    """Cheap, and changes when the weight is trained, pruned or scaled in place."""
    flat = weight.reshape(-1)
    return float(flat[:: max(1, flat.numel() // _SAMPLE)].double().abs().sum())


def _check_statistics(
    layers: Sequence[PrunableLayer], statistics: Statistics | None, needed: bool, who: str
) -> None:
    if not needed:
        return
    if statistics is None:
        raise ValueError(f"{who!r} needs activation statistics: pass statistics=mf.calibrate(model, batches)")
    missing = [layer.name for layer in layers if layer.name not in statistics.square_sums]
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise ValueError(f"no statistics for layers that never ran during calibration: {shown}")
