"""Second moments of activations, X^T X for every layer: what SparseGPT needs to know about the data."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ._capture import LinearInputs, quiet
from ._support import Progress
from .calibrate import (
    _ROWS,
    Forward,
    Statistics,
    _attention_mask,
    _call,
    _check_finite,
    _Reducer,
    _weights,
    _with_reads,
    count_pairs,
)
from .gradients import check_memory
from .layers import PrunableLayer, family_of, prunable_layers


@dataclass(frozen=True)
class Moments(Statistics):
    """Statistics with the whole matrix instead of its diagonal only; serves every method that needs statistics too.

    Attributes:
        matrices: {parameter name: X^T X, float32 (in, in)}, summed over all tokens that count.

    `save` keeps the statistics, not the matrices.
    """

    matrices: Mapping[str, Tensor] = field(default_factory=dict)

    def merge(self, other: Statistics) -> Statistics:
        """The statistics of both sets of samples together (also `+`); without matrices unless both have them."""
        both = super().merge(other)
        if not isinstance(other, Moments):
            return both
        sums = dict(self.matrices)
        for name, theirs in other.matrices.items():
            sums[name] = sums[name] + theirs if name in sums else theirs
        return Moments(both.square_sums, both.samples, both.layers, sums)

    __add__ = merge


def second_moments(
    model: nn.Module,
    batches: Iterable[Any],
    *,
    forward: Forward | None = None,
    layers: tuple[PrunableLayer, ...] | None = None,
    progress: Progress | None = None,
) -> Moments:
    """`calibrate`, but collecting X^T X of every layer's inputs: streamed, no input is stored.

    >>> moments = second_moments(nn.Linear(2, 2), [{"input": torch.tensor([[3.0, 0.0], [4.0, 2.0]])}])
    >>> moments.matrices["weight"].tolist(), moments.square_sums["weight"].tolist()
    ([[25.0, 8.0], [8.0, 4.0]], [25.0, 4.0])

    Arguments as in `calibrate`. Memory: 4 bytes times the square of every layer's width, 2 GB for BLIP-base;
    ValueError with the figure if that is not free.
    """
    batches = [batches] if isinstance(batches, Mapping) else batches
    total = len(batches) if isinstance(batches, Sized) else None
    forward = forward or getattr(family_of(model), "calibration_forward", None) or _call
    stream = iter(batches)
    first = next(stream, None)
    layers = _layout(model, layers, first, forward)
    check_memory(sum(layer.shape[1] ** 2 * 4 for layer in layers), "the second moments take", "prune fewer layers")
    weights, sums, samples = _weights(model, layers), {}, 0
    for done, batch in enumerate(itertools.chain([first], stream) if first is not None else (), start=1):
        products = _Products(layers, _attention_mask(batch), sums, _attention_mask(batch, "pixel_attention_mask"))
        with quiet(model), LinearInputs(weights, products):
            forward(model, batch)
        _check_finite({name: matrix.diagonal() for name, matrix in sums.items()})
        samples += count_pairs(batch)
        if progress is not None:
            progress(done / total if total else 0.0, f"calibrating: {samples} pairs")
    if samples == 0:
        raise ValueError("calibration needs at least one batch of image-text pairs")
    matrices = {layer.name: sums[layer.name].cpu() for layer in layers if layer.name in sums}
    return Moments({name: m.diagonal().double() for name, m in matrices.items()}, samples, layers, matrices)


def _layout(
    model: nn.Module, given: tuple[PrunableLayer, ...] | None, batch: Any, forward: Forward
) -> tuple[PrunableLayer, ...]:
    layers = tuple(given) if given is not None else prunable_layers(model)
    if not layers:
        raise ValueError("the model has no prunable layers to calibrate")
    if family_of(model) is not None or batch is None or _attention_mask(batch) is None:
        return layers
    traced = prunable_layers(model, batch=batch, forward=forward)
    return _with_reads(layers, traced) if given is not None else traced


class _Products(_Reducer):
    """Adds X^T X of the inputs of one forward pass to `sums`."""

    def _squares(self, x: Tensor, keep: Tensor | None) -> Tensor:
        key = (id(x), keep is not None)
        seen, version, matrix = self._recent.get(key, (None, None, None))
        if seen is not None and seen() is x and version == x._version:
            return matrix
        matrix = product_sum(x if keep is None else x[keep])
        self._recent[key] = (weakref.ref(x), x._version, matrix)
        return matrix


def product_sum(x: Tensor) -> Tensor:
    """X^T X over everything but the last dimension: float32 (in, in).

    >>> product_sum(torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])).tolist()
    [[10.0, 14.0], [14.0, 20.0]]
    """
    rows = x.detach().reshape(-1, x.shape[-1])
    total = torch.zeros(rows.shape[1], rows.shape[1], device=x.device)
    for block in rows.split(_ROWS):
        total.addmm_(block.float().T, block.float())
    return total
