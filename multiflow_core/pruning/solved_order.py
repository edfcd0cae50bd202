"""Methods that solve anew for every sparsity: what they are asked, how they select, and the order they return."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..calibration.evidence import EVIDENCE, Data
from ..support.threads import Progress
from ..weights.dense import DenseWeights
from ..weights.layers import PrunableLayer
from ..weights.masks import Masks
from .exact_cut import pruned_count
from .order import Order

if TYPE_CHECKING:
    from .method import Method

# Solutions are kept until they hold this many weights together (5 bytes each), the one asked for last always.
_REMEMBERED = 1 << 26


@dataclass(frozen=True)
class Request:
    """What `rank` was asked, for methods with a `build` function of their own."""

    model: nn.Module
    layers: tuple[PrunableLayer, ...]
    method: Method
    options: Mapping[str, Any] = field(default_factory=dict)
    data: Data = field(default_factory=Data)
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def known(self, name: str) -> Any:
        """Evidence by name, collected from the data if it was not given."""
        found = self.evidence.get(name)
        return EVIDENCE.get(name).collect(self.model, self.layers, self.data) if found is None else found

    @cached_property
    def total(self) -> int:
        """N, the number of prunable weights."""
        return sum(layer.size for layer in self.layers)

    @cached_property
    def weights(self) -> DenseWeights:
        """The model's prunable weights, to be read."""
        return DenseWeights(self.model, self.layers)


@dataclass(frozen=True)
class Solution:
    """One answer: for every layer what is kept, bool (size,), and the new weights, (out, in), if there are any."""

    keep: Sequence[np.ndarray]
    weights: Sequence[Tensor] | None = None


Solve = Callable[[int, Progress], Solution]


class Solved(Order):
    """What `rank` returns for a method whose masks do not nest: each sparsity is solved when it is first asked for.

    >>> from types import SimpleNamespace as Any
    >>> method = Any(name="every other", title="Every other", updates_weights=False)
    >>> request = Request(nn.Linear(4, 1), (PrunableLayer("weight", (1, 4)),), method)
    >>> order = Solved(request, lambda count, progress: Solution([np.arange(4) % 2 == 0]))
    >>> order.nested, order.masks(0.5)["weight"].tolist(), order.layer_sparsity(0.5)
    (False, [[True, False, True, False]], {'weight': 0.5})

    Several threads may ask at once; the same sparsity is then solved once.

    Args:
        request: what `rank` was asked.
        solve: solve(count, progress) -> Solution with exactly `count` weights pruned.
    """

    nested = False

    def __init__(self, request: Request, solve: Solve):
        self.layers, self.method, self.statistics = request.layers, request.method, request.evidence.get("statistics")
        self.total = request.total
        self.updates_weights = request.method.updates_weights
        self._weights, self._solve = request.weights, solve
        self._solved: dict[int, tuple[Masks, dict[str, Tensor] | None]] = {}
        self._lock, self._solving = threading.Lock(), threading.Lock()

    def masks(self, sparsity: float | None = None, *, progress: Progress | None = None) -> Masks:
        return self._solution(sparsity, progress)[0]

    def masks_at(self, sparsities: Sequence[float], *, progress: Progress | None = None) -> list[Masks]:
        """The masks at several sparsities, each solved by itself."""
        return [self.masks(sparsity, progress=progress) for sparsity in sparsities]

    def weights(self, sparsity: float, *, progress: Progress | None = None) -> dict[str, Tensor] | None:
        """{parameter name: new weight, zero where pruned}; None if the method leaves survivors as they are."""
        return self._solution(sparsity, progress)[1]

    def layer_counts(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        masks = self.masks(sparsity, progress=progress)
        return np.array([layer.size - int(masks[layer.name].count_nonzero()) for layer in self.layers], dtype=np.int64)

    def dead_neurons(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        """How many outputs (rows) and inputs (columns) of every layer have lost all weights: int64 (layers, 2)."""
        return np.array(list(self.masks(sparsity, progress=progress).dead_neurons().values()))

    def _solution(self, sparsity: float, progress: Progress | None) -> tuple[Masks, dict[str, Tensor] | None]:
        count = pruned_count(sparsity, self.total)
        if found := self._remembered(count):  # without waiting for another sparsity that is being solved
            return found
        with self._solving:
            found = self._remembered(count) or self._new(count, progress or (lambda fraction, message: None))
            with self._lock:
                self._solved[count] = found
                while len(self._solved) > 1 and len(self._solved) * self.total > _REMEMBERED:
                    del self._solved[next(iter(self._solved))]
            return found

    def _remembered(self, count: int) -> tuple[Masks, dict[str, Tensor] | None] | None:
        with self._lock:
            found = self._solved.pop(count, None)
            if found is not None:
                self._solved[count] = found  # the last asked for goes last
            return found

    def _new(self, count: int, progress: Progress) -> tuple[Masks, dict[str, Tensor] | None]:
        solution = self._solve(count, progress)
        pruned = sum(len(keep) - int(np.count_nonzero(keep)) for keep in solution.keep)
        if pruned != count:
            raise RuntimeError(
                f"{self.method.title} pruned {pruned} weights instead of {count}: an error in the method"
            )
        keeps = [torch.from_numpy(k).reshape(layer.shape) for layer, k in zip(self.layers, solution.keep, strict=True)]
        masks = Masks({layer.name: keep for layer, keep in zip(self.layers, keeps, strict=True)})
        if solution.weights is None:
            return masks, None
        new = (self._weights.like_dense(i, weight) for i, weight in enumerate(solution.weights))
        return masks, {x.name: w.masked_fill(~keep, 0) for x, w, keep in zip(self.layers, new, keeps, strict=True)}
