"""Methods that solve anew for every sparsity: what they are asked, how they select, and the order they return."""

from __future__ import annotations

import numbers
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ._merge import Binned, Merged, keep_all_but
from ._support import Progress, unknown_name
from .layers import PrunableLayer
from .masks import Masks

if TYPE_CHECKING:
    from .calibrate import Statistics
    from .methods import Method

# Solutions are kept until they hold this many weights together (5 bytes each), the one asked for last always.
_REMEMBERED = 1 << 26
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
    objective: Callable[[nn.Module, Any], Tensor] | None = None
    batches: Any = None
    precision: str = "float32"

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


class DenseWeights(Sequence[Tensor]):
    """The prunable weights of a model in float32 on the processor, one layer at a time, checked.

    >>> layer = PrunableLayer("weight", (1, 2))
    >>> DenseWeights(nn.Linear(2, 1).half(), [layer])[0].dtype
    torch.float32

    ValueError for a layer that the model does not have, or whose values are not finite; RuntimeError if it was
    changed in place after this object was made.
    """

    def __init__(self, model: nn.Module, layers: Sequence[PrunableLayer]):
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
        self._finite: set[int] = set()

    def __len__(self) -> int:
        return len(self._layers)

    def __getitem__(self, i: int) -> Tensor:
        name, weight = self._layers[i].name, self._weights[i]
        if i not in self._finite:
            low, high = torch.aminmax(weight)
            if not bool(torch.isfinite(low) & torch.isfinite(high)):
                raise ValueError(f"the weight {name} holds values that are not finite")
            self._finite.add(i)
        self._check_unchanged(i)
        return weight.to(device="cpu", dtype=torch.float32)

    def _check_unchanged(self, i: int) -> None:
        if _fingerprint(self._weights[i]) != self._prints[i]:
            raise RuntimeError(f"{self._layers[i].name} was changed after the model was ranked: rank it again")

    def some(self, i: int, index: Any) -> Tensor:
        """Some weights of the flat layer i, which was looked at as a whole before."""
        self._check_unchanged(i)
        return self._weights[i].reshape(-1)[index].to(device="cpu", dtype=torch.float32)

    def like_dense(self, i: int, weight: Tensor) -> Tensor:
        """A new weight in the layer's shape and the checkpoint's own dtype."""
        return weight.reshape(self._layers[i].shape).to(dtype=self._weights[i].dtype, device="cpu")


def _fingerprint(weight: Tensor) -> float:
    """Cheap, and changes when the weight is trained, pruned or scaled in place."""
    flat = weight.reshape(-1)
    return float(flat[:: max(1, flat.numel() // _SAMPLE)].double().abs().sum())


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


class Solved:
    """What `rank` returns for a method whose masks do not nest: each sparsity is solved when it is first asked for.

    >>> from types import SimpleNamespace as Any
    >>> method = Any(name="every other", title="Every other", updates_weights=False)
    >>> request = Request(nn.Linear(4, 1), (PrunableLayer("weight", (1, 4)),), method)
    >>> order = Solved(request, lambda count, progress: Solution([np.arange(4) % 2 == 0]))
    >>> order.nested, order.masks(0.5)["weight"].tolist(), order.layer_sparsity(0.5)
    (False, [[True, False, True, False]], {'weight': 0.5})

    Has a PruningOrder's `masks`, `weights`, `layer_counts`, `layer_sparsity`, `modality_sparsity` and `dead_neurons`. What only
    makes sense where masks nest (`curve`, `score`, `threshold`, `thresholds`, `critical_sparsity`, `masks_nm`) raises ValueError:
    ask `nested` first. Several threads may ask at once; the same sparsity is then solved once.

    Args:
        request: what `rank` was asked.
        solve: solve(count, progress) -> Solution with exactly `count` weights pruned.
    """

    nested = False
    criterion = allocation = implied_sparsity = None

    def __init__(self, request: Request, solve: Solve):
        self.layers, self.method, self.statistics = request.layers, request.method, request.statistics
        self.total = request.total
        self.updates_weights = request.method.updates_weights
        self._weights, self._solve = request.weights, solve
        self._solved: dict[int, tuple[Masks, dict[str, Tensor] | None]] = {}
        self._lock = threading.Lock()

    def masks(self, sparsity: float, *, progress: Progress | None = None) -> Masks:
        """The masks at a sparsity: exactly floor(sparsity * total) weights are False. ValueError outside 0..1."""
        return self._solution(sparsity, progress)[0]

    def masks_at(self, sparsities: Sequence[float], *, progress: Progress | None = None) -> list[Masks]:
        """The masks at several sparsities, each solved by itself."""
        return [self.masks(sparsity, progress=progress) for sparsity in sparsities]

    def weights(self, sparsity: float, *, progress: Progress | None = None) -> dict[str, Tensor] | None:
        """{parameter name: new weight, zero where pruned}; None if the method leaves survivors as they are."""
        return self._solution(sparsity, progress)[1]

    def layer_counts(self, sparsity: float) -> np.ndarray:
        """How many weights of every layer are pruned: int64 (layers,), summing to floor(sparsity * total)."""
        masks = self.masks(sparsity)
        return np.array([layer.size - int(masks[layer.name].sum()) for layer in self.layers], dtype=np.int64)

    def layer_sparsity(self, sparsity: float) -> dict[str, float]:
        """The sparsity of every layer at a global sparsity."""
        return per_layer(self.layers, self.layer_counts(sparsity))

    def modality_sparsity(self, sparsity: float) -> dict[str, float]:
        """The sparsity of every modality at a global sparsity."""
        return per_modality(self.layers, self.layer_counts(sparsity))

    def dead_neurons(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        """How many outputs (rows) and inputs (columns) of every layer have lost all weights: int64 (layers, 2)."""
        return np.array(list(self.masks(sparsity, progress=progress).dead_neurons().values()))

    def curve(self, n: int = 101) -> np.ndarray:
        raise self._not_nested("no curve over all sparsities")

    def score(self, name: str) -> Tensor:
        raise self._not_nested("no score that holds at every sparsity")

    def threshold(self, name: str, sparsity: float) -> float:
        raise self._not_nested("no threshold")

    def thresholds(self, name: str, n: int = 101) -> np.ndarray:
        raise self._not_nested("no thresholds")

    def critical_sparsity(self, name: str) -> Tensor:
        raise self._not_nested("no critical sparsities")

    def masks_nm(self, n: int, m: int) -> Masks:
        raise self._not_nested("no scores to apply an N:M pattern to")

    def _not_nested(self, lacks: str) -> ValueError:
        return ValueError(f"{self.method.title} solves every sparsity anew and its masks do not nest: it has {lacks}")

    def _solution(self, sparsity: float, progress: Progress | None) -> tuple[Masks, dict[str, Tensor] | None]:
        count = pruned_count(sparsity, self.total)
        with self._lock:
            found = self._solved.pop(count, None) or self._new(count, progress or (lambda fraction, message: None))
            self._solved[count] = found  # the last asked for goes last
            while len(self._solved) > 1 and len(self._solved) * self.total > _REMEMBERED:
                del self._solved[next(iter(self._solved))]
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


def per_layer(layers: Sequence[PrunableLayer], counts: Sequence[int]) -> dict[str, float]:
    """The sparsity of every layer, from the numbers of weights pruned."""
    return {layer.name: int(count) / layer.size for layer, count in zip(layers, counts, strict=True)}


def per_modality(layers: Sequence[PrunableLayer], counts: Sequence[int]) -> dict[str, float]:
    """The sparsity of every modality, from the numbers of weights pruned.

    >>> per_modality([PrunableLayer("a", (2, 2), "text"), PrunableLayer("b", (2, 2), "text")], [1, 3])
    {'text': 0.5}
    """
    pruned: dict[str, int] = {}
    size: dict[str, int] = {}
    for layer, count in zip(layers, counts, strict=True):
        pruned[layer.modality] = pruned.get(layer.modality, 0) + int(count)
        size[layer.modality] = size.get(layer.modality, 0) + layer.size
    return {modality: pruned[modality] / size[modality] for modality in size}
