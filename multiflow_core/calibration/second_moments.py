"""Second moments of activations, X^T X for every layer: what SparseGPT needs to know about the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch  # noqa: F401  (for the examples)
from torch import Tensor, nn

from ..support.memory import check_memory
from ..support.threads import Progress
from ..weights.layers import PrunableLayer
from .activations import Statistics, check_complete
from .evidence import Data, Evidence, Forward, register
from .passes import Layers, Sums, products, ran, stream


@dataclass(frozen=True)
class Moments(Statistics):
    """Statistics with the whole matrix instead of its diagonal only; serves every method that needs statistics too.

    Attributes:
        matrices: {parameter name: X^T X, float32 (in, in)}, summed over all tokens that count; of experts in one tensor one
            below the other.

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
    sums = Sums(product_sum)

    def begin(layers: Layers) -> None:
        check_memory(
            sum(layer.inputs**2 // layer.experts * 4 for layer in layers),
            "the second moments take",
            "prune fewer layers",
        )

    layers, samples = stream(
        model,
        batches,
        begin=begin,
        watch=sums.watch,
        check=lambda: sums.check(_diagonals),
        forward=forward,
        layers=layers,
        progress=progress,
    )
    matrices = {layer.name: sums.found[layer.name].cpu() for layer in layers if layer.name in sums.found}
    return Moments(
        {name: _diagonals(m).double() for name, m in matrices.items()}, samples, ran(model, layers, matrices), matrices
    )


def _diagonals(matrix: Tensor) -> Tensor:
    """The diagonal of X^T X, or of all experts' one after the other."""
    return matrix.unflatten(0, (-1, matrix.shape[1])).diagonal(dim1=1, dim2=2).reshape(-1)


def product_sum(x: Tensor) -> Tensor:
    """X^T X over everything but the last dimension: float32 (in, in).

    >>> product_sum(torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])).tolist()
    [[10.0, 14.0], [14.0, 20.0]]
    """
    rows = x.detach().reshape(-1, x.shape[-1])
    return products(rows, rows)


def _of_layer(moments: Moments, layer: PrunableLayer) -> Tensor:
    found, width = moments.matrices.get(layer.name), layer.inputs
    if found is None or len(found) != width:
        raise ValueError(f"the second moments do not fit: there is none of {width} inputs for {layer.name}")
    return found


def _collect(model: nn.Module, layers: Layers | None, data: Data) -> Moments:
    return second_moments(model, data.batches, forward=data.forward, layers=layers, progress=data.progress)


register(
    Evidence(
        "moments",
        "second moments",
        "how the inputs vary together, from a few pairs of picture and text (second moments)",
        "statistics=mf.second_moments(model, batches)",
        Moments,
        _collect,
        _of_layer,
        check_complete,
        passes=4,
    )
)
