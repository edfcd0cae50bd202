"""Gradients of an objective, streamed: the dense model is not touched, not even for a moment.

>>> model = nn.Linear(2, 1, bias=False)
>>> found = mean_gradients(model, [{"input": torch.ones(3, 2)}], lambda model, batch: model(**batch).mean())
>>> found.mean["weight"], model.weight.grad is None
(tensor([[1., 1.]]), True)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..families import family_of
from ..models.layout import prunable_layers
from ..support.memory import check_memory
from ..support.threads import Progress, own_random_state
from ..weights.layers import PrunableLayer
from ..weights.masks import rebuilt, tensors_of
from ..weights.wrappers import parameters_of, unwrapped
from .evidence import Data, Evidence, Objective, named, register
from .passes import count_pairs, says_all

PRECISIONS = ("float32", "bfloat16")
_NOTHING = object()
_HALVES = (torch.float16, torch.bfloat16)
_EXACT_BYTES = 1 << 30  # gradient rows stay in float32 up to this size, and go to bfloat16 beyond


@dataclass(frozen=True)
class Gradients:
    """The mean gradient of every prunable weight, {parameter name: float32 (out, in)}, over `batches` batches."""

    mean: Mapping[str, Tensor]
    batches: int


def mean_gradients(
    model: nn.Module,
    batches: Any,
    objective: Objective | None = None,
    *,
    layers: Sequence[PrunableLayer] | None = None,
    precision: str = "float32",
    seed: int = 0,
    progress: Progress | None = None,
) -> Gradients:
    """The mean over batches of the gradient of `objective(model, batch)`: one float32 number per weight, streamed.

    Args:
        model: any module. Parameters, gradients, buffers, modes and the random state stay exactly as they are.
        batches: an iterable of batches, or a function that returns a fresh one.
        objective: `objective(model, batch)` -> scalar loss; default: the pre-training losses of the model's family.
        layers: the layout, default `prunable_layers(model)`.
        precision: "float32", or "bfloat16" for a forward pass under autocast.
        seed: for objectives that draw random numbers.
        progress: called as progress(fraction, message) after every batch.

    Raises:
        ValueError: no objective, no batches, a loss that is not a finite scalar, or layers it does not depend on.
    """
    layers = tuple(layers) if layers is not None else prunable_layers(model)
    return Replica(model, layers, objective, precision=precision, seed=seed).mean(Source(batches), progress)


class Source:
    """Batches that can be asked for again and again.

    >>> source = Source(i for i in range(2))                    # an iterator is stored; a list or a function is not
    >>> list(source), list(itertools.islice(source.endless(), 5)), source.count
    ([0, 1], [0, 1, 0, 1, 0], 2)

    Attributes:
        count: how many there are, None if that is not known beforehand.
    """

    def __init__(self, batches: Iterable[Any] | Callable[[], Iterable[Any]]):
        if batches is None:
            raise _no_batches()
        if isinstance(batches, Mapping):
            batches = [batches]
        self._batches = list(batches) if isinstance(batches, Iterator) else batches
        self.count = len(self._batches) if isinstance(self._batches, Sized) else None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._batches() if callable(self._batches) else self._batches)

    def endless(self) -> Iterator[Any]:
        """All batches, from the start again when they run out; ValueError when there are none."""
        while True:
            stream = iter(self)
            first = next(stream, _NOTHING)
            if first is _NOTHING:
                raise _no_batches()
            yield first
            yield from stream


class Replica:
    """A stand-in for the dense model that can be differentiated: other Parameters around the same numbers.

    >>> dense = nn.Linear(2, 1, bias=False).requires_grad_(False)
    >>> replica = Replica(dense, prunable_layers(dense), lambda model, batch: model(batch).sum())
    >>> replica.gradients(torch.ones(4, 2))["weight"]
    tensor([[4., 4.]])
    >>> replica.weights["weight"].data_ptr() == dense.weight.data_ptr(), dense.weight.requires_grad
    (True, False)

    Why not `functional_call` or `backward`: both change the module they work on for a while (its parameters, its
    gradients), and the dense model is shared with other threads. Buffers are copies, so that an objective may
    change them; half precision is widened to float32; the replica is in evaluation mode.

    Args:
        own: give it its own copy of the prunable weights (4 bytes each), so that `assign` may change them.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Sequence[PrunableLayer],
        objective: Objective | None = None,
        *,
        precision: str = "float32",
        seed: int = 0,
        own: bool = False,
    ):
        if precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
        self._objective = objective or _family_objective(model)
        # some models of transformers run layers whose outcome they do not use: what does not matter has no gradient
        self._complete = says_all(model) or not hasattr(unwrapped(model), "base_model_prefix")
        self._half, self._own = precision == "bfloat16", own
        self._seed, self._passes = seed, 0
        model = unwrapped(model)
        parameters = parameters_of(model)
        wanted = {id(parameters[layer.name]) for layer in layers}
        with torch.inference_mode(False), torch.no_grad():
            self.model = rebuilt(model, {id(t): self._stand_in(t, id(t) in wanted) for t in tensors_of(model)}).eval()
        mine = dict(self.model.named_parameters(remove_duplicate=False))
        self.weights: dict[str, Tensor] = {layer.name: mine[layer.name] for layer in layers}
        self._devices = sorted({p.device.index or 0 for p in mine.values() if p.device.type == "cuda"})
        self._device = next(iter(mine.values())).device.type

    @classmethod
    def of(cls, request: Any, *, own: bool = False) -> Replica:
        """The replica for a `Request`."""
        data = request.data
        return cls(request.model, request.layers, data.objective, precision=data.precision, seed=data.seed, own=own)

    def _stand_in(self, tensor: Tensor, prunable: bool) -> Tensor:
        twin = _widened(tensor.detach())
        parameter = isinstance(tensor, nn.Parameter)
        shared = twin.data_ptr() == tensor.data_ptr()
        if shared and (not parameter or tensor.is_inference() or (prunable and self._own)):
            twin = twin.clone()
        return nn.Parameter(twin, requires_grad=prunable) if parameter else twin

    def assign(self, weights: Mapping[str, Tensor]) -> None:
        """New values for its own prunable weights."""
        assert self._own, "these weights are the dense model's"
        with torch.no_grad():
            for name, weight in weights.items():
                self.weights[name].copy_(weight.reshape(self.weights[name].shape))

    def gradients(self, batch: Any) -> dict[str, Tensor]:
        """The gradient of the objective on one batch, {parameter name: (out, in)}."""
        leaves = list(self.weights.values())
        with own_random_state(self._devices), torch.inference_mode(False), torch.enable_grad():
            loss = self._loss(batch, self._passes)
            self._passes += 1
            _check_loss(loss)
            found = torch.autograd.grad(loss, leaves, allow_unused=True)
        missing = [name for name, gradient in zip(self.weights, found, strict=True) if gradient is None]
        if len(missing) == len(found) or (missing and self._complete):
            raise ValueError(f"the objective does not depend on these layers: {named(missing)}")
        return {
            name: torch.zeros_like(weight) if gradient is None else gradient
            for (name, weight), gradient in zip(self.weights.items(), found, strict=True)
        }

    def loss(self, batch: Any) -> Tensor:
        """The objective on one batch, without gradients, with the same random numbers each time."""
        with own_random_state(self._devices), torch.no_grad():
            loss = self._loss(batch, 0)
        if not bool(torch.isfinite(loss)):
            raise ValueError(f"the objective is {loss.item()}: a finite loss is needed")
        return loss

    def _loss(self, batch: Any, number: int) -> Tensor:
        torch.manual_seed(self._seed + number)
        with torch.autocast(self._device, dtype=torch.bfloat16, enabled=self._half):
            return self._objective(self.model, _widened_batch(batch))

    def mean(self, batches: Iterable[Any], progress: Progress | None = None) -> Gradients:
        """The mean gradient over batches, each batch counting alike; float32 on the processor."""
        total = batches.count if isinstance(batches, Source) else None
        sums: dict[str, Tensor] = {}
        done = 0
        for done, batch in enumerate(batches, start=1):
            for name, gradient in self.gradients(batch).items():
                sums[name] = sums[name].add_(gradient) if name in sums else gradient.clone()
            if progress is not None:
                progress(done / total if total else 0.0, f"gradients: {done} batches")
        if not done:
            raise _no_batches()
        return Gradients({name: total.div_(done).float().cpu() for name, total in sums.items()}, done)


class Rows:
    """A, the gradients of n batches as rows, over all layers laid end to end: n x N numbers.

    In float32 while that takes at most 1 GiB, else in bfloat16 (two bytes each: 50 gradients of 200 M weights are
    20 GB).

    >>> rows = Rows([torch.ones(2, 3), torch.zeros(2, 2)])
    >>> rows.n, rows.block(2, 5).tolist()
    (2, [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])

    Attributes:
        n: the number of rows. pairs: how many image-text pairs a row is the mean of.
    """

    def __init__(self, layers: Sequence[Tensor], pairs: float = 1.0):
        self._layers, self.pairs = layers, pairs
        self.n = len(layers[0])
        self._starts = list(itertools.accumulate((layer.shape[1] for layer in layers), initial=0))

    def block(self, first: int, last: int) -> Tensor:
        """Columns first..last - 1 in float64, (n, last - first)."""
        spans = zip(self._layers, self._starts, self._starts[1:])
        parts = [x[:, max(first - a, 0) : last - a].double() for x, a, b in spans if a < last and b > first]
        return torch.cat(parts, dim=1)


def gradient_rows(replica: Replica, source: Source, most: int, progress: Progress | None = None, who: str = "") -> Rows:
    """The gradients of the first `most` batches, one by one; ValueError with the figure before they outgrow memory."""
    sizes = {name: weight.numel() for name, weight in replica.weights.items()}
    expected = most if source.count is None else min(most, source.count)
    exact = expected * sum(sizes.values()) * 4 <= _EXACT_BYTES
    dtype = torch.float32 if exact else torch.bfloat16
    total = sum(sizes.values())
    # while solving, six copies of the weights beside the rows
    check_memory(
        expected * total * dtype.itemsize + 24 * total,
        f"{who} holds {expected} gradients of {total:,} weights in {str(dtype)[6:]}",
        "give fewer batches, or a lower `gradients`",
    )
    # one piece a layer from the beginning: rows put together afterwards would take their memory twice
    rows = {name: torch.empty(expected, size, dtype=dtype) for name, size in sizes.items()}
    n = pairs = 0
    for batch in itertools.islice(source, expected):
        pairs += count_pairs(batch)
        found = replica.gradients(batch)
        for name, row in rows.items():
            row[n] = found.pop(name).reshape(-1)
        n += 1
        if progress is not None:
            progress(n / expected, f"gradients: {n} batches")
    if not n:
        raise _no_batches()
    return Rows([row[:n] for row in rows.values()], pairs / n)


def _family_objective(model: nn.Module) -> Objective:
    family = family_of(model)
    if family is None:
        raise ValueError("no family knows this model's training losses: pass objective=fn(model, batch) -> loss")
    return family.objective


def _widened(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in _HALVES else tensor


def _widened_batch(batch: Any) -> Any:
    if not isinstance(batch, Mapping):
        return batch
    return {key: _widened(value) if isinstance(value, Tensor) else value for key, value in batch.items()}


def _check_loss(loss: Any) -> None:
    if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
        raise ValueError("the objective must return one number, a tensor that depends on the model's weights")
    if not bool(torch.isfinite(loss)):
        raise ValueError(f"the objective is {loss.item()}: gradients need a finite loss")


def _no_batches() -> ValueError:
    return ValueError("gradients need at least one batch of image-text pairs")


def _mean_of(gradients: Gradients, layer: PrunableLayer) -> Tensor:
    found = gradients.mean.get(layer.name)
    if found is None or tuple(found.shape) != tuple(layer.shape):
        raise ValueError(f"the gradients do not fit: there is none of shape {layer.shape} for {layer.name}")
    return found


def _collect(model: nn.Module, layers: tuple[PrunableLayer, ...] | None, data: Data) -> Gradients:
    return mean_gradients(
        model,
        data.batches,
        data.objective,
        layers=layers,
        precision=data.precision,
        seed=data.seed,
        progress=data.progress,
    )


register(
    Evidence(
        "gradients",
        "gradients",
        "gradients: how the loss reacts to every weight",
        "batches=..., and objective=fn(model, batch) -> loss if you like",
        Gradients,
        _collect,
        _mean_of,
        passes=4,
        backward=True,
    )
)
