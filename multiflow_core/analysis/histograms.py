"""Distributions under a slider: values binned once by size and by when their weight goes, so that a step is a look-up.

Bins follow the floating-point numbers themselves: every power of two is cut into eight equal parts, from the exponent and
the first three bits of the mantissa. That takes no logarithm, is exact, and bins of different layers and models fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import nn

from ..pruning.exact_cut import STEPS, pruned_count, steps_survived
from ..pruning.merging import Binned, Merged
from ..pruning.nested_order import PruningOrder
from ..support.threads import Progress, parallel_map
from ..weights.dense import DenseWeights
from ..weights.layers import PrunableLayer

PARTS = 8  # bins per power of two
_SHIFT = 52 - (PARTS.bit_length() - 1)  # of the 52 bits of a float64's mantissa


def log_bins(values: np.ndarray) -> np.ndarray:
    """The bin of each value: int64, any shape; zero is in bin 0. ValueError for values below zero.

    >>> bins = log_bins(np.array([1.0, 1.124, 1.125, 2.0]))
    >>> (bins - bins[0]).tolist()
    [0, 0, 1, 8]
    """
    if values.size and values.min() < 0:
        raise ValueError("values below zero have no place on a logarithmic axis")
    return (values + 0.0).astype(np.float64).view(np.int64) >> _SHIFT  # - 0.0 + 0.0 = 0.0


def log_edges(first: int, bins: int) -> np.ndarray:
    """The edges of some bins from `first` on: float64 (bins + 1,); bin b holds edges[b] <= value < edges[b + 1].

    >>> log_edges(int(log_bins(np.array(1.0))), 8).tolist()
    [1.0, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875, 2.0]
    """
    return (np.arange(first, first + bins + 1, dtype=np.int64) << _SHIFT).view(np.float64)


@dataclass(frozen=True)
class CutHistogram:
    """How many weights of each group lie in each bin of a value, and how many of them each sparsity has pruned.

    >>> values, lifetime = np.array([0.0, 1.0, 1.0, 1.2]), np.array([0, 1, 0, 1])       # of one sparsity
    >>> found = cut_histogram(lambda i: values, [lifetime], ["all"], steps=1)
    >>> found.edges.tolist(), found.cut(0).tolist(), found.kept(0).tolist(), found.zeros.tolist()
    ([1.0, 1.125, 1.25], [[1, 0]], [[1, 1]], [[1, 1]])

    Attributes:
        groups: their names.
        edges: float64 (bins + 1,); the bins that hold anything, and those between them.
        pruned: int64 (groups, bins, steps + 1): of the weights in a bin, those that do not survive step k; the last
            column, which nothing survives, counts them all.
        zeros: int64 (groups, steps + 1): the same of the values that are exactly zero, which are in no bin.
    """

    groups: tuple[Hashable, ...]
    edges: np.ndarray
    pruned: np.ndarray
    zeros: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """All weights: int64 (groups, bins)."""
        return self.pruned[:, :, -1]

    def cut(self, step: int) -> np.ndarray:
        """Those that step k has pruned: int64 (groups, bins)."""
        return self.pruned[:, :, step]

    def kept(self, step: int) -> np.ndarray:
        """Those that it leaves: int64 (groups, bins)."""
        return self.total - self.cut(step)


def cut_histogram(
    values: Callable[[int], np.ndarray],
    lifetimes: Sequence[np.ndarray],
    groups: Sequence[Hashable],
    steps: int = STEPS,
    progress: Progress | None = None,
) -> CutHistogram:
    """Bin the values of all layers, group by group.

    Args:
        values: layer number -> its values, none below zero, any float dtype, (size,).
        lifetimes: for every layer how many of `steps` ascending sparsities each weight survives, integers (size,).
        groups: for every layer the name of its group.
    """

    def bins_of(i: int) -> tuple[int, np.ndarray, np.ndarray]:
        own, lifetime = values(i), lifetimes[i].astype(np.int64)
        positive = own != 0
        zeros = np.bincount(lifetime[~positive], minlength=steps + 1)
        bins = log_bins(own[positive])
        first = int(bins.min()) if len(bins) else 0
        cells = np.bincount((bins - first) * (steps + 1) + lifetime[positive])
        whole = -(-len(cells) // (steps + 1)) * (steps + 1)
        return first, np.pad(cells, (0, whole - len(cells))).reshape(-1, steps + 1), zeros

    found = parallel_map(bins_of, range(len(groups)), progress=progress, message="binning weights")
    filled = [(first, first + len(cells)) for first, cells, _ in found if len(cells)] or [(0, 0)]
    lowest = min(begin for begin, _ in filled)
    bins = max(end for _, end in filled) - lowest
    names = tuple(dict.fromkeys(groups))
    pruned = np.zeros((len(names), bins, steps + 1), dtype=np.int64)
    zeros = np.zeros((len(names), steps + 1), dtype=np.int64)
    for group, (first, cells, none) in zip(groups, found, strict=True):
        g = names.index(group)
        pruned[g, first - lowest : first - lowest + len(cells)] += cells
        zeros[g] += none
    return CutHistogram(names, log_edges(lowest, bins), pruned.cumsum(-1), zeros.cumsum(-1))


def lifetimes(
    order: PruningOrder,
    layers: Sequence[PrunableLayer],
    steps: int = STEPS,
    progress: Progress | None = None,
    by: Callable[[int], np.ndarray] | None = None,
) -> list[np.ndarray]:
    """How many of the sparsities 0, 1/(steps - 1), ... 1 each weight of some layers survives: `order.survived` of each.

    With `by`, layer number -> other values, (size,): what would survive if they decided inside every layer, as many going
    at every step as the order lets go.
    """
    budgets = dict(zip((layer.name for layer in order.layers), order.count_table(steps), strict=True))

    def follow(i: int) -> np.ndarray:
        name = layers[i].name
        return order.survived(name, steps) if by is None else steps_survived(by(i), budgets[name])

    return parallel_map(follow, range(len(layers)), progress=progress, message="following every weight")


def magnitudes(model: nn.Module, layers: Sequence[PrunableLayer]) -> Callable[[int], np.ndarray]:
    """Layer number -> |w| of its weights: float32 (size,).

    >>> import torch
    >>> model = nn.Linear(2, 1)
    >>> _ = model.weight.data.copy_(torch.tensor([[-2.0, 1.0]]))
    >>> magnitudes(model, [PrunableLayer("weight", (1, 2))])(0)
    array([2., 1.], dtype=float32)
    """
    weights = DenseWeights(model, layers)
    return lambda i: weights[i].abs().reshape(-1).numpy()


def spared(survived: np.ndarray, other: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """How many weights one order keeps at each step and another one prunes: int64 (steps,).

    >>> spared(np.array([2, 0, 1]), np.array([0, 2, 1]), 2).tolist()
    [1, 1]

    Args:
        survived, other: how many of `steps` ascending sparsities each weight survives under either order.
    """
    longer = survived > other  # kept by the one and pruned by the other at the steps other <= k < survived
    begins = np.bincount(other[longer], minlength=steps + 1)
    ends = np.bincount(survived[longer], minlength=steps + 1)
    return np.cumsum(begins - ends)[:steps]


class Quantiles(NamedTuple):
    """The sizes of weights, group by group, and what one threshold for all groups takes of each.

    Attributes:
        groups: their names.
        sizes: int64 (groups,).
        own: float64 (groups, steps): |w| at or under which lies the share 0, 1/(steps - 1), ... 1 of a group's weights
            (the smallest |w| at share 0).
        common: float64 (steps,): the same of all weights together.
        under: float64 (groups, steps): the share of each group among the lowest of all, cut as a global order cuts.
    """

    groups: tuple[str, ...]
    sizes: np.ndarray
    own: np.ndarray
    common: np.ndarray
    under: np.ndarray


def magnitude_quantiles(
    model: nn.Module,
    layers: Sequence[PrunableLayer],
    group: Callable[[PrunableLayer], str] = lambda layer: layer.modality,
    steps: int = STEPS,
    progress: Progress | None = None,
) -> Quantiles:
    """Compare the |w| of groups of layers, by default of the modalities; every figure is exact.

    >>> import torch
    >>> from multiflow_core import prunable_layers
    >>> model = nn.ModuleDict({"vision": nn.Linear(4, 1), "text": nn.Linear(4, 1)})
    >>> _ = model.vision.weight.data.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    >>> _ = model.text.weight.data.copy_(torch.tensor([[3.0, 4.0, 5.0, 6.0]]))
    >>> found = magnitude_quantiles(model, prunable_layers(model), steps=3)
    >>> found.own[:, 1].tolist(), found.common.tolist(), found.under[:, 1].tolist()
    ([2.0, 4.0], [1.0, 3.0, 6.0], [0.75, 0.25])
    """
    values = magnitudes(model, layers)
    splits = parallel_map(
        lambda i: Binned(values(i)), range(len(layers)), progress=progress, message="sorting weights by size"
    )
    member = [group(layer) for layer in layers]
    names = tuple(dict.fromkeys(member))
    belongs = np.array([[m == name for m in member] for name in names], dtype=np.int64)
    sizes = belongs @ np.array([layer.size for layer in layers])
    merged = [Merged([s for s, m in zip(splits, member, strict=True) if m == name]) for name in names]
    everything = Merged(splits)
    total = int(sizes.sum())

    def ends(size: int) -> list[int]:
        return [pruned_count(k / (steps - 1), size) for k in range(steps)]

    own = [[m.highest(max(1, k)) for k in ends(int(size))] for m, size in zip(merged, sizes, strict=True)]
    common = [everything.highest(max(1, k)) for k in ends(total)]
    under = [belongs @ everything.counts(k) / sizes for k in ends(total)]
    return Quantiles(names, sizes, np.array(own), np.array(common), np.stack(under, axis=1))
