"""The order of a layout of which some layers stay dense, or have a sparsity of their own, whatever the others are pruned to."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..models.units import Part
from ..support.threads import Progress
from ..weights.layers import PrunableLayer
from ..weights.masks import Bits, Masks
from .exact_cut import STEPS
from .order import Order
from .patterns import fixed_sparsity


def rank_fixed(
    layers: Sequence[PrunableLayer],
    fixed: Mapping[str, float],
    order_of: Callable[[tuple[PrunableLayer, ...]], Order],
) -> FixedOrder:
    """The order of a layout of which some layers are fixed: layers of one sparsity are ordered, and cut, together."""
    own = fixed_sparsity(layers, fixed)
    free = order_of(tuple(layer for layer in layers if layer.name not in own))
    parts = [
        (order_of(tuple(layer for layer in layers if own.get(layer.name) == sparsity)), sparsity)
        for sparsity in sorted(set(own.values()))
    ]
    return FixedOrder(tuple(layers), free, parts)


class FixedOrder(Order):
    """An order for the layers that are free, beside others at a sparsity of their own.

    >>> from torch import nn
    >>> from multiflow_core import rank
    >>> order = rank(nn.ModuleDict({"text": nn.Linear(4, 4), "vision": nn.Linear(4, 4)}), "omp", fixed={"text": 0.25})
    >>> order.layer_sparsity(0.5), order.total, order.fixed
    ({'text.weight': 0.25, 'vision.weight': 0.5}, 16, {'text.weight': 0.25})

    A sparsity is that of the free layers: exactly floor(sparsity * total) of their `total` weights are pruned, and of the
    others floor(own sparsity * their size) together for every sparsity, by the same method.

    Attributes:
        fixed: {parameter name: its layer's own sparsity}; the counts are exact for all layers of one sparsity together.
    """

    def __init__(self, layers: tuple[PrunableLayer, ...], free: Order, parts: Sequence[tuple[Order, float]]):
        self.layers, self._free, self._parts = layers, free, tuple(parts)
        self.total, self.nested, self.method, self.statistics = free.total, free.nested, free.method, free.statistics
        self.criterion, self.allocation, self.implied_sparsity = free.criterion, free.allocation, free.implied_sparsity
        self.updates_weights = free.updates_weights
        self._part_of = {layer.name: (part, own) for part, own in self._parts for layer in part.layers}
        self.fixed = {layer.name: self._part_of[layer.name][1] for layer in layers if layer.name in self._part_of}
        self._kept: Masks | None = None

    # --- masks and weights ------------------------------------------------------------------------------------------

    def masks(self, sparsity: float | None = None, *, progress: Progress | None = None) -> Masks:
        return self._whole(self._free.masks(sparsity, progress=progress), progress)

    def masks_at(self, sparsities: Sequence[float], *, progress: Progress | None = None) -> list[Masks]:
        return [self._whole(free, progress) for free in self._free.masks_at(sparsities, progress=progress)]

    def masks_nm(self, n: int, m: int, *, progress: Progress | None = None) -> Masks:
        """N:M masks of the free layers, beside those of the others at their own sparsity."""
        return self._whole(self._free.masks_nm(n, m, progress=progress), progress)

    def masks_neurons(self, units: Sequence[Part], share: float) -> Masks:
        """The pattern of neurons in towers of which no layer is fixed, beside the masks of the others at their own sparsity."""
        held = {part.tower for part in units if any(layer.name in self.fixed for layer in part.layers)}
        return self._whole(self._free.masks_neurons([part for part in units if part.tower not in held], share), None)

    def weights(self, sparsity: float | None = None, *, progress: Progress | None = None) -> dict[str, Tensor] | None:
        if not self.updates_weights:
            return None
        cut = [(self._free, sparsity), *((part, own) for part, own in self._parts if own)]
        return {name: new for part, own in cut for name, new in part.weights(own, progress=progress).items()}

    def _whole(self, free: Masks, progress: Progress | None) -> Masks:
        if self._kept is None:
            self._kept = Masks({})
            for part, own in self._parts:
                self._kept = self._kept.beside(_cut(part, own, progress), (*self._kept, *(x.name for x in part.layers)))
        return free.beside(self._kept, (layer.name for layer in self.layers))

    # --- budgets ----------------------------------------------------------------------------------------------------

    def layer_counts(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        free = self._free.layer_counts(sparsity, progress=progress)
        return self._together(free, lambda part, own: _counts(part, own, progress))

    def dead_neurons(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        def dead(part: Order, own: float) -> np.ndarray:
            return part.dead_neurons(own, progress=progress) if own else np.zeros((len(part.layers), 2), dtype=np.int64)

        return self._together(self._free.dead_neurons(sparsity, progress=progress), dead)

    def curve(self, n: int = STEPS) -> np.ndarray:
        """Per-layer sparsity at n evenly spaced sparsities of the free layers: float64 (layers, n)."""
        return self.count_table(n) / np.array([[layer.size] for layer in self.layers])

    def count_table(self, n: int = STEPS) -> np.ndarray:
        """`layer_counts` at n evenly spaced sparsities of the free layers: int64 (layers, n)."""
        return self._together(self._free.count_table(n), lambda part, own: np.tile(_counts(part, own), (n, 1)).T)

    def _together(self, free: np.ndarray, of: Callable[[Order, float], np.ndarray]) -> np.ndarray:
        """Rows of all layers, in the layout's order."""
        rows = dict(zip((layer.name for layer in self._free.layers), free, strict=True))
        for part, own in self._parts:
            rows |= zip((layer.name for layer in part.layers), of(part, own), strict=True)
        return np.stack([rows[layer.name] for layer in self.layers])

    def cuts(self, sparsity: float) -> dict[Hashable, float]:
        """Where the budget of the free layers is cut."""
        return self._free.cuts(sparsity)

    # --- single weights ---------------------------------------------------------------------------------------------

    def critical_sparsity(self, name: str) -> Tensor:
        """From which sparsity on each weight is pruned: float64 (out, in); of a fixed layer 0 or never (inf)."""
        if name not in self.fixed:
            return self._free.critical_sparsity(name)
        part, own = self._part_of[name]
        return torch.where(part.critical_sparsity(name) > own, math.inf, 0.0).double()

    def survived(self, name: str, n: int = STEPS) -> np.ndarray:
        """How many of n evenly spaced sparsities each weight survives, (size,)."""
        if name not in self.fixed:
            return self._free.survived(name, n)
        part, own = self._part_of[name]
        kept = (part.critical_sparsity(name) > own).flatten().numpy()
        return np.where(kept, n, 0).astype(np.min_scalar_type(n))

    def score(self, name: str) -> Tensor:
        """The scores of a layer: (out, in)."""
        return self._of(name).score(name)

    def threshold(self, name: str, sparsity: float) -> float:
        """The highest pruned score of a layer; -inf when nothing of it is pruned."""
        return self._of(name).threshold(name, self.fixed.get(name, sparsity))

    def thresholds(self, name: str, n: int = STEPS) -> np.ndarray:
        """The same at n evenly spaced sparsities of the free layers: float64 (n,)."""
        if name not in self.fixed:
            return self._free.thresholds(name, n)
        return np.full(n, self.threshold(name, 0.0))

    def _of(self, name: str) -> Order:
        return self._part_of[name][0] if name in self.fixed else self._free


def _cut(part: Order, own: float, progress: Progress | None) -> Masks:
    """The masks of a part; what stays dense is never solved for."""
    if own:
        return part.masks(own, progress=progress)
    return Masks({layer.name: Bits.of(torch.ones(layer.shape, dtype=torch.bool)) for layer in part.layers})


def _counts(part: Order, own: float, progress: Progress | None = None) -> np.ndarray:
    return part.layer_counts(own, progress=progress) if own else np.zeros(len(part.layers), dtype=np.int64)
